// SPDX-License-Identifier: Apache-2.0

public import MartletEvents
public import MartletRules

/// Why a condition came out as it did on one event: the whole tree, each part with its truth.
public struct Explanation: Sendable {
  public indirect enum Part: Sendable {
    case all([Explanation])
    case any([Explanation])
    case not(Explanation)
    case predicate(Predicate, [FieldReading])
  }

  public let part: Part
  public let truth: Truth
  /// Whether the truth of the whole condition rests on this part. Of an `and` that is false that is the first operand
  /// that is false; of one that is true it is all of them; of an `or` the other way round.
  public internal(set) var isDeciding: Bool
}

/// What a field had on the event.
public struct FieldReading: Hashable, Sendable {
  public let reference: FieldReference
  public let content: Content

  public enum Content: Hashable, Sendable {
    case missing
    case pending
    /// One value or, of a list or of ancestors, several.
    case values([Constant])
  }
}

extension Explanation {
  /// The deciding predicates, from left to right.
  public var decisions: [(predicate: Predicate, readings: [FieldReading], truth: Truth)] {
    guard isDeciding else { return [] }
    switch part {
    case .all(let parts), .any(let parts): return parts.flatMap(\.decisions)
    case .not(let part): return part.decisions
    case .predicate(let predicate, let readings): return [(predicate, readings, truth)]
    }
  }

  /// Predicates under the deciding parts, and all of them: how near a condition that is false came to being true.
  public var distance: Int {
    switch part {
    case .all(let parts): parts.reduce(0) { $0 + ($1.truth == .isTrue ? 0 : $1.distance) }
    case .any(let parts): truth == .isTrue ? 0 : parts.map(\.distance).min() ?? 1
    case .not(let part): truth == .isTrue ? 0 : max(1, part.holdingCount)
    case .predicate: truth == .isTrue ? 0 : 1
    }
  }

  /// How many predicates would have to change for this part, which holds, not to.
  private var holdingCount: Int {
    switch part {
    case .all(let parts): parts.map(\.holdingCount).min() ?? 0
    case .any(let parts): parts.reduce(0) { $0 + ($1.truth == .isTrue ? $1.holdingCount : 0) }
    case .not, .predicate: 1
    }
  }

  /// The same, with the parts marked on which its truth rests.
  func deciding() -> Explanation {
    var result = self
    result.isDeciding = true
    switch part {
    case .not(let inner): return Explanation(part: .not(inner.deciding()), truth: truth, isDeciding: true)
    case .predicate: return result
    case .all(let parts):
      return Explanation(part: .all(marked(parts, restOnOne: .isFalse)), truth: truth, isDeciding: true)
    case .any(let parts):
      return Explanation(part: .any(marked(parts, restOnOne: .isTrue)), truth: truth, isDeciding: true)
    }
  }

  /// The first part that settles it alone, or else all that are as the whole is.
  private func marked(_ parts: [Explanation], restOnOne settling: Truth) -> [Explanation] {
    let settlingIndex = truth == settling ? parts.firstIndex { $0.truth == settling } : nil
    return parts.indices.map { index in
      let decides = settlingIndex.map { $0 == index } ?? (parts[index].truth == truth)
      return decides ? parts[index].deciding() : parts[index]
    }
  }
}
