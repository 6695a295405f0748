// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletRules

extension AtomTest {
  /// Whether the value passes. Missing values never do; pending ones leave it open.
  func holds(_ value: FieldValue) -> Truth {
    switch value {
    case .missing: .isFalse
    case .pending: .isUnknown
    case .text(let text): Truth(holds(text: text))
    default: Truth(holds(scalar: value))
    }
  }

  private func holds(text: ByteView) -> Bool {
    switch self {
    case .exists: return true
    case .equal(let constant): return constant.isText(text)
    case .notEqual(let constant): return !constant.isText(text)
    case .ordered(.text(let other), let order): return order.accepts(text.compare(other))
    case .ordered: return false
    case .isAny(let constants):
      for constant in constants where constant.isText(text) { return true }
      return false
    case .isInTexts(let set): return set.contains(text)
    case .isInScalars: return false
    case .contains(let part): return text.contains(part)
    case .containsIgnoringCase(let part): return ASCII.contains(text, lowercasedNeedle: part)
    case .startsWith(let prefix): return text.hasPrefix(prefix)
    case .endsWith(let suffix): return text.hasSuffix(suffix)
    case .glob(let pattern, let ignoresCase): return Glob.matches(pattern, text, ignoresCase: ignoresCase)
    case .isPathBelow(let prefixes):
      for case .text(let prefix) in prefixes where PathPrefix.matches(prefix, text) { return true }
      return false
    case .regex(let expression): return expression?._withUnsafeGuaranteedRef { $0.matches(text) } ?? false
    case .quantified(let quantifier, let tests): return Self.holds(quantifier, tests) { $0.holds(text: text) }
    }
  }

  @inline(__always)
  private static func holds(
    _ quantifier: Quantifier, _ tests: UnsafeBufferPointer<AtomTest>, _ passes: (AtomTest) -> Bool
  ) -> Bool {
    var count = 0
    for test in tests {
      let holds = passes(test)
      if holds { count += 1 }
      // As soon as the rest cannot change the answer.
      switch quantifier {
      case .anyOf where count > 0: return true
      case .oneOf where count > 1: return false
      case .allOf where !holds: return false
      default: continue
      }
    }
    return count > 0
  }

  private func holds(scalar value: FieldValue) -> Bool {
    switch self {
    case .exists: return true
    case .equal(let constant): return constant.isScalar(value)
    case .notEqual(let constant): return !constant.isScalar(value)
    case .ordered(let constant, let order): return constant.order(of: value).map { order.accepts($0) } ?? false
    case .isAny(let constants):
      for constant in constants where constant.isScalar(value) { return true }
      return false
    case .isInScalars(let set): return set[0].contains(value)
    case .quantified(let quantifier, let tests): return Self.holds(quantifier, tests) { $0.holds(scalar: value) }
    case .isInTexts, .contains, .containsIgnoringCase, .startsWith, .endsWith, .glob, .isPathBelow, .regex:
      return false
    }
  }
}

extension PlannedConstant {
  @inline(__always)
  fileprivate func isText(_ text: ByteView) -> Bool {
    if case .text(let other) = self { text == other } else { false }
  }

  func isScalar(_ value: FieldValue) -> Bool {
    switch (self, value) {
    case (.signed(let left), .signed(let right)): left == right
    case (.unsigned(let left), .unsigned(let right)): left == right
    case (.boolean(let left), .boolean(let right)): left == right
    case (.double(let left), .double(let right)): left == right
    case (.address(let left), .address(let right)): left == right
    case (.network(let network), .address(let address)): network.contains(address)
    default: false
    }
  }

  /// Of the value against the constant; nil where the two have no order.
  fileprivate func order(of value: FieldValue) -> Int? {
    switch (self, value) {
    case (.signed(let constant), .signed(let number)): number < constant ? -1 : number == constant ? 0 : 1
    case (.unsigned(let constant), .unsigned(let number)): number < constant ? -1 : number == constant ? 0 : 1
    case (.double(let constant), .double(let number)): number < constant ? -1 : number == constant ? 0 : 1
    default: nil
    }
  }
}

/// `pmatch`: the path is the prefix or lies below it, component by component; a component may be a glob.
enum PathPrefix {
  static func matches(_ prefix: ByteView, _ path: ByteView) -> Bool {
    var prefixPosition = 0
    var pathPosition = 0
    while let pattern = nextComponent(prefix, &prefixPosition) {
      guard let component = nextComponent(path, &pathPosition),
        Glob.matches(pattern, component, ignoresCase: false)
      else { return false }
    }
    return true
  }

  /// The component at or behind `position`, which moves to its end; slashes before it count for nothing.
  static func nextComponent(_ path: ByteView, _ position: inout Int) -> ByteView? {
    while position < path.count, path[position] == UInt8(ascii: "/") { position += 1 }
    guard position < path.count else { return nil }
    let rest = path.slice(from: position, to: path.count)
    let component = rest.slice(from: 0, to: rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.count)
    position += component.count
    return component
  }
}
