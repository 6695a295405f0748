// SPDX-License-Identifier: Apache-2.0

import MartletAgent
import MartletAlerts
import MartletEvents
import MartletMatching
import MartletTesting
import Testing

@Suite("Waiting for the names of containers")
struct WaitTests {
  private typealias Stream = WaitingStream

  private static let any = """
    - rule: Any open
      desc: d
      condition: evt.type = openat
      output: opened %fd.name
      priority: DEBUG
    """

  private static let layered = """
    - rule: Of the shop
      desc: d
      condition: evt.type = openat and container.image.repository = shop/web
      output: opened %fd.name
      priority: DEBUG
    - rule: Outside of the system
      desc: d
      condition: evt.type = openat and not k8s.ns.name in (kube-system)
      output: opened %fd.name
      priority: DEBUG
    - rule: Any open
      desc: d
      condition: evt.type = openat
      output: opened %fd.name
      priority: DEBUG
    """

  private static func open(_ number: Int = 1, _ name: String = "/x", at time: UInt64 = 0) -> TestRecord {
    Event.open(name, by: Stream.process(50, in: number), at: time)
  }

  @Test("an alert waits until the runtime has spoken, and is then as if it had spoken before")
  func alert() throws {
    let rules = try Stream.rules(Self.any)
    let start = [Stream.begun, Stream.announcement(1)]
    let early = Stream.outcome(of: start + [Self.open()], rules, ends: false)
    #expect(early.lines.isEmpty && early.waits.held == 1 && early.counters.matched == 0)
    let late = Stream.outcome(of: start + [Self.open(), Stream.report(1)], rules, ends: false)
    #expect(late.fields("container.name") == ["name-1"] && late.enrichments == ["complete"])
    #expect(late.waits.released == 1 && late.counters.matched == 1)
    #expect(late.lines == Stream.outcome(of: start + [Stream.report(1), Self.open()], rules).lines)
  }

  @Test("nothing waits that is on the host, in a container that is known, or where nobody is asked")
  func straight() throws {
    let rules = try Stream.rules(Self.any)
    let host = Stream.outcome(of: [Stream.begun, Stream.announcement(0), Self.open(0)], rules, ends: false)
    #expect(host.enrichments == ["complete"] && host.waits.held == 0)
    let unasked = Stream.outcome(of: [Stream.announcement(1), Self.open()], rules, ends: false)
    #expect(unasked.enrichments == ["none"] && unasked.waits.held == 0)
    let unannounced = Stream.outcome(of: [Stream.begun, Self.open()], rules, ends: false)
    #expect(unannounced.enrichments == ["partial"] && unannounced.waits.held == 0)
    let nameless = Stream.outcome(
      of: [Stream.begun, Stream.announcement(1), Stream.unanswered(1), Self.open()], rules, ends: false)
    #expect(nameless.enrichments == ["partial"] && nameless.waits.held == 0)
  }

