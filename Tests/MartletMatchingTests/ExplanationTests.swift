// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletMatching
import MartletRules
import MartletState
import MartletTesting
import Testing

@Suite("Explanations")
struct ExplanationTests {
  private static let event: [GivenEvent.Key: GivenEvent.Value] = [
    .init(.processName): .text("cat"), .init(.fdName): .text("/etc/hosts"), .init(.processID): .signed(7),
    .init(.containerID): .pending,
  ]

  private func explain(_ condition: String) throws -> Explanation {
    let text = """
      - macro: cats
        condition: proc.name in (cat, tac)
      - rule: R
        desc: D
        condition: >
          \(condition)
        output: x
        priority: NOTICE
      """
    let result = Ruleset.compile([SourceFile(path: "a.yaml", text: text)])
    let ruleset = try #require(result.ruleset, "\(result.diagnostics.map(\.message))")
    let event = GivenEvent(.openat, Self.event)
    return withExtendedLifetime(event) {
      var context = EventContext(event)
      return ReferenceEvaluator(ruleset).explain(ruleset.rules[0].condition, &context)
    }
  }

  @Test(
    "what decides",
    arguments: [
      ("evt.type = openat and proc.name = cat", "evt.type = openat, proc.name = cat"),
      ("evt.type = openat and proc.name = dog and proc.pid = 8", "proc.name = dog"),
      ("proc.name = dog or proc.pid = 7 or evt.type = openat", "proc.pid = 7"),
      ("proc.name = dog or proc.pid = 8", "proc.name = dog, proc.pid = 8"),
      ("evt.type = openat and not cats", "proc.name in (cat, tac)"),
      (
        "evt.type = openat and not (proc.name = dog or proc.pid = 8)",
        "evt.type = openat, proc.name = dog, proc.pid = 8"
      ),
      ("proc.pname exists", "proc.pname exists"),
      ("evt.type = openat and container.id = host", "container.id = host"),
    ])
  func deciding(condition: String, expected: String) throws {
    let found = try explain(condition).decisions.map { "\($0.predicate)" }.joined(separator: ", ")
    #expect(found == expected)
  }

  @Test("the tree shows every part, its truth, and what fields had")
  func tree() throws {
    let text = try explain(
      "evt.type = openat and not cats and (fd.name = /x or proc.pname = sh) and container.id = host"
    ).text
    #expect(
      text == """
        * false    and
            true     evt.type = openat           evt.type is openat
          * false    not
            * true     proc.name in (cat, tac)   proc.name is cat, in macro 'cats'
            false    or
              false    fd.name = /x              fd.name is /etc/hosts
              false    proc.pname = sh           proc.pname is missing
            unknown  container.id = host         container.id is pending

        """)
  }

  @Test(
    "how near a condition came to holding",
    arguments: [
      ("evt.type = openat", 0), ("proc.name = dog", 1), ("proc.name = dog and proc.pid = 8", 2),
      ("proc.name = dog or (proc.pid = 8 and fd.name = x)", 1), ("not (proc.name = cat or proc.pid = 7)", 2),
      ("not (proc.name = cat and proc.pid = 7)", 1), ("proc.name = dog and not proc.pid = 7", 2),
    ])
  func distance(condition: String, expected: Int) throws {
    #expect(try explain(condition).distance == expected)
  }

  @Test("it says what the evaluator says", arguments: 0..<200)
  func agreement(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let condition = Self.condition(depth: 4, &generator)
    let event = GivenEvent(.openat, Self.event)
    withExtendedLifetime(event) {
      let evaluator = ReferenceEvaluator(Ruleset(rules: []))
      var first = EventContext(event)
      var second = EventContext(event)
      let explanation = evaluator.explain(condition, &first)
      #expect(explanation.truth == evaluator.evaluate(condition, &second))
      #expect(!explanation.decisions.isEmpty)
      if explanation.truth == .isTrue { #expect(explanation.distance == 0) } else { #expect(explanation.distance > 0) }
    }
  }

  private static func condition(depth: Int, _ generator: inout SeededGenerator) -> Condition {
    switch depth == 0 ? 3 : Int.random(in: 0..<4, using: &generator) {
    case 0: .all((0..<3).map { _ in condition(depth: depth - 1, &generator) })
    case 1: .any((0..<3).map { _ in condition(depth: depth - 1, &generator) })
    case 2: .not(condition(depth: depth - 1, &generator))
    default:
      [
        .test(.processName, .equal(.text("cat"))), .test(.processName, .equal(.text("dog"))),
        .test(.containerID, .equal(.text("host"))), .test(.processParentName, .exists),
      ].randomElement(using: &generator) ?? .test(.processName, .exists)
    }
  }
}
