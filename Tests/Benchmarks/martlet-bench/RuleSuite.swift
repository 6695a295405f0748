// SPDX-License-Identifier: Apache-2.0

import MartletAgent
import MartletEvents
import MartletRules
import MartletTesting

/// A rule set to measure with.
struct RuleSuite {
  var name: String
  var ruleset: Ruleset

  struct Invalid: Error { var path: String }

  /// Falco's stable rules; all its rules; a thousand, made from these. Without Falco's files the bundled ones, and a
  /// thousand made from them.
  static func all(falcoFolder: String?) throws -> [RuleSuite] {
    guard let folder = falcoFolder else {
      let bundled = try compile(BundledRules.sources, "bundled")
      return [RuleSuite(name: "bundled", ruleset: bundled), made(1000, from: bundled)]
    }
    let stable = try compile(try RuleFiles.read([folder + "/falco_rules.yaml"]), folder)
    let every = try compile(try RuleFiles.read([folder]), folder)
    return [
      RuleSuite(name: "\(stable.rules.count)", ruleset: stable),
      RuleSuite(name: "\(every.rules.count)", ruleset: every),
      made(1000, from: every),
    ]
  }

  static func compile(_ sources: [SourceFile], _ path: String) throws -> Ruleset {
    guard let ruleset = Ruleset.compile(sources, .forMatching).ruleset else { throw Invalid(path: path) }
    return ruleset
  }

  /// The rules, and copies of them in which most texts are changed, until there are `count`.
  static func made(_ count: Int, from ruleset: Ruleset) -> RuleSuite {
    var mutation = Mutation(generator: SeededGenerator(seed: 3))
    let rules = (0..<count).map { index in
      let original = ruleset.rules[index % ruleset.rules.count]
      let isCopy = index >= ruleset.rules.count
      return Rule(
        id: RuleID(rawValue: index), name: isCopy ? "\(original.name) \(index)" : original.name, description: "",
        condition: isCopy ? mutation.changed(original.condition) : original.condition, output: original.output,
        priority: original.priority, tags: original.tags, source: original.source, isEnabled: original.isEnabled,
        eventTypes: original.eventTypes, location: original.location)
    }
    return RuleSuite(name: "\(count)", ruleset: Ruleset(rules: rules))
  }
}

/// Changes four of five texts in a condition, so that copies of a rule ask something else.
private struct Mutation {
  var generator: SeededGenerator

  mutating func changed(_ condition: Condition) -> Condition {
    switch condition {
    case .all(let operands): return .all(changed(operands))
    case .any(let operands): return .any(changed(operands))
    case .not(let operand): return .not(changed(operand))
    case .predicate(let predicate):
      guard predicate.field.map({ $0.field != .eventType }) ?? false else { return condition }
      return .predicate(
        Predicate(
          left: predicate.left, comparison: changed(predicate.comparison), span: predicate.span, text: predicate.text))
    }
  }

  private mutating func changed(_ conditions: [Condition]) -> [Condition] {
    var result: [Condition] = []
    for condition in conditions { result.append(changed(condition)) }
    return result
  }

  private mutating func changed(_ comparison: Comparison) -> Comparison {
    switch comparison {
    case .equal(.text(let text)): .equal(.text(changed(text)))
    case .isIn(let constants):
      .isIn(
        constants.map { constant in
          if case .text(let text) = constant { .text(changed(text)) } else { constant }
        })
    case .startsWith(let text): .startsWith(changed(text))
    case .endsWith(let text): .endsWith(changed(text))
    case .contains(let text): .contains(changed(text))
    case .containsIgnoringCase(let text): .containsIgnoringCase(changed(text))
    default: comparison
    }
  }

  private mutating func changed(_ text: [UInt8]) -> [UInt8] {
    // Short ones are flags and letters, without which a rule would mean nothing.
    guard text.count > 3, Int.random(in: 0..<5, using: &generator) > 0 else { return text }
    var copy = text
    let place = Int.random(in: (text.count / 2)..<text.count, using: &generator)
    copy[place] = UInt8.random(in: UInt8(ascii: "a")...UInt8(ascii: "z"), using: &generator)
    copy.insert(UInt8.random(in: UInt8(ascii: "a")...UInt8(ascii: "z"), using: &generator), at: place)
    return copy
  }
}
