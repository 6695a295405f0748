// SPDX-License-Identifier: Apache-2.0

/// Plain and quoted scalars. Over several lines they fold: blanks around a line break go, a single break becomes a
/// blank, and each empty line becomes a break.
extension YAMLReader {
  mutating func scalar(parentIndent: Int, inFlow: Bool) throws(YAMLProblem) -> YAMLNode {
    switch peek() {
    case .quote: try doubleQuotedScalar()
    case .apostrophe: try singleQuotedScalar()
    default: try plainScalar(parentIndent: parentIndent, inFlow: inFlow)
    }
  }

  mutating func plainScalar(
    parentIndent: Int, inFlow: Bool, onlyOneLine: Bool = false
  ) throws(YAMLProblem) -> YAMLNode {
    try checkPlainStart(inFlow: inFlow)
    let start = position
    var text = MappedText(anchor: FileRange(source: source, range: start..<start))
    var end = start
    while true {
      // One line, its trailing blanks left for the fold.
      while let byte = peek(), !byte.isLineBreak, !endsPlain(byte, inFlow: inFlow) {
        if byte != .space, byte != .tab {
          for blank in end..<position { text.append(bytes[blank], at: blank) }
          text.append(byte, at: position)
          end = position + 1
        }
        position += 1
      }
      guard !onlyOneLine, peek()?.isLineBreak == true, let next = continuation(parentIndent, inFlow) else { break }
      fold(end..<next, into: &text)
      position = next
      end = next
    }
    position = end
    text.anchor.range = start..<end
    return node(.scalar(YAMLScalar(text: text, isPlain: true)), start..<end)
  }

  private func checkPlainStart(inFlow: Bool) throws(YAMLProblem) {
    guard let byte = peek() else { return }
    switch byte {
    case .dash, .question, .colon:
      guard isBlankOrEnd(position + 1) else { return }
    case UInt8(ascii: "@"), UInt8(ascii: "`"), .percent, .comma, .openBracket, .closeBracket, .openBrace, .closeBrace,
      .hash, .ampersand, .star, .bang, .pipe, .greater:
      break
    default: return
    }
    throw problem(
      "a text cannot begin with '\(Character(Unicode.Scalar(byte)))'", at: position, "means something else in YAML",
      help: "put quotes around the text")
  }

  private func endsPlain(_ byte: UInt8, inFlow: Bool) -> Bool {
    switch byte {
    case .colon:
      guard let next = peek(1) else { return true }
      return isBlankOrEnd(position + 1)
        || (inFlow && [.comma, .openBracket, .closeBracket, .openBrace, .closeBrace].contains(next))
    case .hash: return position > 0 && isBlankOrEnd(position - 1)
    case .comma, .openBracket, .closeBracket, .openBrace, .closeBrace: return inFlow
    default: return false
    }
  }

  /// Where the scalar goes on after the line break here, if it does.
  private func continuation(_ parentIndent: Int, _ inFlow: Bool) -> Int? {
    var probe = self
    repeat { probe.skipBlanks() } while probe.skipLineBreak()
    guard let byte = probe.peek(), byte != .hash, !probe.isDocumentMarker else { return nil }
    guard inFlow || probe.column > parentIndent else { return nil }
    guard !probe.endsPlain(byte, inFlow: inFlow) else { return nil }
    return probe.position
  }

  /// Appends what line breaks in `range`, with the blanks around them, amount to.
  private func fold(_ range: Range<Int>, into text: inout MappedText) {
    var breaks: [Range<Int>] = []
    var offset = range.lowerBound
    while offset < range.upperBound {
      let isPair = bytes[offset] == .carriageReturn && bytes.byte(at: offset + 1) == .newline
      let next = offset + (isPair ? 2 : 1)
      if bytes[offset].isLineBreak { breaks.append(offset..<next) }
      offset = next
    }
    if breaks.count == 1 { text.append(CollectionOfOne(.space), for: breaks[0]) }
    for lineBreak in breaks.dropFirst() { text.append(CollectionOfOne(.newline), for: lineBreak) }
  }

