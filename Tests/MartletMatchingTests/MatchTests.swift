// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletMatching
import MartletRules
import MartletState
import Testing

@Suite("Which rule matches")
struct MatchTests {
  private func isNamed(_ name: String) -> Condition { .test(.processName, .equal(.text(name))) }
  private let isContained = Condition.test(.containerID, .notEqual(.text("host")))

  private func expect(
    _ conditions: [Condition], _ values: [GivenEvent.Key: GivenEvent.Value], _ expected: MatchResult,
    type: EventType = .execve, sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) {
    var engines = Engines(conditions)
    let result = engines.match(GivenEvent(type, values))
    #expect(result.reference == expected, "reference", sourceLocation: sourceLocation)
    #expect(result.matcher == expected, "matcher", sourceLocation: sourceLocation)
  }

  @Test("the first rule that holds wins")
  func first() {
    let name: [GivenEvent.Key: GivenEvent.Value] = [.init(.processName): .text("sh")]
    expect([isNamed("cat"), isNamed("sh"), isNamed("sh")], name, .matched(RuleID(rawValue: 1), .spelled))
    expect([isNamed("cat")], name, .none)
    expect([], name, .none)
  }

  @Test(
    "and, or and not follow Kleene's tables",
    arguments: [Truth.isFalse, .isTrue, .isUnknown], [Truth.isFalse, .isTrue, .isUnknown])
  func kleene(left: Truth, right: Truth) {
    func value(_ truth: Truth) -> GivenEvent.Value {
      switch truth {
      case .isTrue: .text("yes")
      case .isFalse: .text("no")
      case .isUnknown: .pending
      }
    }
    func result(_ truth: Truth) -> MatchResult {
      switch truth {
      case .isTrue: .matched(RuleID(rawValue: 0), .spelled)
      case .isFalse: .none
      case .isUnknown: .undecided(RuleID(rawValue: 0))
      }
    }
    let values: [GivenEvent.Key: GivenEvent.Value] = [
      .init(.processName): value(left), .init(.processExe): value(right),
    ]
    let first = Condition.test(.processName, .equal(.text("yes")))
    let second = Condition.test(.processExe, .equal(.text("yes")))
    let both: Truth =
      left == .isFalse || right == .isFalse ? .isFalse : left == .isTrue && right == .isTrue ? .isTrue : .isUnknown
    let either: Truth =
      left == .isTrue || right == .isTrue ? .isTrue : left == .isFalse && right == .isFalse ? .isFalse : .isUnknown
    expect([.all([first, second])], values, result(both))
    expect([.any([first, second])], values, result(either))
    expect([.not(.all([first, second]))], values, result(!both))
    expect([.not(.any([first, second]))], values, result(!either))
    expect([.any([.all([first, second]), .not(first)])], values, result(or(both, !left)))
  }

  private func or(_ left: Truth, _ right: Truth) -> Truth {
    left == .isTrue || right == .isTrue ? .isTrue : left == .isUnknown || right == .isUnknown ? .isUnknown : .isFalse
  }

  @Test("an unknown rule blocks the ones behind it, and not the ones before it")
  func blocking() {
    let values: [GivenEvent.Key: GivenEvent.Value] = [.init(.processName): .text("sh"), .init(.containerID): .pending]
    expect([isContained, isNamed("sh")], values, .undecided(RuleID(rawValue: 0)))
    expect([isNamed("sh"), isContained], values, .matched(RuleID(rawValue: 0), .spelled))
    expect([.all([isNamed("cat"), isContained]), isNamed("sh")], values, .matched(RuleID(rawValue: 1), .spelled))
  }

  @Test("a rule about a name is tried with the spelled one, then with the resolved one, before the next rule")
  func views() {
    let link: [GivenEvent.Key: GivenEvent.Value] = [
      .init(.fdName): .text("/tmp/link"), .init(.fdRealPath): .text("/etc/shadow"), .init(.processName): .text("cat"),
    ]
    let isShadow = Condition.test(.fdName, .equal(.text("/etc/shadow")))
    let isLink = Condition.test(.fdName, .equal(.text("/tmp/link")))
    expect([isShadow, isNamed("cat")], link, .matched(RuleID(rawValue: 0), .resolved), type: .openat)
    expect([isLink, isShadow], link, .matched(RuleID(rawValue: 0), .spelled), type: .openat)
    // One judgement never mixes the views.
    expect([.all([isShadow, isLink])], link, .none, type: .openat)
    expect([.all([isShadow, .not(isLink)])], link, .matched(RuleID(rawValue: 0), .resolved), type: .openat)
    expect(
      [.all([.test(.fdDirectory, .equal(.text("/etc"))), .test(.fdFilename, .equal(.text("shadow")))])], link,
      .matched(RuleID(rawValue: 0), .resolved), type: .openat)
    expect(
      [.test(.fdRealPath, .equal(.text("/etc/shadow")))], link, .matched(RuleID(rawValue: 0), .spelled), type: .openat)
  }

  @Test("unknown under the spelled name is unknown, as that name comes first; true under it is true")
  func unknownView() {
    let values: [GivenEvent.Key: GivenEvent.Value] = [
      .init(.fdName): .text("/tmp/x"), .init(.fdRealPath): .text("/etc/shadow"), .init(.containerID): .pending,
    ]
    func condition(_ name: String) -> Condition { .any([.test(.fdName, .equal(.text(name))), isContained]) }
    expect([condition("/etc/shadow")], values, .undecided(RuleID(rawValue: 0)), type: .openat)
    expect([condition("/tmp/x")], values, .matched(RuleID(rawValue: 0), .spelled), type: .openat)
  }

  @Test("a rule is tried on its event types only")
  func types() {
    var engines = Engines([.test(.eventType, .exists)], types: EventTypeSet(.connect))
    let open = engines.match(GivenEvent(.openat, [:]))
    let connect = engines.match(GivenEvent(.connect, [:]))
    #expect(open.reference == .none && open.matcher == .none)
    #expect(connect.reference != .none && connect.matcher == connect.reference)
  }

  @Test("a predicate that many rules share is one atom")
  func sharing() {
    let location = SourceLocation(path: "t", line: 1, column: 1, offset: 0)
    let rules = (0..<10).map { index in
      Rule(
        id: RuleID(rawValue: index), name: "r\(index)", description: "",
        condition: .all([isContained, isNamed("n\(index % 2)")]), output: OutputTemplate(pieces: []), priority: .notice,
        tags: [], source: "syscall", isEnabled: index != 9, eventTypes: .all, location: location)
    }
    let plan = MatchPlanner.plan(Ruleset(rules: rules))
    #expect(plan.atomCount == 3 && plan.ruleCount == 9 && plan.branchCount == 18)
  }
}
