// SPDX-License-Identifier: Apache-2.0

import Glibc
import MartletAgent
import MartletAlerts
import MartletEvents
import MartletRules
import MartletTesting
import Testing

/// The same stream, with the answers of runtimes in other places. The twin is simple: there everything is known before
/// anything happens, and nothing ever waits.
@Suite("Waiting changes when an alert comes, not what it says")
struct WaitDifferentialTests {
  private typealias Stream = WaitingStream

  private static let factor = getenv("MARTLET_SOAK").flatMap { Int(String(cString: $0)) } ?? 1
  private static let containerCount = 4

  private static let rules = """
    - macro: opened
      condition: (evt.type in (open, openat))
    - rule: Of the shop
      desc: d
      condition: opened and fd.name startswith /a and container.image.repository = shop/web
      output: "%fd.name %proc.aname %container.duration %k8s.pod.name %user.name"
      priority: WARNING
    - rule: Not of the system
      desc: d
      condition: opened and fd.name startswith /etc and not k8s.ns.name in (kube-system) and proc.pname != init
      output: "%fd.name %proc.cmdline %proc.sname %proc.vpgid.name %evt.num"
      priority: WARNING
    - rule: Through another name
      desc: d
      condition: opened and (fd.name startswith /secret and container.name startswith name-1 or fd.name = /b)
      output: "%fd.name %fd.realpath %proc.cwd"
      priority: WARNING
    - rule: By a keeper
      desc: d
      condition: opened and fd.name = /tmp/x and (user.name = keeper-0 or not group.name in (others, root))
      output: "%fd.name %proc.cmdline"
      priority: WARNING
    - rule: Any connection
      desc: d
      condition: evt.type = connect
      output: "%fd.name %fd.sip.name %container.image.repository"
      priority: NOTICE
    - rule: Signals
      desc: d
      condition: evt.type = kill and (container.image.tag exists or proc.pid > 0)
      output: "%evt.args"
      priority: NOTICE
    - rule: Programs
      desc: d
      condition: evt.type in (execve, execveat) and not container.name in (name-2, host)
      output: "%evt.args %proc.aname[2]"
      priority: NOTICE
    """

  /// What happens, with no word of any runtime.
  private func events(_ generator: inout SeededGenerator) -> [TestRecord] {
    var records: [TestRecord] = []
    var alive: [TestProcess] = (0...Self.containerCount).map {
      var process = Stream.process(UInt32(10 + $0), "/bin/sh", in: $0)
      process.parentID = 1
      return process
    }
    records += [Event.resolvers(["10.96.0.10"]), Event.seed(TestProcess(1, "/sbin/init"), network: 5)]
    records += alive.map { Event.seed($0) }
    let names = ["/a/b", "/etc/passwd", "/tmp/x", "/secret/key", "/b"]
    for step in 0..<60 {
      let time = UInt64(step + 1) * 1_000_000
      let actor = alive[Int.random(in: alive.indices, using: &generator)]
      switch Int.random(in: 0...9, using: &generator) {
      case 0:
        let child = actor.child(UInt32(100 + step), "/bin/prog-\(step % 7)", arguments: ["\(step)"])
        records.append(Event.fork(child, by: actor, at: time))
        alive.append(child)
      case 1:
        var changed = actor
        changed.comm = "new-\(step)"
        changed.exePath = "/bin/new-\(step)"
        records.append(Event.exec(changed, at: time))
      case 2 where alive.count > 6 && actor.id >= 100:
        records.append(Event.exit(actor, at: time))
        alive.removeAll { $0.id == actor.id }
      case 3: records.append(Event.connect(to: "203.0.113.\(step % 3)", port: 443, by: actor, network: 7, at: time))
      case 4: records.append(Event.answer("h\(step).example", ["203.0.113.\(step % 3)"], network: 7))
      case 5: records.append(Event.call(.kill, by: actor, arguments: [UInt64(alive[0].id), 9], at: time))
      case 6: records.append(Event.call(.chdir, by: actor, path: "/srv/\(step)", at: time))
      default:
        let name = names[Int.random(in: names.indices, using: &generator)]
        let resolved = names[Int.random(in: names.indices, using: &generator)]
        records.append(Event.open(name, resolved: resolved, by: actor, at: time))
      }
    }
    return records
  }

