// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// How many kinds of event a rule is tried on: Falco warns where they are more than a hundred, or none.
extension EventTypeAnalysis {
  private static let nameCountMax = 100

  static func isCostly(_ condition: Condition) -> Bool {
    switch names(of: condition, isNegated: false) {
    case .only(let names): names.isEmpty || names.count > nameCountMax
    // There are some four hundred: whoever leaves so many out has written a list of three hundred.
    case .allBut(let names): EventTypeNames.all.count - names.count > nameCountMax
    }
  }

  /// Names of events.
  private enum Names {
    case only(Set<String>)
    case allBut(Set<String>)

    var complement: Names {
      switch self {
      case .only(let names): .allBut(names)
      case .allBut(let names): .only(names)
      }
    }

    func union(_ other: Names) -> Names {
      switch (self, other) {
      case (.only(let left), .only(let right)): .only(left.union(right))
      case (.only(let some), .allBut(let rest)), (.allBut(let rest), .only(let some)): .allBut(rest.subtracting(some))
      case (.allBut(let left), .allBut(let right)): .allBut(left.intersection(right))
      }
    }

    func intersection(_ other: Names) -> Names { complement.union(other.complement).complement }
  }

  private static func names(of condition: Condition, isNegated: Bool) -> Names {
    switch condition {
    case .not(let operand): return names(of: operand, isNegated: !isNegated)
    case .all(let operands):
      let sets = operands.map { names(of: $0, isNegated: isNegated) }
      return isNegated
        ? sets.reduce(.only([])) { $0.union($1) } : sets.reduce(.allBut([])) { $0.intersection($1) }
    case .any(let operands):
      let sets = operands.map { names(of: $0, isNegated: isNegated) }
      return isNegated
        ? sets.reduce(.allBut([])) { $0.intersection($1) } : sets.reduce(.only([])) { $0.union($1) }
    case .predicate(let predicate):
      if isNever(predicate) { return isNegated ? .allBut([]) : .only([]) }
      guard predicate.field?.field == .eventType, let names = names(of: predicate.comparison) else {
        return .allBut([])
      }
      return isNegated ? names.complement : names
    }
  }

  private static func names(of comparison: Comparison) -> Names? {
    switch comparison {
    case .equal(let constant): .only(texts([constant]))
    case .notEqual(let constant): .allBut(texts([constant]))
    case .isIn(let constants): .only(texts(constants))
    default: nil
    }
  }

  private static func texts(_ constants: [Constant]) -> Set<String> {
    Set(constants.compactMap { if case .text(let bytes) = $0 { bytes.string } else { nil } })
  }
}
