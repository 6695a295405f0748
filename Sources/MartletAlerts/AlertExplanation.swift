// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletMatching
import MartletRules
import MartletState

/// Why a rule held: what an alert carries where explanations were asked for.
///
/// `predicates`: those on which it rests, each with its place in the rule files, the macros through which the rule
/// came to it (outermost first) and what its fields had. `exceptions`: those that might have kept the rule silent, had
/// the named fields not been missing.
struct AlertExplanation {
  private let evaluator = ReferenceEvaluator(Ruleset(rules: []))

  /// More are not listed; `truncated` says so.
  static let predicateCountMax = 100
  /// Of the text of one predicate: lists of names can be pages long.
  private static let predicateCharacterCountMax = 300

  /// Appends the object. The context's view is the one under which the rule held.
  func write(_ rule: Rule, _ context: inout EventContext, _ json: inout JSONWriter) {
    let decisions = evaluator.explain(rule.condition, &context).decisions
    json.beginObject()
    json.array("exceptions") { json in
      for exception in rule.exceptions {
        let missing = missingFields(of: exception, &context)
        guard !missing.isEmpty else { continue }
        json.beginObject()
        json.member("missing", missing)
        json.member("name", exception.name)
        json.endObject()
      }
    }
    json.array("predicates") { json in
      for decision in decisions.prefix(Self.predicateCountMax) {
        write(decision.predicate, decision.readings, holds: decision.truth == .isTrue, &json)
      }
    }
    if decisions.count > Self.predicateCountMax {
      json.member("truncated", true)
    }
    json.endObject()
  }

  private func missingFields(of exception: RuleException, _ context: inout EventContext) -> [String] {
    let readings = evaluator.explain(exception.condition, &context).decisions.flatMap(\.readings)
    let absent = readings.filter { $0.content == .missing || $0.content == .pending }
    return Set(absent.map(\.reference.text)).sorted()
  }

  private func write(
    _ predicate: Predicate, _ readings: [FieldReading], holds: Bool, _ json: inout JSONWriter
  ) {
    json.beginObject()
    json.member("column", Int64(predicate.span.column))
    json.key("condition")
    let text = "\(predicate)"
    json.value(
      text.count > Self.predicateCharacterCountMax ? text.prefix(Self.predicateCharacterCountMax) + "…" : text)
    json.member("file", predicate.span.path)
    json.member("holds", holds)
    json.member("line", Int64(predicate.span.line))
    json.array("macros") { json in
      for macro in predicate.macros { json.value(macro.name) }
    }
    json.object("values") { json in
      for reading in readings.sorted(by: { $0.reference.text < $1.reference.text }) {
        json.key(Array(reading.reference.text.utf8))
        write(reading.content, &json)
      }
    }
    json.endObject()
  }

  private func write(_ content: FieldReading.Content, _ json: inout JSONWriter) {
    guard case .values(let values) = content else { return json.null() }
    guard values.count != 1 else { return AlertComposer.write(values[0], &json) }
    json.beginArray()
    for value in values { AlertComposer.write(value, &json) }
    json.endArray()
  }
}
