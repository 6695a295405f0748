// SPDX-License-Identifier: Apache-2.0

/// Reads JSON of strangers. Foundation's reader takes the last of two equal keys and has no bounds that we choose; what a
/// signature covers must read the same for everyone.
struct JSONReader {
  static let depthMax = 32
  /// Values of all kinds: 100,000 resources are 700,000.
  static let valueCountMax = 1_000_000
  /// Characters of one number.
  static let numberCountMax = 32

  private let bytes: [UInt8]
  private var index = 0
  private var valueCount = 0

  /// The value that `bytes` are, whole.
  static func read(_ bytes: [UInt8]) throws(Refusal) -> JSONValue {
    var reader = JSONReader(bytes: bytes)
    let value = try reader.value(depth: 0)
    reader.skipSpace()
    guard reader.index == bytes.count else { throw reader.malformed("something follows its end") }
    return value
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private func malformed(_ what: String) -> Refusal { Refusal(.jsonMalformed, "at byte \(index): \(what)") }

  private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    index += 1
    return true
  }

  private mutating func value(depth: Int) throws(Refusal) -> JSONValue {
    guard depth < Self.depthMax else { throw Refusal(.jsonTooDeep) }
    valueCount += 1
    guard valueCount <= Self.valueCountMax else { throw Refusal(.jsonTooManyValues) }
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .boolean(true))
    case UInt8(ascii: "f"): return try literal("false", .boolean(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    case let byte? where byte == UInt8(ascii: "-") || isDigit(byte): return .number(try number())
    default: throw malformed("no value")
    }
  }

  private mutating func object(depth: Int) throws(Refusal) -> JSONValue {
    index += 1
    var members: [ExactText: JSONValue] = [:]
    skipSpace()
    if take(UInt8(ascii: "}")) { return .object(members) }
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw malformed("no key") }
      let key = try string()
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw malformed("no colon after a key") }
      let value = try value(depth: depth + 1)
      guard members.updateValue(value, forKey: key) == nil else {
        throw Refusal(.jsonDuplicateKey, "'\(key)'")
      }
      skipSpace()
      if take(UInt8(ascii: "}")) { return .object(members) }
      guard take(UInt8(ascii: ",")) else { throw malformed("no comma or end in an object") }
    }
  }

  private mutating func array(depth: Int) throws(Refusal) -> JSONValue {
    index += 1
    var elements: [JSONValue] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return .array(elements) }
    while true {
      elements.append(try value(depth: depth + 1))
      skipSpace()
      if take(UInt8(ascii: "]")) { return .array(elements) }
      guard take(UInt8(ascii: ",")) else { throw malformed("no comma or end in an array") }
    }
  }

  private mutating func literal(_ word: StaticString, _ value: JSONValue) throws(Refusal) -> JSONValue {
    let expected = ExactText(stringLiteral: word).bytes
    guard bytes[index...].starts(with: expected) else { throw malformed("no value") }
    index += expected.count
    return value
  }

  private mutating func number() throws(Refusal) -> ExactText {
    let start = index
    _ = take(UInt8(ascii: "-"))
    guard let first = next, isDigit(first) else { throw malformed("a number without digits") }
    skipDigits()
    if first == UInt8(ascii: "0"), bytes[start..<index].count(where: isDigit) > 1 {
      throw malformed("a number with a zero in front")
    }
    if take(UInt8(ascii: ".")) {
      guard let digit = next, isDigit(digit) else { throw malformed("a number that ends in a point") }
      skipDigits()
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      guard let digit = next, isDigit(digit) else { throw malformed("a number that ends in an exponent") }
      skipDigits()
    }
    guard index - start <= Self.numberCountMax else { throw malformed("a long number") }
    return ExactText(bytes[start..<index])
  }

  private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  private mutating func skipDigits() {
    while let byte = next, isDigit(byte) { index += 1 }
  }

  private mutating func string() throws(Refusal) -> ExactText {
    index += 1
    let start = index
    // Most strings hold no escape and are one slice.
    while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { index += 1 }
    var text = bytes[start..<index]
    while !take(UInt8(ascii: "\"")) {
      guard let byte = next, byte >= 0x20 else { throw malformed("a string without end") }
      index += 1
      if byte == UInt8(ascii: "\\") { text.append(contentsOf: try escape()) } else { text.append(byte) }
    }
    guard String(validating: text, as: UTF8.self) != nil else { throw malformed("text that is not UTF-8") }
    return ExactText(text)
  }

  private mutating func escape() throws(Refusal) -> [UInt8] {
    guard let byte = next else { throw malformed("a string without end") }
    index += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"):
      var units = [try unit()]
      if UTF16.isLeadSurrogate(units[0]), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
        units.append(try unit())
      }
      guard let text = String(validating: units, as: UTF16.self) else { throw malformed("half a character") }
      return Array(text.utf8)
    default: throw malformed("an unknown escape")
    }
  }

  private mutating func unit() throws(Refusal) -> UInt16 {
    var value: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Hexadecimal.value(byte) else { throw malformed("an escape without digits") }
      value = value << 4 | UInt16(digit)
      index += 1
    }
    return value
  }
}
