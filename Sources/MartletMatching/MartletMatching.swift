// SPDX-License-Identifier: Apache-2.0

public import MartletEvents
public import MartletRules

/// MartletMatching decides which rule an event breaks.
///
/// - In: a `Ruleset`, once, and an `EventContext` per event.
/// - Out: a `MatchResult`. Two engines give it: `ReferenceEvaluator` walks the conditions as they are written and
///   defines what they mean; `Matcher` runs a `MatchPlan` and must agree with it on every event.
/// - The way: rules → `MatchPlanner` (predicates that occur twice become one, conditions become branches) →
///   `MatchPlan` (immutable tables) → `Matcher` (what is remembered during one event).
/// - What it refuses to know: rule files, alerts, time. It allocates nothing while it matches, but for predicates with
///   transformers or a field on the right.
///
/// Rules are tried in load order and the first that holds ends the event, unless the rule set asks for all. A rule that speaks of a file's name is
/// tried with the spelled name, then with the resolved one. A rule that is unknown, because a value is still on its
/// way, blocks those behind it: which one is first cannot be said yet.
public enum MatchResult: Equatable, Sendable {
  case none
  case matched(RuleID, PathView)
  /// This rule would be next to decide, but a value that it needs is pending.
  case undecided(RuleID)
}

extension Condition {
  /// Whether it asks for a field that differs between the two names of a file.
  var isPathViewDependent: Bool {
    switch self {
    case .all(let operands), .any(let operands): operands.contains { $0.isPathViewDependent }
    case .not(let operand): operand.isPathViewDependent
    case .predicate(let predicate): predicate.isPathViewDependent
    }
  }
}

extension Predicate {
  var isPathViewDependent: Bool { fields.contains { $0.field.isPathViewDependent } }
}

extension Field {
  /// These three switch together; `fd.nameraw` and `fd.realpath` never do.
  var isPathViewDependent: Bool {
    switch self {
    case .fdName, .fdDirectory, .fdFilename: true
    default: false
    }
  }
}
