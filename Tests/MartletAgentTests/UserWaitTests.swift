// SPDX-License-Identifier: Apache-2.0

import MartletAgent
import MartletAlerts
import MartletEvents
import MartletRules
import MartletState
import MartletTesting
import Testing

@Suite("Waiting for the names of users")
struct UserWaitTests {
  private typealias Stream = WaitingStream

  /// Decided by a name, told with a name, and neither.
  private static let rules = """
    - rule: By the keeper
      desc: d
      condition: evt.type = openat and user.name = keeper-0
      output: opened %fd.name
      priority: DEBUG
    - rule: With the user
      desc: d
      condition: evt.type = openat and fd.name startswith /named
      output: "%fd.name %user.homedir %group.name %user.loginname"
      priority: DEBUG
    - rule: Any open
      desc: d
      condition: evt.type = openat and fd.name != /nothing
      output: opened %fd.name
      priority: DEBUG
    """
  private static var start: [TestRecord] {
    [Stream.usersBegun, Stream.announcement(1), Stream.announcement(0), Stream.users(0)]
  }

  private static func open(_ number: Int = 1, _ name: String = "/x", at time: UInt64 = 0) -> TestRecord {
    Event.open(name, by: Stream.process(50, in: number), at: time)
  }

  @Test("a rule that asks who it was is decided when the container's files have been read", arguments: [false, true])
  func decided(all: Bool) throws {
    let rules = try Stream.rules(Self.rules, all: all)
    let early = Stream.outcome(of: Self.start + [Self.open(), Self.open(1, "/nothing")], rules, ends: false)
    #expect(early.lines.isEmpty && early.waits.held == 2)
    for answer in [Stream.users(1), Stream.users(1, named: "other"), Stream.noUsers(1)] {
      let late = Stream.outcome(of: Self.start + [Self.open(), answer], rules, ends: false)
      #expect(late.waits.released == 1 && late.waits.timedOut == 0)
      #expect(late.lines == Stream.outcome(of: Self.start + [answer, Self.open()], rules).lines)
    }
    let keeper = Stream.outcome(of: Self.start + [Self.open(), Stream.users(1)], rules)
    #expect(keeper.rules == (all ? ["By the keeper", "Any open"] : ["By the keeper"]))
    let other = Stream.outcome(of: Self.start + [Self.open(), Stream.users(1, named: "other")], rules)
    #expect(other.rules == ["Any open"])
  }

  @Test("an alert that tells who it was waits until that is known, and says so where it is not")
  func told() throws {
    let rules = try Stream.rules(Self.rules.replacing("user.name = keeper-0", with: "fd.name = /never"))
    let start = Self.start + [Stream.begun, Stream.announcement(2), Stream.report(2), Self.open(2, "/named")]
    #expect(Stream.outcome(of: start, rules, ends: false).lines.isEmpty)
    let known = Stream.outcome(of: start + [Stream.users(2)], rules, ends: false)
    #expect(known.fields("user.homedir") == ["/home/keeper"] && known.fields("group.name") == ["keepers"])
    #expect(known.fields("user.loginname") == ["<NA>"] && known.enrichments == ["complete"])
    let ends = [[Stream.noUsers(2)], [Event.tick(at: Stream.wait)]]
    for end in ends {
      let unknown = Stream.outcome(of: start + end, rules, ends: false)
      #expect(unknown.fields("group.name") == ["root"] && unknown.enrichments == ["partial"])
    }
  }

  @Test("what comes first stays first, whether it waits for the runtime, for users, or for neither")
  func order() throws {
    let rules = try Stream.rules(Self.rules)
    let events = ["/a", "/named/b", "/c"].map { Self.open(1, $0) }
    let answers = [Stream.users(1, named: "other"), Stream.report(1)]
    for answers in [answers, answers.reversed(), [answers[0]], [answers[1]], []] {
      var records = Self.start.dropLast(3) + [Stream.begun, Stream.announcement(1), events[0]]
      records += answers.prefix(1) + [events[1]] + answers.dropFirst() + [events[2], Event.tick(at: Stream.wait)]
      let outcome = Stream.outcome(of: Array(records), rules, ends: false)
      #expect(outcome.fields("fd.name") == ["/a", "/named/b", "/c"])
    }
  }

  @Test("nobody waits on the host, where no rule asks who it was, or where that is not read")
  func straight() throws {
    let rules = try Stream.rules(Self.rules)
    let host = Stream.outcome(of: Self.start + [Self.open(0), Self.open(0, "/named")], rules, ends: false)
    #expect(host.rules == ["By the keeper", "By the keeper"] && host.waits.held == 0)
    #expect(host.enrichments == ["complete", "complete"])
    let unread = Stream.outcome(of: [Stream.announcement(1), Self.open()], rules, ends: false)
    #expect(unread.rules == ["Any open"] && unread.waits.held == 0 && unread.enrichments == ["none"])
    let nameless = try Stream.rules(
      """
      - rule: Any open
        desc: d
        condition: evt.type = openat
        output: "opened %fd.name by %user.uid"
        priority: DEBUG
      """)
    let unasked = Stream.outcome(of: Self.start + [Self.open()], nameless, ends: false)
    #expect(unasked.rules == ["Any open"] && unasked.waits.held == 0 && unasked.enrichments == ["none"])
  }

  @Test("a rule asks who it was in its condition or its output; one that is off asks nothing")
  func who() throws {
    let both: AwaitedNames = [.container, .users]
    #expect(try Stream.rules(Self.rules).rules.map(\.awaitedNames) == [both, both, .container])
    let off = Self.rules.replacing("priority: DEBUG", with: "priority: DEBUG\n  enabled: false", maxReplacements: 2)
    let outcome = Stream.outcome(of: Self.start + [Self.open()], try Stream.rules(off), ends: false)
    #expect(outcome.rules == ["Any open"] && outcome.waits.held == 0)
  }

  @Test("once nobody was there to be read from, later events go straight through until somebody is")
  func later() throws {
    let rules = try Stream.rules(Self.rules)
    let outcome = Stream.outcome(
      of: Self.start + [Stream.noUsers(1), Self.open(), Stream.users(1), Self.open(), Stream.noUsers(1), Self.open()],
      rules, ends: false)
    #expect(outcome.rules == ["Any open", "By the keeper", "By the keeper"] && outcome.waits.held == 0)
  }
}
