// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletRules
import MartletState
import MartletTesting
import Testing

@testable import MartletMatching

/// What the matcher keeps from one event to the next must never show: on any stream of records it says what the
/// reference says, who remembers nothing.
@Suite("What the matcher remembers never shows")
struct CandidateSearchTests {
  @Test("on streams in which processes come, go and change", arguments: 1...12 as ClosedRange<UInt64>)
  func streams(seed: UInt64) throws {
    var stream = RandomStream(seed: seed)
    let tally = try stream.run(eventCount: 1500 * Soak.factor, limits: CandidateSearch.Limits())
    #expect(tally.disagreements == [])
    #expect(tally.matched > 50 && tally.notMatched > 50)
  }

  @Test("nor when it forgets everything again and again", arguments: 20...23 as ClosedRange<UInt64>)
  func forgetting(seed: UInt64) throws {
    var stream = RandomStream(seed: seed)
    let tally = try stream.run(eventCount: 1500, limits: CandidateSearch.Limits(entryCountMax: 400))
    #expect(tally.disagreements == [])
    #expect(tally.forgottenCount > 3)
  }

  @Test("an event like an earlier one makes no new state")
  func settled() throws {
    var matcher = Matcher(
      MatchPlanner.plan(try RandomStream.ruleset(["evt.type = openat and fd.name startswith /etc"])))
    var state = SystemState()
    let shell = TestProcess(7, "/bin/sh")
    let records = [Event.open("/etc/passwd", by: shell), Event.open("/usr/lib/libc.so", by: shell)]
    var counts: [Int] = []
    for _ in 0..<3 {
      for made in records {
        withExtendedLifetime(made) {
          guard let record = made.record, var context = state.apply(record) else { return }
          _ = matcher.match(&context)
        }
      }
      counts.append(matcher.search.stateCount)
    }
    #expect(counts[0] > 1 && Set(counts).count == 1)
  }
}

/// A stream of records at random, few enough kinds of everything that all of it meets.
private struct RandomStream {
  struct Tally {
    var disagreements: [String] = []
    var matched = 0
    var notMatched = 0
    var forgottenCount: UInt32 = 0
  }

  private var generator: SeededGenerator
  private var living: [TestProcess] = []
  private var nextID: UInt32 = 100

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  private static let programs = ["/bin/sh", "/usr/sbin/nginx", "/usr/bin/java", "/opt/a", "/bin/cat", "./run"]
  private static let names = ["sh", "nginx", "java", "a", "cat", "worker"]
  private static let paths = [
    "/etc/shadow", "/etc/passwd", "/etc/../etc/shadow", "/root/.ssh/id_rsa", "/usr/lib/a.so", "shadow", "/tmp/x", "/",
  ]

  static func ruleset(_ conditions: [String]) throws -> Ruleset {
    let rules = try conditions.enumerated().map { index, text in
      let check = ConditionCheck(Array(text.utf8), regexProblem: RegularExpression.problem)
      let location = SourceLocation(path: "test.yaml", line: 1, column: 1, offset: 0)
      return Rule(
        id: RuleID(rawValue: index), name: "rule \(index)", description: "", condition: try #require(check.condition),
        output: OutputTemplate(pieces: []), priority: .notice, tags: [], source: "syscall", isEnabled: true,
        eventTypes: .all, location: location)
    }
    return Ruleset(rules: rules)
  }

  mutating func run(eventCount: Int, limits: CandidateSearch.Limits) throws -> Tally {
    let ruleset = try Self.ruleset((0..<12).map { _ in condition() })
    let reference = ReferenceEvaluator(ruleset)
    var matcher = Matcher(MatchPlanner.plan(ruleset), limits: limits)
    var few = StateLimits(processCountMax: 24, exitedProcessCountMax: 6)
    if Bool.random(using: &generator) { few = StateLimits() }
    var state = SystemState(limits: few)
    var tally = Tally()
    for index in 0..<eventCount {
      let made = record()
      withExtendedLifetime(made) {
        guard let record = made.record, let context = state.apply(record) else { return }
        var first = context
        var second = context
        let expected = reference.match(&first)
        let result = matcher.match(&second)
        if result != expected { tally.disagreements.append("event \(index): \(result) instead of \(expected)") }
        if expected == .none { tally.notMatched += 1 } else { tally.matched += 1 }
      }
    }
    tally.forgottenCount = matcher.search.era - 1
    return tally
  }

  // MARK: - Conditions

  private mutating func condition() -> String {
    let parts = (0..<int(1...3)).map { _ in (chance(4) ? "not " : "") + "(\(predicate()) or \(predicate()))" }
    return (parts + [predicate()]).joined(separator: " and ")
  }

