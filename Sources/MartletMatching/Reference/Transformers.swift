// SPDX-License-Identifier: Apache-2.0

import MartletRules

/// What each transformer makes of values that are there.
extension Transformer {
  func result(_ values: [OperandValue], selector: [UInt8]?) -> OperandValue {
    guard let first = values.first else { return .missing }
    switch self {
    case .toLower: return first.mapped { $0.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 } }
    case .toUpper: return first.mapped { $0.map { (0x61...0x7a).contains($0) ? $0 & 0xdf : $0 } }
    case .base64: return first.mapped(Base64.decoded)
    case .basename: return first.mapped { Array($0[(($0.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)...]) }
    case .length:
      if case .many(let elements) = first { return .one(.unsigned(UInt64(elements.count))) }
      return .one(.unsigned(UInt64(first.texts.first?.count ?? 0)))
    case .join:
      let separator = first.texts.first ?? []
      return .one(.text(Array(values.dropFirst().flatMap(\.texts).joined(separator: separator))))
    case .concat: return .one(.text(values.flatMap { $0.texts.flatMap { $0 } }))
    case .getopt:
      let options = Getopt.options(in: first.texts, known: values.last?.texts.first ?? [])
      guard let selector else { return OperandValue(options.flatMap(\.words)) }
      return options.last { $0.letter.map { [$0] } == selector }.map { .one(.text($0.word)) } ?? .missing
    }
  }
}

extension OperandValue {
  /// Missing if any of the texts has no image.
  fileprivate func mapped(_ transform: ([UInt8]) -> [UInt8]?) -> OperandValue {
    let images = texts.compactMap(transform)
    guard images.count == texts.count else { return .missing }
    if case .many = self { return OperandValue(images) }
    return images.first.map { .one(.text($0)) } ?? .missing
  }
}

/// Base64 of RFC 4648 as Falco reads it: up to two `=` at the end, which may also be left out. What is left over of the
/// last digit has to be zero.
enum Base64 {
  static func decoded(_ text: [UInt8]) -> [UInt8]? {
    let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
    let digits = text.dropLast(padding)
    guard !digits.isEmpty else { return text.isEmpty ? [] : nil }
    guard digits.count % 4 != 1 else { return nil }
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    for (index, digit) in digits.enumerated() {
      guard let value = value(of: digit) else { return nil }
      bits = bits << 6 | value
      // Of each four digits the first gives no whole byte yet.
      if index % 4 > 0 { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(6 - 2 * (index % 4)))) }
    }
    let leftOver: UInt32 = [0, 0, 0b1111, 0b11][digits.count % 4]
    return bits & leftOver == 0 ? bytes : nil
  }

  private static func value(of digit: UInt8) -> UInt32? {
    switch digit {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}

/// Short options as getopt(3) finds them, without reordering.
enum Getopt {
  struct Option: Equatable {
    /// Nil if the option is not known.
    let letter: UInt8?
    /// Empty where one is required and the arguments end; nil where the option takes none.
    let value: [UInt8]?
    let isCutShort: Bool

    /// What Falco makes of it: a question mark if it is not known, nothing but the empty value if that is cut short.
    var words: [[UInt8]] {
      guard let letter else { return [[UInt8(ascii: "?")]] }
      return isCutShort ? [[]] : [[letter]] + (value.map { [$0] } ?? [])
    }

    /// What it says of itself alone: its value or, as a flag, its letter.
    var word: [UInt8] { value ?? letter.map { [$0] } ?? [] }
  }

  /// Stops at `--`, at the first argument that is no option, and never at a long one.
  static func options(in arguments: [[UInt8]], known: [UInt8]) -> [Option] {
    let dash = UInt8(ascii: "-")
    let colon = UInt8(ascii: ":")
    let letters = Set(known).subtracting([colon])
    let takingValues = Set(zip(known, known.dropFirst()).lazy.filter { $0.1 == colon }.map(\.0))
    var options: [Option] = []
    var rest = arguments[...]
    while let argument = rest.first, argument.count > 1, argument[0] == dash, argument != [dash, dash] {
      rest = rest.dropFirst()
      if argument[1] == dash { continue }
      var cluster = argument.dropFirst()
      while let letter = cluster.popFirst() {
        guard letters.contains(letter) else {
          options.append(Option(letter: nil, value: nil, isCutShort: false))
          continue
        }
        guard takingValues.contains(letter) else {
          options.append(Option(letter: letter, value: nil, isCutShort: false))
          continue
        }
        // What stands right behind the letter is its value, or else the next argument.
        let value = cluster.isEmpty ? rest.popFirst() : Array(cluster)
        options.append(Option(letter: letter, value: value ?? [], isCutShort: value == nil))
        cluster = []
      }
    }
    return options
  }
}
