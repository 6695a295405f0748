// SPDX-License-Identifier: Apache-2.0

public import MartletEvents
public import MartletRules

/// Derives from a rule set what the probe need not send.
///
/// Each rule's condition becomes what it takes, as far as the kernel can tell: an over-approximation, in which
/// whatever is not understood takes nothing. The filter is the union over all enabled rules.
public enum KernelFilterPlanner {
  /// More tests than these make the filter slower than sending: the classes concerned pass.
  static let nameTestCountMax = 1024

  public static func plan(_ ruleset: Ruleset) -> KernelFilter {
    let enabled = ruleset.rules.filter(\.isEnabled)
    var actors: [EventType: KernelFilter.Actors] = [:]
    for type in EventType.allCases {
      let wanted = enabled.filter { $0.eventTypes.contains(type) }.map { Self.actors(in: $0.condition) }
      let union = wanted.reduce(KernelFilter.Actors()) { $0.union($1) }
      if !union.isEmpty { actors[type] = union }
    }
    let opens = enabled.map(openRequirement).reduce(OpenRequirement.impossible) { $0.or($1) }
    return KernelFilter(actors: actors, opens: OpenFilter(opens))
  }

  /// What a rule takes of opens.
  static func openRequirement(_ rule: Rule) -> OpenRequirement {
    let hasOpens = EventType.allCases.contains { $0.kind == .open && rule.eventTypes.contains($0) }
    return hasOpens ? OpenRequirement(rule.condition) : .impossible
  }

  /// Where a process has to run for a condition to hold, or with `isNegated` its opposite.
  static func actors(in condition: Condition, isNegated: Bool = false) -> KernelFilter.Actors {
    switch condition {
    case .not(let operand): return actors(in: operand, isNegated: !isNegated)
    case .all(let operands) where !isNegated, .any(let operands) where isNegated:
      return operands.reduce(KernelFilter.Actors.all) { $0.intersection(actors(in: $1, isNegated: isNegated)) }
    case .all(let operands), .any(let operands):
      return operands.reduce(KernelFilter.Actors()) { $0.union(actors(in: $1, isNegated: isNegated)) }
    case .predicate(let predicate):
      guard let field = predicate.field, field.field == .containerID, case .classes(let values) = OpenFact(field) else {
        return .all
      }
      var result: KernelFilter.Actors = []
      for kind in OpenClass.allCases where values(kind).canCome(predicate.comparison, isNegated: isNegated) {
        result.insert(kind.isContainer ? .containers : .host)
      }
      return result
    }
  }
}

extension OpenFilter {
  init(_ requirement: OpenRequirement) {
    var verdicts: [Verdict] = []
    var names: [NameTest: UInt32] = [:]
    for kind in OpenClass.allCases {
      switch requirement[kind] {
      case .impossible: verdicts.append(.drop)
      case .nothing: verdicts.append(.pass)
      case .anyOf(let tests) where tests.count > KernelFilterPlanner.nameTestCountMax: verdicts.append(.pass)
      case .anyOf(let tests):
        verdicts.append(.testNames)
        for test in tests { names[test, default: 0] |= 1 << UInt32(kind.rawValue) }
      }
    }
    self.init(verdicts: verdicts, names: names)
  }
}
