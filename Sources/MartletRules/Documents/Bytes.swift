// SPDX-License-Identifier: Apache-2.0

/// The bytes that rule files give a meaning to, by name.
extension UInt8 {
  static let backspace: UInt8 = 0x08
  static let tab: UInt8 = 0x09
  static let newline: UInt8 = 0x0a
  static let formFeed: UInt8 = 0x0c
  static let carriageReturn: UInt8 = 0x0d
  static let space: UInt8 = 0x20
  static let bang = UInt8(ascii: "!")
  static let quote = UInt8(ascii: "\"")
  static let hash = UInt8(ascii: "#")
  static let percent = UInt8(ascii: "%")
  static let ampersand = UInt8(ascii: "&")
  static let apostrophe = UInt8(ascii: "'")
  static let openParenthesis = UInt8(ascii: "(")
  static let closeParenthesis = UInt8(ascii: ")")
  static let star = UInt8(ascii: "*")
  static let plus = UInt8(ascii: "+")
  static let comma = UInt8(ascii: ",")
  static let dash = UInt8(ascii: "-")
  static let dot = UInt8(ascii: ".")
  static let slash = UInt8(ascii: "/")
  static let colon = UInt8(ascii: ":")
  static let equals = UInt8(ascii: "=")
  static let greater = UInt8(ascii: ">")
  static let question = UInt8(ascii: "?")
  static let openBracket = UInt8(ascii: "[")
  static let backslash = UInt8(ascii: "\\")
  static let closeBracket = UInt8(ascii: "]")
  static let underscore = UInt8(ascii: "_")
  static let openBrace = UInt8(ascii: "{")
  static let pipe = UInt8(ascii: "|")
  static let closeBrace = UInt8(ascii: "}")

  var isDigit: Bool { self >= 0x30 && self <= 0x39 }
  var isLetter: Bool { (self | 0x20) >= 0x61 && (self | 0x20) <= 0x7a }
  /// What goes on in a name: letters, digits and `_`.
  var isWord: Bool { isLetter || isDigit || self == .underscore }
  var isLineBreak: Bool { self == .newline || self == .carriageReturn }

  var hexValue: UInt8? {
    switch self {
    case 0x30...0x39: self - 0x30
    case 0x41...0x46: self - 0x41 + 10
    case 0x61...0x66: self - 0x61 + 10
    default: nil
    }
  }
}

extension [UInt8] {
  func byte(at index: Int) -> UInt8? { index >= 0 && index < count ? self[index] : nil }

  /// Where `part`, which is not empty, first stands. The standard library's search takes ten times as long.
  func place(of part: [UInt8], from start: Int = 0) -> Range<Int>? {
    guard let first = part.first, count - start >= part.count else { return nil }
    for index in start...(count - part.count) where self[index] == first {
      if self[index..<(index + part.count)].elementsEqual(part) { return index..<(index + part.count) }
    }
    return nil
  }
}

extension Collection<UInt8> {
  /// A copy, invalid UTF-8 repaired.
  var string: String { String(decoding: self, as: UTF8.self) }
}
