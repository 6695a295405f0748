// SPDX-License-Identifier: Apache-2.0

/// Cuts words, strings and numbers out of a condition. What a byte means depends on where it stands, so the parser
/// asks for what it needs instead of reading tokens.
struct ConditionLexer {
  let bytes: [UInt8]
  var position = 0
  private(set) var problems: [SyntaxProblem] = []

  /// Mistakes of one condition that are reported: nobody reads more, and a megabyte of `)` has a million.
  static let problemsMax = 100

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position >= bytes.count }

  func peek(_ ahead: Int = 0) -> UInt8? { bytes.byte(at: position + ahead) }

  /// What may stand between words. Not the same as `isSpace`: Falco skips a backspace, and stops at a form feed.
  static func isBlank(_ byte: UInt8) -> Bool {
    byte == .space || byte == .tab || byte == .backspace || byte.isLineBreak
  }

  /// What ends a string without quotes, and what has to follow `not`.
  static func isSpace(_ byte: UInt8) -> Bool { byte == .space || byte >= .tab && byte <= .carriageReturn }

  /// Whether `byte` may stand in a string without quotes.
  static func isBare(_ byte: UInt8) -> Bool {
    switch byte {
    case .openParenthesis, .closeParenthesis, .quote, .apostrophe, .equals, .comma: false
    default: !isSpace(byte)
    }
  }

  mutating func report(_ problem: SyntaxProblem) {
    if problems.count < Self.problemsMax { problems.append(problem) }
  }

  /// Takes back what was reported behind the first `count`.
  mutating func forgetProblems(since count: Int) { problems.removeSubrange(min(count, problems.count)...) }

  @discardableResult
  mutating func skipBlanks() -> Bool {
    let start = position
    while let byte = peek(), Self.isBlank(byte) { position += 1 }
    return position > start
  }

  mutating func skip(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    position += 1
    return true
  }

  func startsWith(_ word: String) -> Bool {
    var offset = position
    for byte in word.utf8 {
      guard bytes.byte(at: offset) == byte else { return false }
      offset += 1
    }
    return true
  }

  /// Letters, digits and `_`, beginning with a letter; empty if none stands here.
  func word(at start: Int) -> Range<Int> {
    guard let first = bytes.byte(at: start), first.isLetter else { return start..<start }
    var end = start + 1
    while let byte = bytes.byte(at: end), byte.isWord { end += 1 }
    return start..<end
  }

  /// Words joined by dots: a field's name if there is a dot, otherwise an identifier.
  func name() -> Range<Int> {
    var end = word(at: position).upperBound
    while end > position, bytes.byte(at: end) == .dot {
      let next = word(at: end + 1)
      guard !next.isEmpty else { break }
      end = next.upperBound
    }
    return position..<end
  }

  func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  /// A quoted or bare string; nil if neither stands here. A bare one ends where the text is no UTF-8.
  mutating func string() -> ConditionSyntax.Value? {
    if let byte = peek(), byte == .quote || byte == .apostrophe { return quoted() }
    let start = position
    while let byte = peek(), Self.isBare(byte), let length = TextCheck.characterLength(at: position, bytes) {
      position += length
    }
    guard position > start else { return nil }
    return .init(bytes: Array(bytes[start..<position]), isQuoted: false, range: start..<position)
  }

  /// `0x1f`, `-12`, `1.5e+3`; nil if no number stands here.
  mutating func number() -> ConditionSyntax.Value? {
    let start = position
    var end = position
    if bytes.byte(at: end) == UInt8(ascii: "0"), bytes.byte(at: end + 1).map({ $0 | 0x20 }) == UInt8(ascii: "x"),
      bytes.byte(at: end + 2)?.hexValue != nil
    {
      end += 2
      while bytes.byte(at: end)?.hexValue != nil { end += 1 }
    } else {
      if bytes.byte(at: end) == .plus || bytes.byte(at: end) == .dash { end += 1 }
      guard bytes.byte(at: end)?.isDigit == true else { return nil }
      while bytes.byte(at: end)?.isDigit == true { end += 1 }
      if bytes.byte(at: end) == .dot { end += 1 }
      while bytes.byte(at: end)?.isDigit == true { end += 1 }
      end = exponentEnd(from: end)
    }
    position = end
    return .init(bytes: Array(bytes[start..<end]), isQuoted: false, range: start..<end)
  }

  private func exponentEnd(from start: Int) -> Int {
    guard let mark = bytes.byte(at: start), mark | 0x20 == UInt8(ascii: "e"),
      let sign = bytes.byte(at: start + 1), sign == .plus || sign == .dash,
      bytes.byte(at: start + 2)?.isDigit == true
    else { return start }
    var end = start + 2
    while bytes.byte(at: end)?.isDigit == true { end += 1 }
    return end
  }

  /// A string in quotes. It ends at the first quote whose left neighbour is no backslash, so that a string cannot end
  /// in `\\`: that is Falco's rule, and existing conditions are read by it.
  mutating func quoted() -> ConditionSyntax.Value {
    let start = position
    let mark = bytes[start]
    var end = start + 1
    while end < bytes.count, bytes[end] != 0, bytes[end] != mark || bytes[end - 1] == .backslash { end += 1 }
    guard end < bytes.count, bytes[end] != 0 else {
      report(
        SyntaxProblem(
          code: .unclosedQuote, message: "a quoted text is not closed", range: start..<start + 1,
          label: end < bytes.count ? "runs into a zero byte" : "begins here",
          help: bytes.last == mark && bytes.count > start + 1 ? "a text cannot end in a backslash" : nil))
      position = bytes.count
      return .init(bytes: Array(bytes[start + 1..<bytes.count]), isQuoted: true, range: start..<bytes.count)
    }
    position = end + 1
    let decoded = unescape(start + 1..<end, mark: mark)
    return .init(bytes: decoded, isQuoted: true, range: start..<position)
  }

  private mutating func unescape(_ range: Range<Int>, mark: UInt8) -> [UInt8] {
    var decoded: [UInt8] = []
    var offset = range.lowerBound
    while offset < range.upperBound {
      guard bytes[offset] == .backslash else {
        decoded.append(bytes[offset])
        offset += 1
        continue
      }
      let (byte, length) = escape(at: offset, before: range.upperBound, mark: mark)
      if let byte {
        decoded.append(byte)
      } else {
        let end = min(offset + length, range.upperBound)
        report(
          SyntaxProblem(
            code: .invalidEscape, message: "unknown escape '\(text(offset..<end))' in a quoted text",
            range: offset..<end, label: "not an escape", help: "write '\\\\' for a backslash"))
      }
      offset += length
    }
    return decoded
  }

  /// The byte that an escape stands for, nil for an unknown one, and how long it is.
  private func escape(at offset: Int, before end: Int, mark: UInt8) -> (byte: UInt8?, length: Int) {
    guard offset + 1 < end else { return (nil, 1) }
    switch bytes[offset + 1] {
    case UInt8(ascii: "b"): return (.backspace, 2)
    case UInt8(ascii: "f"): return (.formFeed, 2)
    case UInt8(ascii: "n"): return (.newline, 2)
    case UInt8(ascii: "r"): return (.carriageReturn, 2)
    case UInt8(ascii: "t"): return (.tab, 2)
    // Falco drops a blank behind a backslash.
    case .backslash, .space: return (.backslash, 2)
    case .slash: return (.slash, 2)
    case mark: return (mark, 2)
    case UInt8(ascii: "x"):
      guard offset + 3 < end, let high = bytes[offset + 2].hexValue, let low = bytes[offset + 3].hexValue else {
        return (nil, 2)
      }
      return (high << 4 | low, 4)
    case let byte:
      // An unknown escape is shown whole, also where its character has several bytes.
      var length = 2
      while byte >= 0xc0, offset + length < end, bytes[offset + length] & 0xc0 == 0x80 { length += 1 }
      return (nil, length)
    }
  }
}
