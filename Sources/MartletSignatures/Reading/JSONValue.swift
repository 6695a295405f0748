// SPDX-License-Identifier: Apache-2.0

/// A JSON text that was read strictly: no key twice, no unpaired surrogate, nothing after the end.
enum JSONValue: Sendable {
  case object([ExactText: JSONValue])
  case array([JSONValue])
  case string(ExactText)
  /// As it is spelled; see ``integer``.
  case number(ExactText)
  case boolean(Bool)
  case null
}

/// Typed looks into a value. Absent and `null` are the same, as in the JSON form of protocol buffers.
extension JSONValue {
  subscript(_ key: ExactText) -> JSONValue? {
    guard case .object(let members) = self, let value = members[key] else { return nil }
    if case .null = value { return nil }
    return value
  }

  var text: ExactText? {
    guard case .string(let text) = self else { return nil }
    return text
  }

  var elements: [JSONValue]? {
    guard case .array(let elements) = self else { return nil }
    return elements
  }

  var boolean: Bool? {
    guard case .boolean(let value) = self else { return nil }
    return value
  }

  var isObject: Bool {
    guard case .object = self else { return false }
    return true
  }

  /// A whole number that is not negative: a number, or a string of digits as protocol buffers write 64 bits. `10000.0`
  /// is whole too: that is how model-signing writes the size of shards.
  var integer: Int64? {
    switch self {
    case .string(let text): return Decimal.integer(text.bytes[...])
    case .number(let text):
      var digits = text.bytes[...]
      if let point = digits.firstIndex(of: UInt8(ascii: ".")) {
        guard digits[(point + 1)...].allSatisfy({ $0 == UInt8(ascii: "0") }) else { return nil }
        digits = digits[..<point]
      }
      return Decimal.integer(digits)
    default: return nil
    }
  }
}

/// Decimal numbers as signed texts spell them.
enum Decimal {
  /// 1 to 18 digits without a sign, and no zero in front of others.
  static func integer(_ digits: ArraySlice<UInt8>) -> Int64? {
    guard (1...18).contains(digits.count), digits.count == 1 || digits.first != UInt8(ascii: "0") else { return nil }
    var value: Int64 = 0
    for digit in digits {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
      value = value * 10 + Int64(digit - UInt8(ascii: "0"))
    }
    return value
  }
}
