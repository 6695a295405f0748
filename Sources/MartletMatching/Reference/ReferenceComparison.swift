// SPDX-License-Identifier: Apache-2.0

import Glibc
import MartletEvents
import MartletRules

/// What each comparison means for a value that is there.
enum ReferenceComparison {
  /// Texts.
  static func holds(_ text: [UInt8], _ comparison: Comparison) -> Bool {
    switch comparison {
    case .exists: true
    case .equal(let constant): constant == .text(text)
    case .notEqual(let constant): constant != .text(text)
    case .less(let constant): order(text, constant).map { $0 < 0 } ?? false
    case .lessOrEqual(let constant): order(text, constant).map { $0 <= 0 } ?? false
    case .greater(let constant): order(text, constant).map { $0 > 0 } ?? false
    case .greaterOrEqual(let constant): order(text, constant).map { $0 >= 0 } ?? false
    case .isIn(let constants), .intersects(let constants): constants.contains(.text(text))
    case .contains(let part): contains(text, part)
    case .containsIgnoringCase(let part): contains(lowercased(text), lowercased(part))
    case .startsWith(let prefix): text.starts(with: prefix)
    case .endsWith(let suffix): text.reversed().starts(with: suffix.reversed())
    case .glob(let pattern): fnmatch(pattern, text, flags: 0)
    case .globIgnoringCase(let pattern): fnmatch(pattern, text, flags: ignoringCase)
    case .regex(let pattern): matches(pattern, text)
    case .pathMatch(let prefixes): prefixes.contains { isPath(text, atOrBelow: $0) }
    case .quantified(let quantifier, let comparisons): holds(quantifier, comparisons.map { holds(text, $0) })
    // Both sides have to be known: see `OperandEvaluator`.
    case .against: false
    }
  }

  /// By the same engine as the matcher's: its meaning is the language's.
  private static func matches(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
    guard let expression = RegularExpression(pattern) else { return false }
    return text.withUnsafeBufferPointer { bytes in
      bytes.baseAddress.map { expression.matches(ByteView(start: $0, count: bytes.count)) }
        ?? expression.matches(.empty)
    }
  }

  private static func holds(_ quantifier: Quantifier, _ results: [Bool]) -> Bool {
    switch quantifier {
    case .oneOf: results.filter { $0 }.count == 1
    case .anyOf: results.contains(true)
    case .allOf: !results.isEmpty && results.allSatisfy { $0 }
    }
  }

  /// Any value.
  static func holds(_ value: Constant, _ comparison: Comparison) -> Bool {
    if case .text(let text) = value { return holds(text, comparison) }
    return switch comparison {
    case .exists: true
    case .equal(let constant): equals(value, constant)
    case .notEqual(let constant): !equals(value, constant)
    case .less(let constant): order(value, constant).map { $0 < 0 } ?? false
    case .lessOrEqual(let constant): order(value, constant).map { $0 <= 0 } ?? false
    case .greater(let constant): order(value, constant).map { $0 > 0 } ?? false
    case .greaterOrEqual(let constant): order(value, constant).map { $0 >= 0 } ?? false
    case .isIn(let constants), .intersects(let constants): constants.contains { equals(value, $0) }
    case .quantified(let quantifier, let comparisons): holds(quantifier, comparisons.map { holds(value, $0) })
    case .contains, .containsIgnoringCase, .startsWith, .endsWith, .glob, .globIgnoringCase, .regex, .pathMatch,
      .against:
      false
    }
  }

  private static func equals(_ value: Constant, _ constant: Constant) -> Bool {
    if case .address(let address) = value, case .network(let network) = constant { return network.contains(address) }
    return value == constant
  }

  private static func order(_ value: Constant, _ constant: Constant) -> Int? {
    switch (value, constant) {
    case (.signed(let left), .signed(let right)): left < right ? -1 : left == right ? 0 : 1
    case (.unsigned(let left), .unsigned(let right)): left < right ? -1 : left == right ? 0 : 1
    case (.double(let left), .double(let right)): left < right ? -1 : left == right ? 0 : 1
    default: nil
    }
  }

  private static func order(_ text: [UInt8], _ constant: Constant) -> Int? {
    guard case .text(let other) = constant else { return nil }
    return text == other ? 0 : text.lexicographicallyPrecedes(other) ? -1 : 1
  }

  private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
    guard part.count <= text.count else { return false }
    return (0...(text.count - part.count)).contains { text[$0...].starts(with: part) }
  }

  private static func lowercased(_ text: [UInt8]) -> [UInt8] {
    text.map { (0x41...0x5a).contains($0) ? $0 + 0x20 : $0 }
  }

  private static func isPath(_ path: [UInt8], atOrBelow prefix: [UInt8]) -> Bool {
    let slash = UInt8(ascii: "/")
    let components = path.split(separator: slash)
    let patterns = prefix.split(separator: slash)
    guard patterns.count <= components.count else { return false }
    return zip(patterns, components).allSatisfy { fnmatch(Array($0), Array($1), flags: 0) }
  }

  /// FNM_CASEFOLD, which the C library declares for GNU programs only.
  private static let ignoringCase: Int32 = 1 << 4

  private static func fnmatch(_ pattern: [UInt8], _ text: [UInt8], flags: Int32) -> Bool {
    // C strings end at NUL; so does a text from the kernel, which cannot hold one.
    let pattern = pattern.map { CChar(bitPattern: $0) } + [0]
    let text = text.map { CChar(bitPattern: $0) } + [0]
    return Glibc.fnmatch(pattern, text, flags) == 0
  }
}
