// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// On which events a condition can hold. Only comparisons of `evt.type` with constants restrict; every other one may
/// hold on any event, and so may its negation.
enum EventTypeAnalysis {
  static func types(of condition: Condition) -> EventTypeSet { types(of: condition, isNegated: false) }

  /// Negation is pushed down to the comparisons, so that `not (a and b)` is `not a or not b`.
  private static func types(of condition: Condition, isNegated: Bool) -> EventTypeSet {
    switch condition {
    case .not(let operand): return types(of: operand, isNegated: !isNegated)
    case .all(let operands):
      let sets = operands.map { types(of: $0, isNegated: isNegated) }
      return isNegated ? sets.reduce([]) { $0.union($1) } : sets.reduce(.all) { $0.intersection($1) }
    case .any(let operands):
      let sets = operands.map { types(of: $0, isNegated: isNegated) }
      return isNegated ? sets.reduce(.all) { $0.intersection($1) } : sets.reduce([]) { $0.union($1) }
    case .predicate(let predicate):
      if isNever(predicate) { return isNegated ? .all : [] }
      guard predicate.field?.field == .eventType, let set = types(of: predicate.comparison) else { return .all }
      return isNegated ? set.complement : set
    }
  }

  /// The types that a comparison of `evt.type` holds for; nil if it does not restrict.
  private static func types(of comparison: Comparison) -> EventTypeSet? {
    switch comparison {
    case .equal(let constant): types(of: [constant])
    case .notEqual(let constant): types(of: [constant]).complement
    case .isIn(let constants): types(of: constants)
    default: nil
    }
  }

  private static func types(of constants: [Constant]) -> EventTypeSet {
    constants.reduce(into: EventTypeSet([])) { set, constant in
      guard case .text(let bytes) = constant, let type = EventTypeNames.captured(bytes.string) else { return }
      set.insert(EventTypeSet(type))
    }
  }

  /// `evt.num = 0`: events count from 1, so this is how rule files spell "never".
  static func isNever(_ predicate: Predicate) -> Bool {
    predicate.field?.field == .eventNumber && predicate.comparison == .equal(.unsigned(0))
  }
}
