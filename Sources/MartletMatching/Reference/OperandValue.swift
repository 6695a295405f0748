// SPDX-License-Identifier: Apache-2.0

import MartletEvents
public import MartletRules
public import MartletState

/// What an operand comes to on one event.
public enum OperandValue: Equatable {
  case missing
  case pending
  case one(Constant)
  /// Of a list; one of nothing is there all the same.
  case many([Constant])

  init(_ value: FieldValue) {
    self =
      switch value {
      case .missing: .missing
      case .pending: .pending
      case .text(let text): .one(.text(text.array))
      case .signed(let number): .one(.signed(number))
      case .unsigned(let number): .one(.unsigned(number))
      case .boolean(let flag): .one(.boolean(flag))
      case .double(let number): .one(.double(number))
      case .address(let address): .one(.address(address))
      }
  }

  init(_ texts: [[UInt8]]) { self = .many(texts.map { .text($0) }) }

  var constants: [Constant] {
    switch self {
    case .missing, .pending: []
    case .one(let constant): [constant]
    case .many(let constants): constants
    }
  }

  var texts: [[UInt8]] {
    constants.compactMap { if case .text(let bytes) = $0 { bytes } else { nil } }
  }
}

/// Predicates with transformers, or with a field on their right. Both engines evaluate them here; unlike everything else
/// in the matcher this allocates, for the few rules that transform anything.
public enum OperandEvaluator {
  static func holds(_ predicate: Predicate, _ context: inout EventContext) -> Truth {
    let left = value(of: predicate.left, &context)
    guard case .against(let symbol, let operand) = predicate.comparison else {
      return holds(left, predicate.comparison)
    }
    let right = value(of: operand, &context)
    // Whatever is on its way, nothing can be true where the other side is missing.
    if left == .missing || right == .missing { return .isFalse }
    if left == .pending || right == .pending { return .isUnknown }
    return symbol.comparison(with: right.constants).map { holds(left, $0) } ?? .isFalse
  }

  private static func holds(_ value: OperandValue, _ comparison: Comparison) -> Truth {
    switch value {
    case .missing: return .isFalse
    case .pending: return .isUnknown
    case .one(let constant): return Truth(ReferenceComparison.holds(constant, comparison))
    case .many(let constants):
      switch comparison {
      case .exists: return .isTrue
      case .isIn: return Truth(constants.allSatisfy { ReferenceComparison.holds($0, comparison) })
      case .intersects: return Truth(constants.contains { ReferenceComparison.holds($0, comparison) })
      default: return .isFalse
      }
    }
  }

  public static func value(of operand: Operand, _ context: inout EventContext) -> OperandValue {
    switch operand {
    case .field(let reference) where reference.multiplicity == .list:
      let elements = (0..<context.listCount(of: reference.field)).map {
        OperandValue(context.value(of: reference.field, at: .index($0)))
      }
      return Self.absence(elements) ?? (elements.isEmpty ? .missing : .many(elements.flatMap(\.constants)))
    case .field(let reference): return OperandValue(context.value(of: reference.field, reference.argument))
    case .text(let bytes): return .one(.text(bytes))
    case .list(let operands):
      let values = operands.map { value(of: $0, &context) }
      return Self.absence(values) ?? OperandValue(values.flatMap(\.constants).compactMap(\.elementText))
    case .transformed(let transformer, let operands, let selector):
      let values = operands.map { value(of: $0, &context) }
      return Self.absence(values) ?? transformer.result(values, selector: selector)
    }
  }

  /// Missing if any of them is, otherwise pending if any is; nil if all are there.
  private static func absence(_ values: [OperandValue]) -> OperandValue? {
    values.contains(.missing) ? .missing : values.contains(.pending) ? .pending : nil
  }
}

extension Constant {
  /// As it stands among the elements of a list, which are texts: whole numbers become digits.
  fileprivate var elementText: [UInt8]? {
    switch self {
    case .text(let bytes): bytes
    case .signed(let number): Array(String(number).utf8)
    case .unsigned(let number): Array(String(number).utf8)
    case .boolean, .double, .address, .network: nil
    }
  }
}
