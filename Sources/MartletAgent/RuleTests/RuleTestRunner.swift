// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import MartletAlerts
import MartletEvents
import MartletMatching
public import MartletRules
import MartletState

/// Runs rule tests: gives the events of a test to both engines and compares the alerts with what the test expects.
///
/// Needs neither root nor a kernel. Tests know nothing of each other.
public struct RuleTestRunner: ~Copyable {
  private let ruleset: Ruleset
  private let reference: ReferenceEvaluator
  private var pipeline: Pipeline

  public init(_ ruleset: Ruleset) {
    self.ruleset = ruleset
    reference = ReferenceEvaluator(ruleset)
    pipeline = Pipeline(ruleset)
  }

  /// Never throws: what cannot be run has failed.
  public mutating func run(_ test: RuleTest) -> RuleTestResult {
    var events: [GivenEvent] = []
    var alerts: [RaisedAlert] = []
    for (index, line) in test.given.enumerated() {
      do {
        let event = try EventLines.event(from: line.json, number: UInt64(index + 1))
        events.append(event)
        alerts += try raised(by: event)
      } catch {
        return RuleTestResult(test, [.init("event \(index + 1): \(error)", at: line.span)])
      }
    }
    return RuleTestResult(test, unmet(test, alerts, events) + forbidden(test, alerts, events))
  }

  private mutating func raised(by event: GivenEvent) throws -> [RaisedAlert] {
    var buffer = AlertBuffer()
    try pipeline.process(event, into: &buffer)
    let decoder = JSONDecoder()
    return try buffer.bytes.split(separator: UInt8(ascii: "\n")).map {
      try decoder.decode(RaisedAlert.self, from: Data($0))
    }
  }

  // MARK: Expectations

  private func unmet(_ test: RuleTest, _ alerts: [RaisedAlert], _ events: [GivenEvent]) -> [RuleTestResult.Failure] {
    var failures: [RuleTestResult.Failure] = []
    var rest = alerts[...]
    for expected in test.expected {
      guard let place = rest.firstIndex(where: { $0.rule == expected.rule }) else {
        failures.append(noAlert(of: expected, after: alerts, events, in: test))
        continue
      }
      failures += differences(rest[place], expected)
      rest = rest[(place + 1)...]
    }
    return failures
  }

  private func differences(
    _ alert: RaisedAlert, _ expected: RuleTest.ExpectedAlert
  ) -> [RuleTestResult.Failure] {
    var failures: [RuleTestResult.Failure] = []
    if let priority = expected.priority, priority.name != alert.priority {
      failures.append(
        .init("alert '\(expected.rule)' has priority \(alert.priority), not \(priority.name)", at: expected.span))
    }
    for field in expected.outputFields {
      guard let found = alert.outputFields[field.name] else {
        failures.append(.init("alert '\(expected.rule)' shows no field '\(field.name)'", at: field.span))
        continue
      }
      let wanted = try? JSONDecoder().decode(EventLineValue.self, from: Data(field.json))
      guard found != wanted else { continue }
      failures.append(
        .init("'\(field.name)' is \(found), not \(wanted?.description ?? field.json.text)", at: field.span))
    }
    return failures
  }

  /// Why an alert was not raised: what is nearest to raising it.
  private func noAlert(
    of expected: RuleTest.ExpectedAlert, after alerts: [RaisedAlert], _ events: [GivenEvent], in test: RuleTest
  ) -> RuleTestResult.Failure {
    let raised = alerts.isEmpty ? "no alert" : "only " + alerts.map { "'\($0.rule)'" }.joined(separator: ", ")
    let message = "expected '\(expected.rule)', got \(raised)"
    guard let rule = ruleset.rules.first(where: { $0.name == expected.rule }) else {
      return .init(message, at: expected.span)
    }
    guard rule.isEnabled else {
      return .init(message + ": the rule is disabled", at: expected.span)
    }
    let explanations = events.map { event in
      withExtendedLifetime(event) {
        var context = EventContext(event)
        return reference.explain(rule.condition, &context)
      }
    }
    let distances = explanations.map(\.distance)
    guard let least = distances.min(), let nearest = distances.firstIndex(of: least) else {
      return .init(message, at: expected.span)
    }
    let explanation = explanations[nearest]
    let place = "event \(nearest + 1) (line \(test.given[nearest].span.line))"
    let heading =
      explanation.truth == .isTrue
      ? "the condition holds on \(place), but another rule came first, or the alert is out of order"
      : "nearest is \(place)"
    return .init(message, at: expected.span, note: heading, explanation: explanation.text)
  }

  private func forbidden(
    _ test: RuleTest, _ alerts: [RaisedAlert], _ events: [GivenEvent]
  ) -> [RuleTestResult.Failure] {
    let expected = Set(test.expected.map(\.rule))
    let unwanted = alerts.filter { alert in
      !expected.contains(alert.rule) && test.forbidden.contains { $0.matches(alert.rule) }
    }
    return unwanted.map { alert in
      let failure = RuleTestResult.Failure("'\(alert.rule)' must not raise an alert here", at: nil)
      guard let rule = ruleset.rules.first(where: { $0.name == alert.rule }) else { return failure }
      for (index, event) in events.enumerated() {
        let explanation = withExtendedLifetime(event) {
          var context = EventContext(event)
          return reference.explain(rule.condition, &context)
        }
        guard explanation.truth == .isTrue else { continue }
        return .init(
          failure.message, at: nil, note: "it holds on event \(index + 1) (line \(test.given[index].span.line))",
          explanation: explanation.text)
      }
      return failure
    }
  }
}

/// What became of a rule test.
public struct RuleTestResult: Sendable {
  public let test: RuleTest
  /// Empty for a test that passed.
  public let failures: [Failure]

  public struct Failure: Sendable {
    public let message: String
    /// Nil where it is about the test as a whole.
    public let span: SourceSpan?
    /// Introduces the explanation.
    public let note: String?
    /// The tree of the rule's condition with the values of the nearest event.
    public let explanation: String?

    init(_ message: String, at span: SourceSpan?, note: String? = nil, explanation: String? = nil) {
      self.message = message
      self.span = span
      self.note = note
      self.explanation = explanation
    }
  }

  init(_ test: RuleTest, _ failures: [Failure]) {
    self.test = test
    self.failures = failures
  }
}

/// What a test looks at in an alert.
private struct RaisedAlert: Decodable {
  var rule: String
  var priority: String
  var outputFields: [String: EventLineValue]

  private enum CodingKeys: String, CodingKey {
    case rule, priority
    case outputFields = "output_fields"
  }
}

extension [UInt8] {
  fileprivate var text: String { String(decoding: self, as: UTF8.self) }
}
