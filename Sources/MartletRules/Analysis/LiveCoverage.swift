// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// What a rule gets of what it asks for, on events that come from the kernel.
public struct LiveCoverage: Hashable, Sendable {
  public enum Extent: String, Sendable {
    /// All that its condition asks for.
    case full
    /// It can hold, but its condition names fields that are missing: it holds more often or less often than it says.
    case partial
    /// It never holds.
    case none
  }

  public let extent: Extent
  /// Fields that its condition names and that are missing on every event; sorted, each once.
  public let missingInCondition: [String]
  /// The same for its output, where they are null.
  public let missingInOutput: [String]
}

extension Ruleset {
  /// Enabled rules that no event of a live node satisfies.
  public var neverFiring: [Rule] { rules.filter { $0.isEnabled && $0.liveCoverage.extent == .none } }
}

extension Rule {
  public var liveCoverage: LiveCoverage {
    let missing = Self.missing(among: condition.fields)
    let extent: LiveCoverage.Extent =
      eventTypes.isEmpty || !condition.live.canHold ? .none : missing.isEmpty ? .full : .partial
    return LiveCoverage(
      extent: extent, missingInCondition: missing, missingInOutput: Self.missing(among: output.fields))
  }

  private static func missing(among fields: [FieldReference]) -> [String] {
    Set(fields.map(\.field.description).filter { !$0.isCaptured }.map { "\($0.name)" }).sorted()
  }
}

/// What can come of a condition on live events.
private struct Outcomes {
  var canHold: Bool
  var canFail: Bool
}

extension Condition {
  fileprivate var fields: [FieldReference] {
    switch self {
    case .all(let operands), .any(let operands): operands.flatMap(\.fields)
    case .not(let operand): operand.fields
    case .predicate(let predicate): predicate.fields
    }
  }

  /// A predicate on a field that is missing fails; any other may hold or not.
  fileprivate var live: Outcomes {
    switch self {
    case .all(let operands):
      let each = operands.map(\.live)
      return Outcomes(canHold: each.allSatisfy(\.canHold), canFail: each.contains(where: \.canFail))
    case .any(let operands):
      let each = operands.map(\.live)
      return Outcomes(canHold: each.contains(where: \.canHold), canFail: each.allSatisfy(\.canFail))
    case .not(let operand):
      let inner = operand.live
      return Outcomes(canHold: inner.canFail, canFail: inner.canHold)
    case .predicate(let predicate):
      return Outcomes(canHold: predicate.fields.allSatisfy(\.field.description.isCaptured), canFail: true)
    }
  }
}
