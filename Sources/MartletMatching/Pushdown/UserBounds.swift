// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletRules

/// Where comparisons tell one user id from another.
struct UserBounds {
  /// From 0 to the highest id, without gaps: of the ids in one range, each comparison says the same.
  let ranges: [ClosedRange<UInt32>]

  /// Nil where there are too many.
  init?(_ comparisons: [Comparison]) {
    var starts: Set<UInt32> = [0]
    for comparison in comparisons {
      for case .unsigned(let number) in comparison.constants {
        // A comparison with a constant changes its answer at the constant only.
        starts.formUnion([number, number &+ 1].compactMap { UInt32(exactly: $0) })
      }
    }
    guard starts.count <= KernelFilter.userRangesMax else { return nil }
    let ordered = starts.sorted()
    ranges = zip(ordered, ordered.dropFirst().map { $0 - 1 } + [.max]).map { $0...$1 }
  }
}

extension Condition {
  /// The comparisons of the acting user's id with constants.
  var userComparisons: [Comparison] {
    var comparisons: [Comparison] = []
    forEachPredicate { predicate in
      if predicate.field?.field == .userID { comparisons.append(predicate.comparison) }
    }
    return comparisons
  }
}
