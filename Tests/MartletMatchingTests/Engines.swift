// SPDX-License-Identifier: Apache-2.0

import Glibc
import MartletEvents
import MartletMatching
import MartletRules
import MartletState

/// How many times as much as usual the random tests try: `MARTLET_SOAK` in the environment. Conditions times events are
/// about 200,000 without.
enum Soak {
  static let factor = getenv("MARTLET_SOAK").flatMap { Int(String(cString: $0)) } ?? 1
}

/// Both engines over one rule set: every test asks both.
struct Engines: ~Copyable {
  private let reference: ReferenceEvaluator
  private var matcher: Matcher

  init(_ conditions: [Condition], types: EventTypeSet = .all) {
    let location = SourceLocation(path: "test.yaml", line: 1, column: 1, offset: 0)
    let rules = conditions.enumerated().map { index, condition in
      Rule(
        id: RuleID(rawValue: index), name: "rule \(index)", description: "", condition: condition,
        output: OutputTemplate(pieces: []), priority: .notice, tags: [], source: "syscall", isEnabled: true,
        eventTypes: types, location: location)
    }
    let ruleset = Ruleset(rules: rules)
    reference = ReferenceEvaluator(ruleset)
    // A clock that stands still.
    matcher = Matcher(MatchPlanner.plan(ruleset)) { 1 }
  }

  var ruleStatistics: [RuleStatistics] { matcher.ruleStatistics }

  /// Whatever the matcher reports of all rules.
  mutating func matchAll(_ event: GivenEvent) -> [MatchResult] {
    withExtendedLifetime(event) {
      var context = EventContext(event)
      var results: [MatchResult] = []
      matcher.matchAll(&context) { result, _ in results.append(result) }
      return results
    }
  }

  /// What both say.
  mutating func match(_ event: GivenEvent) -> (reference: MatchResult, matcher: MatchResult) {
    withExtendedLifetime(event) {
      var first = EventContext(event)
      var second = EventContext(event)
      return (reference.match(&first), matcher.match(&second))
    }
  }
}

extension Condition {
  static func test(_ field: Field, at argument: FieldArgument = .none, _ comparison: Comparison) -> Condition {
    test(.field(FieldReference(field, argument)), comparison)
  }

  static func test(_ left: Operand, _ comparison: Comparison) -> Condition {
    let location = SourceLocation(path: "test.yaml", line: 1, column: 1, offset: 0)
    return .predicate(
      Predicate(
        left: left, comparison: comparison,
        span: SourceSpan(start: location, end: location), text: "\(left) …"))
  }
}

extension Comparison {
  static func list(_ quantifier: Quantifier, _ symbol: TextOperator, _ texts: [String]) -> Comparison {
    .quantified(quantifier, texts.map { symbol.comparison(with: Array($0.utf8)) })
  }
}

extension Constant {
  static func text(_ text: String) -> Constant { .text(Array(text.utf8)) }

  static func network(_ text: String) -> Constant {
    guard let network = IPNetwork(text: text) else { preconditionFailure("not a network: \(text)") }
    return .network(network)
  }
}

extension GivenEvent.Value {
  static func text(_ text: String) -> GivenEvent.Value { .text(Array(text.utf8)) }
}
