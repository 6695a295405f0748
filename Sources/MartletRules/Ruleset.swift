// SPDX-License-Identifier: Apache-2.0

public import MartletEvents

/// Rules that passed every check, ready to be planned into a matcher.
public struct Ruleset: Sendable {
  /// In load order, disabled ones included: the order in which they are tried. `rules[id.rawValue].id == id`.
  public let rules: [Rule]
  public let matching: RuleMatching

  public init(rules: [Rule], matching: RuleMatching = .first) {
    self.rules = rules
    self.matching = matching
  }

  public subscript(id: RuleID) -> Rule { rules[id.rawValue] }
}

extension Ruleset {
  /// The event types that some enabled rule can hold on.
  public var eventTypes: EventTypeSet {
    rules.filter(\.isEnabled).reduce([]) { $0.union($1.eventTypes) }
  }

  /// Whether an enabled rule asks for such a field, in its condition or for its output.
  public func names(_ isMeant: (Field) -> Bool) -> Bool {
    rules.contains { $0.isEnabled && $0.names(isMeant) }
  }
}

extension Rule {
  /// Whether it asks for such a field: in its condition, its output, or what configuration adds to that.
  public func names(_ isMeant: (Field) -> Bool) -> Bool {
    condition.names(isMeant) || (output.fields + extraFields.flatMap(\.template.fields)).contains { isMeant($0.field) }
  }
}

extension Condition {
  fileprivate func names(_ isMeant: (Field) -> Bool) -> Bool {
    switch self {
    case .all(let operands), .any(let operands): operands.contains { $0.names(isMeant) }
    case .not(let operand): operand.names(isMeant)
    case .predicate(let predicate): predicate.fields.contains { isMeant($0.field) }
    }
  }
}

/// Which of the rules that hold for an event fire.
public enum RuleMatching: String, CaseIterable, Sendable {
  /// The first in load order.
  case first
  /// Every one.
  case all
}

/// A rule's place in load order. A redefinition keeps the place of what it replaces.
public struct RuleID: Hashable, Comparable, Sendable {
  public let rawValue: Int

  public init(rawValue: Int) { self.rawValue = rawValue }

  public static func < (left: RuleID, right: RuleID) -> Bool { left.rawValue < right.rawValue }
}

/// One rule.
public struct Rule: Sendable {
  public let id: RuleID
  public let name: String
  public let description: String
  /// Macros and lists expanded, exceptions at the end: `… and not (first) and not (second)`.
  public let condition: Condition
  /// Those that have values, as they were named.
  public let exceptions: [RuleException]
  public let output: OutputTemplate
  /// What alerts have among their fields beside those of the output; sorted by key, each once.
  public let extraFields: [ExtraOutputField]
  public let priority: Priority
  /// Sorted, each once.
  public let tags: [String]
  /// Where its events come from: `syscall`.
  public let source: String
  public internal(set) var isEnabled: Bool
  /// The captured event types on which the condition can hold. Evaluation has to agree: on other types it is false.
  public let eventTypes: EventTypeSet
  /// Where its definition begins.
  public let location: SourceLocation

  public init(
    id: RuleID, name: String, description: String, condition: Condition,
    exceptions: [RuleException] = [], output: OutputTemplate, extraFields: [ExtraOutputField] = [], priority: Priority,
    tags: [String], source: String, isEnabled: Bool, eventTypes: EventTypeSet, location: SourceLocation
  ) {
    self.id = id
    self.name = name
    self.description = description
    self.condition = condition
    self.exceptions = exceptions
    self.output = output
    self.extraFields = extraFields
    self.priority = priority
    self.tags = tags
    self.source = source
    self.isEnabled = isEnabled
    self.eventTypes = eventTypes
    self.location = location
  }
}

/// A value that configuration adds to a rule's alerts.
public struct ExtraOutputField: Hashable, Sendable {
  public let key: String
  public let template: OutputTemplate
  /// The value is the text that the template gives; otherwise that of its one field, typed.
  public let isText: Bool
}

/// What a rule does not fire for. The rule's condition has its opposite among its operands; it is kept by name so that an
/// alert can say which exceptions did not apply, and whether that is because a field was missing.
public struct RuleException: Hashable, Sendable {
  public let name: String
  /// Holds where the rule is not to fire.
  public let condition: Condition
  /// Where its definition begins.
  public let location: SourceLocation

  public init(name: String, condition: Condition, location: SourceLocation) {
    self.name = name
    self.condition = condition
    self.location = location
  }
}

/// How urgent an alert is; syslog's scale, the most urgent first.
public enum Priority: Int, CaseIterable, Comparable, Sendable {
  case emergency, alert, critical, error, warning, notice, informational, debug

  /// As alerts spell it.
  public var name: String {
    switch self {
    case .emergency: "Emergency"
    case .alert: "Alert"
    case .critical: "Critical"
    case .error: "Error"
    case .warning: "Warning"
    case .notice: "Notice"
    case .informational: "Informational"
    case .debug: "Debug"
    }
  }

  /// As rules spell it: any case, and `info` for short.
  public init?(name: String) {
    let lowered = name.lowercased()
    let wanted = lowered == "info" ? "informational" : lowered
    guard let found = Priority.allCases.first(where: { $0.name.lowercased() == wanted }) else { return nil }
    self = found
  }

  /// Less is more urgent.
  public static func < (left: Priority, right: Priority) -> Bool { left.rawValue < right.rawValue }
}