  private mutating func singleQuotedScalar() throws(YAMLProblem) -> YAMLNode {
    let start = position
    var text = MappedText(anchor: FileRange(source: source, range: start..<start + 1))
    position += 1
    while let byte = peek() {
      if byte == .apostrophe {
        guard peek(1) == .apostrophe else { return close(text, start) }
        text.append(CollectionOfOne(byte), for: position..<position + 2)
        position += 2
      } else if !foldQuoted(into: &text) {
        text.append(byte, at: position)
        position += 1
      }
    }
    throw problem("the file ends inside a quoted text", at: start, "never closed")
  }

  private mutating func doubleQuotedScalar() throws(YAMLProblem) -> YAMLNode {
    let start = position
    var text = MappedText(anchor: FileRange(source: source, range: start..<start + 1))
    position += 1
    while let byte = peek() {
      if byte == .quote { return close(text, start) }
      if byte == .backslash {
        try escape(into: &text)
      } else if !foldQuoted(into: &text) {
        text.append(byte, at: position)
        position += 1
      }
    }
    throw problem("the file ends inside a quoted text", at: start, "never closed")
  }

  private mutating func close(_ text: MappedText, _ start: Int) -> YAMLNode {
    position += 1
    var text = text
    text.anchor.range = start..<position
    return node(.scalar(YAMLScalar(text: text, isPlain: false)), start..<position)
  }

  /// Folds if blanks and a line break come next.
  private mutating func foldQuoted(into text: inout MappedText) -> Bool {
    guard let byte = peek(), byte == .space || byte == .tab || byte.isLineBreak else { return false }
    let start = position
    skipBlanks()
    guard peek()?.isLineBreak == true else {
      for offset in start..<position { text.append(bytes[offset], at: offset) }
      return true
    }
    while skipLineBreak() { skipBlanks() }
    fold(start..<position, into: &text)
    return true
  }

  private mutating func escape(into text: inout MappedText) throws(YAMLProblem) {
    let start = position
    position += 1
    if skipLineBreak() {
      // An escaped line break joins the lines without a blank; empty lines after it stay.
      let blank = position
      skipBlanks()
      while skipLineBreak() {
        text.append(CollectionOfOne(.newline), for: blank..<position)
        skipBlanks()
      }
      return
    }
    guard let byte = peek() else { return }
    position += 1
    if let digits = Self.hexEscapes[byte] {
      let value = (0..<digits).reduce(UInt32?(0)) { value, index in
        guard let value, let digit = peek(index)?.hexValue else { return nil }
        return value << 4 | UInt32(digit)
      }
      guard let value, let scalar = Unicode.Scalar(value) else {
        throw problem("an escape that names no character", range: start..<position, "expected \(digits) digits")
      }
      position += digits
      text.append(Array(String(Character(scalar)).utf8), for: start..<position)
    } else if let decoded = Self.escapes[byte] {
      text.append(Array(decoded.utf8), for: start..<position)
    } else {
      throw problem(
        .invalidYAML, "an escape that YAML does not know", range: start..<position, "not an escape",
        help: "write '\\\\' for a backslash, or use single quotes, which have no escapes")
    }
  }

  private static let hexEscapes: [UInt8: Int] = [UInt8(ascii: "x"): 2, UInt8(ascii: "u"): 4, UInt8(ascii: "U"): 8]

  private static let escapes: [UInt8: String] = [
    UInt8(ascii: "0"): "\0", UInt8(ascii: "a"): "\u{7}", UInt8(ascii: "b"): "\u{8}", UInt8(ascii: "t"): "\t",
    .tab: "\t", UInt8(ascii: "n"): "\n", UInt8(ascii: "v"): "\u{b}", UInt8(ascii: "f"): "\u{c}",
    UInt8(ascii: "r"): "\r", UInt8(ascii: "e"): "\u{1b}", .space: " ", .quote: "\"", .slash: "/", .backslash: "\\",
    UInt8(ascii: "N"): "\u{85}", .underscore: "\u{a0}", UInt8(ascii: "L"): "\u{2028}", UInt8(ascii: "P"): "\u{2029}",
  ]
}