  private mutating func predicate() -> String {
    let name = pick(["sh", "nginx", "java", "a", "cat", "run", "worker"])
    switch int(0...19) {
    case 0: return "proc.name = \(name)"
    case 1: return "proc.name in (\(name), worker)"
    case 2: return "proc.pname = \(name)"
    case 3: return "proc.aname = \(name)"
    case 4: return "proc.aname in (\(name), cat)"
    case 5: return "proc.aname[\(int(0...3))] = \(name)"
    case 6: return "proc.exepath startswith \(pick(["/bin", "/usr", "/opt/a"]))"
    case 7: return "proc.aexepath[2] endswith \(name)"
    case 8: return "proc.cmdline contains \(pick(["-x1", "value", "sh"]))"
    case 9: return "proc.cwd = \(pick(["/", "/srv/"]))"
    case 10: return "container.id \(pick(["=", "!="])) host"
    case 11: return "user.uid = \(int(0...1))"
    case 12: return "proc.vpid = \(int(100...110))"
    case 13: return "fd.name startswith \(pick(["/etc", "/root/.ssh", "/usr/lib"]))"
    case 14: return "fd.directory = /etc"
    case 15: return "fd.filename in (shadow, x, id_rsa)"
    case 16: return "fd.name contains \(pick([".ssh", "id_rsa", "etc"]))"
    case 17: return "evt.is_open_write = true"
    case 18: return "fd.name glob /*/shadow"
    default: return "evt.type in (openat, execve)"
    }
  }

  // MARK: - Records

  private mutating func record() -> TestRecord {
    if living.count < 3 { return start() }
    switch int(0...19) {
    case 0: return start()
    case 1, 2: return fork()
    case 3, 4: return exec()
    case 5: return end()
    case 6: return moved()
    case 7: return cgroup()
    case 8: return Event.call(.chdir, by: pick(living), path: pick(["/", "/srv"]))
    default: return open()
    }
  }

  private mutating func newID() -> UInt32 {
    nextID += 1
    return nextID
  }

  /// A process that the start-up snapshot finds; its parent may be one that nobody has heard of yet.
  private mutating func start() -> TestRecord {
    var process = TestProcess(newID(), pick(Self.programs))
    if chance(3) {
      let parent = TestProcess(nextID + UInt32(int(1...3)))
      process.parentID = parent.id
      process.parentStartNanoseconds = parent.startNanoseconds
    }
    living.append(process)
    return Event.seed(process)
  }

  private mutating func fork() -> TestRecord {
    let parent = pick(living)
    var child = parent.child(newID(), parent.exePath)
    child.comm = parent.comm
    living.append(child)
    return Event.fork(child, by: parent)
  }

  private mutating func exec() -> TestRecord {
    let index = int(living.indices)
    let old = living[index]
    var process = TestProcess(
      old.id, pick(Self.programs), arguments: ["-x\(int(0...2))", "value"], start: old.startNanoseconds)
    (process.parentID, process.parentStartNanoseconds) = (old.parentID, old.parentStartNanoseconds)
    process.cgroupID = old.cgroupID
    process.userID = UInt32(int(0...1))
    living[index] = process
    return Event.exec(process)
  }

  private mutating func end() -> TestRecord { Event.exit(living.remove(at: int(living.indices))) }

  /// Into another cgroup, or under another name, or both; seen at its next event.
  private mutating func moved() -> TestRecord {
    let index = int(living.indices)
    living[index].cgroupID = UInt64(int(1...3))
    living[index].comm = pick(Self.names)
    return open(by: living[index])
  }

  private mutating func cgroup() -> TestRecord {
    let id = String(repeating: pick(["a", "b"]), count: 64)
    let number = UInt64(int(1...3))
    return number == 1 ? Event.cgroup(1, "/") : Event.cgroup(number, "/docker/\(id)")
  }

  private mutating func open() -> TestRecord {
    var process = pick(living)
    // Another thread has a name of its own.
    if chance(4) {
      process.threadID += 1000
      process.comm = pick(Self.names)
    }
    return open(by: process)
  }

  private mutating func open(by process: TestProcess) -> TestRecord {
    let name = pick(Self.paths)
    let resolved = chance(2) ? nil : pick(Self.paths.filter { $0.hasPrefix("/") })
    return Event.open(
      name, resolved: resolved, below: "/etc", by: process, flags: Int32(int(0...2)), result: chance(5) ? -2 : 3,
      mode: chance(6) ? 0o040755 : 0o100644)
  }

  // MARK: - Chance

  private mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }

  private mutating func int(_ range: Range<Int>) -> Int { Int.random(in: range, using: &generator) }

  private mutating func chance(_ count: Int) -> Bool { int(1...count) == 1 }

  private mutating func pick<Element>(_ elements: [Element]) -> Element { elements[int(elements.indices)] }
}
