// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletRules

/// The values that a field may have on an event of some class. It is there, but for `missing`.
enum PossibleValues {
  /// It never has one: no comparison holds.
  case missing
  case texts([[UInt8]])
  case anyText(but: [UInt8])
  case signed(ClosedRange<Int64>)
  case booleans([Bool])

  /// Whether a comparison may come out true or, with `isNegated`, false.
  func canCome(_ comparison: Comparison, isNegated: Bool) -> Bool {
    switch self {
    case .missing: return isNegated
    case .texts(let texts):
      return texts.contains { ReferenceComparison.holds(.text($0), comparison) != isNegated }
    case .booleans(let flags):
      return flags.contains { ReferenceComparison.holds(.boolean($0), comparison) != isNegated }
    case .anyText(let excluded):
      switch comparison {
      case .equal(.text(let text)) where text == excluded: return isNegated
      case .notEqual(.text(let text)) where text == excluded: return !isNegated
      case .isIn(let constants) where constants.allSatisfy({ $0 == .text(excluded) }),
        .intersects(let constants) where constants.allSatisfy({ $0 == .text(excluded) }):
        return isNegated
      case .exists: return !isNegated
      default: return true
      }
    case .signed(let range): return Self.canCome(comparison, in: range, isNegated: isNegated)
    }
  }

  /// A comparison with a constant changes its answer at the constant only: its neighbours and the ends tell all.
  private static func canCome(_ comparison: Comparison, in range: ClosedRange<Int64>, isNegated: Bool) -> Bool {
    var samples = [range.lowerBound, range.upperBound]
    for case .signed(let number) in comparison.constants {
      for near in [number &- 1, number, number &+ 1] where range.contains(near) { samples.append(near) }
    }
    return samples.contains { ReferenceComparison.holds(.signed($0), comparison) != isNegated }
  }
}

extension Comparison {
  /// The constants of a comparison of numbers or addresses.
  var constants: [Constant] {
    switch self {
    case .equal(let constant), .notEqual(let constant), .less(let constant), .lessOrEqual(let constant),
      .greater(let constant), .greaterOrEqual(let constant):
      [constant]
    case .isIn(let constants), .intersects(let constants): constants
    case .quantified(_, let comparisons): comparisons.flatMap(\.constants)
    default: []
    }
  }
}
