// SPDX-License-Identifier: Apache-2.0

import Yams

/// Finds where each byte of a scalar stands in the file, by reading the scalar's source along with the value that Yams
/// made of it: lines joined, indentation dropped, escapes decoded.
struct ScalarScanner {
  let bytes: [UInt8]
  let value: [UInt8]
  var position: Int
  var text: MappedText

  /// Nil where the source cannot be made out to say `value`: then nothing is known but where it begins.
  static func scan(
    _ value: [UInt8], style: Node.Scalar.Style, in bytes: [UInt8], at start: Int, source: Int
  ) -> MappedText? {
    let anchor = FileRange(source: source, range: start..<start)
    var scanner = ScalarScanner(bytes: bytes, value: value, position: start, text: MappedText(anchor: anchor))
    if style == .plain, value.isEmpty { return scanner.text }
    scanner.skipProperties()
    let begin = scanner.position
    let end: Int?
    switch style {
    case .singleQuoted: end = scanner.quoted(by: .apostrophe)
    case .doubleQuoted: end = scanner.quoted(by: .quote)
    case .literal, .folded: end = scanner.block()
    case .plain, .any: end = scanner.plain()
    }
    guard let end, scanner.text.bytes == value else { return nil }
    scanner.text.anchor.range = begin..<end
    return scanner.text
  }

  func peek(_ ahead: Int = 0) -> UInt8? { bytes.byte(at: position + ahead) }

  /// The mark of a scalar with an anchor or a tag is that of the anchor or tag.
  private mutating func skipProperties() {
    while let byte = peek(), byte == .ampersand || byte == .bang {
      while let byte = peek(), !isBlank(byte) { position += 1 }
      while let byte = peek(), isBlank(byte) || byte == .hash {
        if byte == .hash { skipLine() } else { position += 1 }
      }
    }
  }

  // MARK: Plain and quoted

  private mutating func plain() -> Int? {
    while text.bytes.count < value.count, position < bytes.count {
      if !fold() { copy() }
    }
    return position
  }

  private mutating func quoted(by mark: UInt8) -> Int? {
    guard peek() == mark else { return nil }
    position += 1
    while let byte = peek() {
      if byte == mark {
        guard mark == .apostrophe, peek(1) == mark else { return position + 1 }
        text.append(CollectionOfOne(byte), for: position..<position + 2)
        position += 2
      } else if byte == .backslash, mark == .quote {
        guard escape() else { return nil }
      } else if !fold() {
        copy()
      }
    }
    return nil
  }

  mutating func copy() {
    text.append(bytes[position], at: position)
    position += 1
  }

  /// Steps over blanks and line breaks if a break is among them: a single one became a blank, and of several each but
  /// the first a line feed.
  private mutating func fold() -> Bool {
    guard let byte = peek(), isBlank(byte) else { return false }
    let start = position
    skipBlanks()
    guard let first = skipLineBreak() else {
      position = start
      return false
    }
    skipBlanks()
    var count = 0
    while let lineBreak = skipLineBreak() {
      text.append(CollectionOfOne(.newline), for: lineBreak)
      skipBlanks()
      count += 1
    }
    if count == 0 { text.append(CollectionOfOne(.space), for: first) }
    return true
  }

  /// Each escape stands for one character, so that the value says how long that is; one before a line break stands for
  /// nothing, and the empty lines behind it stay.
  private mutating func escape() -> Bool {
    let start = position
    position += 1
    if skipLineBreak() != nil {
      skipBlanks()
      while let lineBreak = skipLineBreak() {
        text.append(CollectionOfOne(.newline), for: lineBreak)
        skipBlanks()
      }
      return true
    }
    guard let letter = peek(), let first = value.byte(at: text.bytes.count) else { return false }
    let digits = [UInt8(ascii: "x"): 2, UInt8(ascii: "u"): 4, UInt8(ascii: "U"): 8][letter] ?? 0
    position = min(position + 1 + digits, bytes.count)
    let length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
    text.append(value[text.bytes.count...].prefix(length), for: start..<position)
    return true
  }

  // MARK: Steps

  func isBlank(_ byte: UInt8) -> Bool { byte == .space || byte == .tab || byte.isLineBreak }

  mutating func skipBlanks() {
    while let byte = peek(), byte == .space || byte == .tab { position += 1 }
  }

  mutating func skipLine() {
    while let byte = peek(), !byte.isLineBreak { position += 1 }
  }

  /// Steps over a line break, if there is one, and returns where it was.
  mutating func skipLineBreak() -> Range<Int>? {
    guard let byte = peek(), byte.isLineBreak else { return nil }
    let start = position
    position += byte == .carriageReturn && peek(1) == .newline ? 2 : 1
    return start..<position
  }
}