  @Test("an unknown rule blocks those behind it until it is decided", arguments: [false, true])
  func blocks(all: Bool) throws {
    let rules = try Stream.rules(Self.layered, all: all)
    let start = [Stream.begun, Stream.announcement(1), Stream.announcement(2), Self.open(1), Self.open(2)]
    func names(_ answers: [TestRecord]) -> [String] { Stream.outcome(of: start + answers, rules).rules }
    #expect(names([Stream.report(1)]).first == "Of the shop")
    #expect(
      names([Stream.report(1, repository: "other"), Stream.report(2, repository: "other")])
        == (all
          ? ["Outside of the system", "Any open", "Any open"] : ["Outside of the system", "Any open"]))
    // What stays unknown is missing in the end: 'not' something missing holds.
    let unknown = all ? ["Outside of the system", "Any open"] : ["Outside of the system"]
    #expect(names([Stream.unanswered(1), Stream.unanswered(2)]) == unknown + unknown)
    #expect(names([]) == unknown + unknown)
    let counters = Stream.outcome(of: start, rules).counters
    #expect(counters.matched == 2 && counters.undecided == 0 && counters.notMatched == 0)
  }

  @Test("time is up with the first record that is late enough: of whatever kind, and a tick in quiet times")
  func deadline() throws {
    let rules = try Stream.rules(Self.any)
    let start = [Stream.begun, Stream.announcement(1, at: 5), Self.open(at: 7)]
    let end = Stream.wait + 5
    let last: [TestRecord] = [
      Event.tick(at: end), Self.open(0, at: end), Event.exit(TestProcess(9), at: end), Stream.announcement(3, at: end),
    ]
    for record in last {
      let outcome = Stream.outcome(of: start + [record], rules, ends: false)
      #expect(outcome.enrichments.first == "partial" && outcome.waits.timedOut == 1)
      #expect(outcome.fields("container.name").first == .some(nil))
      #expect(outcome.fields("container.id").first == "1a1a1a1a1a1a")
    }
    let early = Stream.outcome(of: start + [Event.tick(at: end - 1)], rules, ends: false)
    #expect(early.lines.isEmpty && early.waits.timedOut == 0)
    // Whoever drives the pipeline knows when to let time go by.
    var pipeline = Pipeline(rules)
    var outcome = Stream.Outcome()
    #expect(pipeline.waitDeadlineNanoseconds == nil)
    Stream.feed(start, to: &pipeline, &outcome)
    #expect(pipeline.waitDeadlineNanoseconds == end)
    Stream.feed([Event.tick(at: end)], to: &pipeline, &outcome)
    #expect(pipeline.waitDeadlineNanoseconds == nil && outcome.lines.count == 1)
  }

  @Test(
    "a container is waited for once: later events of one that nobody spoke of go straight through, until somebody does")
  func once() throws {
    let rules = try Stream.rules(Self.any)
    let late = 3 * Stream.second
    let outcome = Stream.outcome(
      of: [
        Stream.begun, Stream.announcement(1), Self.open(at: 1), Self.open(at: late), Self.open(at: late + 1),
        Stream.report(1, at: late + 2), Self.open(at: late + 3),
      ], rules, ends: false)
    #expect(outcome.enrichments == ["partial", "partial", "partial", "complete"])
    #expect(outcome.waits.held == 1 && outcome.waits.timedOut == 1)
  }

  @Test("each limit bites, and is counted: the first to come is the first to go")
  func limits() throws {
    let rules = try Stream.rules(Self.any)
    let start = [Stream.begun, Stream.announcement(1), Stream.announcement(2)]
    let opens = (0..<10).map { Self.open(1 + $0 % 2, "/\($0)") }
    let few = Stream.outcome(of: start + opens, rules, limits: .init(eventCountMax: 4), ends: false)
    #expect(few.fields("fd.name") == ["/0", "/1", "/2", "/3", "/4", "/5"])
    #expect(few.enrichments.allSatisfy { $0 == "partial" })
    #expect(few.waits.held == 10 && few.waits.pushedOut == 6)
    let small = Stream.outcome(of: start + opens, rules, limits: .init(byteCountMax: 8000), ends: false)
    #expect(small.waits.pushedOut > 2 && small.waits.pushedOut < 10)
    #expect(small.lines.count == small.waits.pushedOut)
    let none = Stream.outcome(of: start + opens, rules, limits: .init(byteCountMax: 0), ends: false)
    #expect(none.waits.pushedOut == 10 && none.fields("fd.name") == (0..<10).map { "/\($0)" })
    let end = Stream.outcome(of: start + opens, rules)
    #expect(end.waits.cutOff == 10 && end.fields("fd.name") == (0..<10).map { "/\($0)" })
  }

  @Test("alerts beyond what a buffer takes leave one buffer after the other, and none is lost")
  func full() throws {
    let name = "/" + String(repeating: "x", count: 4000)
    let opens = (0..<200).map { Self.open(1, "\(name)\($0)") }
    let outcome = Stream.outcome(
      of: [Stream.begun, Stream.announcement(1)] + opens + [Stream.report(1)], try Stream.rules(Self.any))
    #expect(outcome.lines.count == 200 && outcome.waits.released == 200)
    #expect(outcome.fields("fd.name") == (0..<200).map { "\(name)\($0)" })
  }

  @Test("what the agent finds out about itself waits with the alerts of its container")
  func notices() throws {
    let rules = try Stream.rules(Self.any)
    let lost = Event.notice(.lost, count: 3, cgroup: Stream.cgroup(1))
    let start = [Stream.begun, Stream.announcement(1), Self.open(), lost, Event.notice(.flood, count: 1)]
    let outcome = Stream.outcome(of: start + [Stream.report(1)], rules)
    // The one that is about no container goes first.
    #expect(
      outcome.rules == ["Martlet: container floods events", "Any open", "Martlet: events lost"])
    #expect(outcome.fields("container.name") == ["host", "name-1", "name-1"])
    #expect(outcome.enrichments == ["complete", "complete", "complete"])
  }

  @Test("other rules judge what comes; what waits is decided by those that it came to")
  func exchange() throws {
    var pipeline = Pipeline(try Stream.rules(Self.any))
    var outcome = Stream.Outcome()
    Stream.feed([Stream.begun, Stream.announcement(1), Self.open()], to: &pipeline, &outcome)
    var others = JudgingRules(try Stream.rules(Self.layered))
    var alerts = AlertBuffer()
    pipeline.exchangeRules(&others, into: &alerts)
    #expect(alerts.alertCount == 1 && pipeline.waitStatistics.cutOff == 1)
    Stream.feed([Self.open(), Stream.report(1)], to: &pipeline, &outcome)
    #expect(outcome.rules == ["Of the shop"])
  }

  @Test("rules are counted once for an event that waited", arguments: [false, true])
  func statistics(all: Bool) throws {
    var pipeline = Pipeline(try Stream.rules(Self.layered, all: all))
    var outcome = Stream.Outcome()
    Stream.feed([Stream.begun, Stream.announcement(1), Self.open(), Stream.report(1)], to: &pipeline, &outcome)
    #expect(pipeline.ruleStatistics.map(\.statistics.matchCount) == (all ? [1, 1, 1] : [1, 0, 0]))
    #expect(outcome.lines.count == (all ? 3 : 1) && pipeline.counters.matched == 1)
  }

  @Test("what the filter marked is marked while it waits", arguments: [false, true])
  func marked(isKnown: Bool) throws {
    let rules = try Stream.rules(Self.any)
    let open = Self.open()
    open.mark()
    let connect = Event.connect(to: "10.0.0.1", port: 1, by: Stream.process(50, in: 1))
    connect.mark()
    let answers = isKnown ? [Stream.report(1)] : []
    let outcome = Stream.outcome(of: [Stream.begun, Stream.announcement(1), open, connect] + answers, rules)
    #expect(outcome.counters.marked == 2 && outcome.counters.markedMatched == 1)
  }
}