  /// What runtimes say, of the last container that nobody knows it; and what users are called, of the third likewise.
  private func answers(_ generator: inout SeededGenerator) -> [TestRecord] {
    (1...Self.containerCount).map { number in
      number == Self.containerCount
        ? Stream.unanswered(number)
        : Stream.report(number, repository: Bool.random(using: &generator) ? "shop/web" : "other")
    }
      + (1...Self.containerCount).map { number in
        number == 3
          ? Stream.noUsers(number)
          : Stream.users(number, named: Bool.random(using: &generator) ? "keeper" : "other")
      }
  }

  private let start =
    [Event.host("n", realtimeOffset: 7), Stream.usersBegun, Stream.begun, Stream.users(0)]
    + (0...containerCount).map { Stream.announcement($0) }

  /// The records with each of `others` at a random place among them.
  private func mixed(
    _ records: [TestRecord], _ others: [TestRecord], _ generator: inout SeededGenerator
  ) -> [TestRecord] {
    var result = records
    for other in others { result.insert(other, at: Int.random(in: 0...result.count, using: &generator)) }
    return result
  }

  @Test(
    "wherever the answers come, each container has the same alerts, byte for byte and in the same order",
    arguments: [false, true])
  func interleavings(all: Bool) throws {
    let rules = try Stream.rules(Self.rules, all: all)
    var heldCount: UInt64 = 0
    var alertCount = 0
    for seed in 1...UInt64(40 * Self.factor) {
      var generator = SeededGenerator(seed: seed)
      let events = events(&generator)
      let answers = answers(&generator)
      let twin = Stream.outcome(of: start + answers + events, rules)
      #expect(twin.waits.held == 0)
      for _ in 0..<3 {
        let outcome = Stream.outcome(of: start + mixed(events, answers, &generator), rules)
        #expect(outcome.linesByContainer == twin.linesByContainer)
        #expect(outcome.counters.matched == twin.counters.matched)
        #expect(outcome.counters.notMatched == twin.counters.notMatched)
        heldCount += outcome.waits.held
      }
      alertCount += twin.lines.count
    }
    #expect(heldCount > 1000 && alertCount > 1000)
  }

  @Test("and so with the rules that come with the agent")
  func bundled() throws {
    let rules = try #require(Ruleset.compile(BundledRules.sources).ruleset)
    for seed in 1...10 as ClosedRange<UInt64> {
      var generator = SeededGenerator(seed: seed)
      let events = events(&generator)
      let answers = answers(&generator)
      let twin = Stream.outcome(of: start + answers + events, rules)
      let outcome = Stream.outcome(of: start + mixed(events, answers, &generator), rules)
      #expect(outcome.linesByContainer == twin.linesByContainer)
    }
  }

  @Test(
    "whatever the limits, no alert is lost and none overtakes another of its container",
    arguments: [false, true])
  func limits(all: Bool) throws {
    // Rules that need no names: what waits is the alert only.
    let rules = try Stream.rules(
      """
      - rule: Any
        desc: d
        condition: evt.type in (openat, connect, kill, execve)
        output: "%evt.num %evt.type"
        priority: NOTICE
      - rule: Opens
        desc: d
        condition: evt.type = openat
        output: "%evt.num %fd.name"
        priority: NOTICE
      """, all: all)
    func trait(_ lines: [String: [String]]) -> [String: [String]] {
      // Names may be there or not; the identity is that of event and rule.
      lines.mapValues { $0.map { String($0.split(separator: ",")[0]) } }
    }
    var total = HeldEvents.Statistics()
    for seed in 1...UInt64(40 * Self.factor) {
      var generator = SeededGenerator(seed: seed)
      let events = events(&generator)
      let answers = answers(&generator).filter { _ in Bool.random(using: &generator) }
      let ticks = [Event.tick(at: Stream.wait)].filter { _ in Bool.random(using: &generator) }
      let twin = Stream.outcome(of: start + answers + events, rules)
      let limits = HeldEvents.Limits(
        eventCountMax: Int.random(in: 0...40, using: &generator),
        byteCountMax: Int.random(in: 0...200_000, using: &generator))
      let outcome = Stream.outcome(of: start + mixed(events, answers + ticks, &generator), rules, limits: limits)
      #expect(trait(outcome.linesByContainer) == trait(twin.linesByContainer))
      #expect(outcome.counters.matched == twin.counters.matched)
      let waits = outcome.waits
      #expect(waits.held == waits.released + waits.timedOut + waits.pushedOut + waits.cutOff)
      total.released += waits.released
      total.timedOut += waits.timedOut
      total.pushedOut += waits.pushedOut
      total.cutOff += waits.cutOff
    }
    #expect(
      total.released > 100 && total.timedOut > 100 && total.pushedOut > 100 && total.cutOff > 100, "\(total)")
  }
}
