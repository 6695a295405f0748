// SPDX-License-Identifier: Apache-2.0

/// Reads the JSON of an event line: one object. Of a key that stands twice the last counts, which decoders do not
/// promise.
///
/// Texts are the bytes that stand in the line, escapes replaced; the line has been found to be UTF-8. Time and memory are
/// linear in the line.
struct EventLineReader {
  /// Why a line is no event: nothing that could be said of it would help more than the line itself.
  struct NotAnEvent: Error {}

  private let bytes: [UInt8]
  private var position = 0

  /// Values nest no deeper than a list of special values.
  private static let depthMax = 4

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  static func members(of line: [UInt8]) throws(NotAnEvent) -> [String: EventLineValue] {
    guard String(validating: line, as: UTF8.self) != nil else { throw NotAnEvent() }
    var reader = EventLineReader(line)
    var members: [String: EventLineValue] = [:]
    try reader.object { reader, name throws(NotAnEvent) in members[name] = try reader.value(depth: 1) }
    reader.skipBlanks()
    guard reader.position == line.count else { throw NotAnEvent() }
    return members
  }

  // MARK: - Values

  private mutating func value(depth: Int) throws(NotAnEvent) -> EventLineValue {
    guard depth <= Self.depthMax else { throw NotAnEvent() }
    skipBlanks()
    switch peek {
    case UInt8(ascii: "\""): return .text(try text())
    case UInt8(ascii: "["): return .list(try list(depth: depth))
    case UInt8(ascii: "{"): return try special(depth: depth)
    case UInt8(ascii: "t"): return try word("true", .boolean(true))
    case UInt8(ascii: "f"): return try word("false", .boolean(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func object(
    _ member: (inout EventLineReader, String) throws(NotAnEvent) -> Void
  ) throws(NotAnEvent) {
    skipBlanks()
    guard skip(UInt8(ascii: "{")) else { throw NotAnEvent() }
    skipBlanks()
    if skip(UInt8(ascii: "}")) { return }
    repeat {
      skipBlanks()
      let name = String(decoding: try text(), as: UTF8.self)
      skipBlanks()
      guard skip(UInt8(ascii: ":")) else { throw NotAnEvent() }
      try member(&self, name)
      skipBlanks()
    } while skip(UInt8(ascii: ","))
    guard skip(UInt8(ascii: "}")) else { throw NotAnEvent() }
  }

  private mutating func list(depth: Int) throws(NotAnEvent) -> [EventLineValue] {
    position += 1
    var elements: [EventLineValue] = []
    skipBlanks()
    if skip(UInt8(ascii: "]")) { return elements }
    repeat {
      elements.append(try value(depth: depth + 1))
      skipBlanks()
    } while skip(UInt8(ascii: ","))
    guard skip(UInt8(ascii: "]")) else { throw NotAnEvent() }
    return elements
  }

  /// `{"$hex": "2f"}` or `{"$pending": true}`.
  private mutating func special(depth: Int) throws(NotAnEvent) -> EventLineValue {
    var found: [(name: String, value: EventLineValue)] = []
    try object { reader, name throws(NotAnEvent) in
      guard found.isEmpty else { throw NotAnEvent() }
      found.append((name, try reader.value(depth: depth + 1)))
    }
    switch found.first {
    case ("$pending", .boolean(let isPending))?: return isPending ? .pending : .null
    case ("$hex", .text(let digits))?:
      guard let bytes = Self.bytes(digits) else { throw NotAnEvent() }
      return .text(bytes)
    default: throw NotAnEvent()
    }
  }

  /// Nil for what is no even number of hexadecimal digits.
  private static func bytes(_ digits: [UInt8]) -> [UInt8]? {
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    for place in stride(from: 0, to: digits.count, by: 2) {
      guard let high = hexadecimal(digits[place]), let low = hexadecimal(digits[place + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  private static func hexadecimal(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  private mutating func word(_ word: StaticString, _ value: EventLineValue) throws(NotAnEvent) -> EventLineValue {
    let end = position + word.utf8CodeUnitCount
    guard end <= bytes.count, bytes[position..<end].elementsEqual(word.description.utf8) else { throw NotAnEvent() }
    position = end
    return value
  }

  private mutating func number() throws(NotAnEvent) -> EventLineValue {
    let start = position
    while let byte = peek, "+-.0123456789eE".utf8.contains(byte) { position += 1 }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard let first = text.utf8.first, first != UInt8(ascii: "+"), first != UInt8(ascii: ".") else {
      throw NotAnEvent()
    }
    if let number = Int64(text) { return .signed(number) }
    if let number = UInt64(text) { return .unsigned(number) }
    guard let number = Double(text), number.isFinite else { throw NotAnEvent() }
    return .double(number)
  }

  // MARK: - Texts

  private mutating func text() throws(NotAnEvent) -> [UInt8] {
    guard skip(UInt8(ascii: "\"")) else { throw NotAnEvent() }
    var text: [UInt8] = []
    while let byte = peek, byte != UInt8(ascii: "\"") {
      position += 1
      // Control characters have to be escaped.
      guard byte >= 0x20 else { throw NotAnEvent() }
      if byte == UInt8(ascii: "\\") { try appendEscaped(to: &text) } else { text.append(byte) }
    }
    guard skip(UInt8(ascii: "\"")) else { throw NotAnEvent() }
    return text
  }

  private mutating func appendEscaped(to text: inout [UInt8]) throws(NotAnEvent) {
    guard let byte = peek else { throw NotAnEvent() }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "n"): text.append(0x0a)
    case UInt8(ascii: "r"): text.append(0x0d)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"): text += try unicode().utf8
    default: throw NotAnEvent()
    }
  }

  /// What stands behind `\u`: four digits, or a pair of surrogates.
  private mutating func unicode() throws(NotAnEvent) -> String {
    let first = try unit()
    guard UTF16.isLeadSurrogate(first) else {
      guard let scalar = Unicode.Scalar(first) else { throw NotAnEvent() }
      return String(Character(scalar))
    }
    guard skip(UInt8(ascii: "\\")), skip(UInt8(ascii: "u")) else { throw NotAnEvent() }
    let second = try unit()
    guard UTF16.isTrailSurrogate(second) else { throw NotAnEvent() }
    return String(decoding: [first, second], as: UTF16.self)
  }

  private mutating func unit() throws(NotAnEvent) -> UInt16 {
    guard position + 4 <= bytes.count, let pair = Self.bytes(Array(bytes[position..<position + 4])) else {
      throw NotAnEvent()
    }
    position += 4
    return UInt16(pair[0]) << 8 | UInt16(pair[1])
  }

  // MARK: - Bytes

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skip(_ byte: UInt8) -> Bool {
    guard peek == byte else { return false }
    position += 1
    return true
  }

  private mutating func skipBlanks() {
    while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { position += 1 }
  }
}
