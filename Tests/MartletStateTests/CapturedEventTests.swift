// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletState
import MartletTesting
import Testing

/// What is taken out of the state says the same as the state did, for as long as anybody wants to know.
@Suite("Captured events")
struct CapturedEventTests {
  /// Every field, with every kind of selector that may be asked.
  private static let questions: [(Field, FieldArgument)] = Field.allCases.filter(\.description.isCaptured).flatMap {
    field in
    let arguments: [FieldArgument] =
      [.none] + (0...5).map { .index($0) }
      + ["app", "res", "pid", "ppid", "pgid", "vpgid", "name"].map { .key(Array($0.utf8)) }
    return arguments.map { (field, $0) }
  }

  /// All that there is to know of an event, in both views.
  private static func answers(_ context: inout EventContext) -> [String] {
    var answers: [String] = []
    for view in PathView.allCases {
      context.pathView = view
      for (field, argument) in questions {
        let value = argument.withSelector { context.value(of: field, at: $0) }
        answers.append("\(field) \(argument) \(text(value))")
      }
    }
    context.pathView = .spelled
    for (field, _) in questions {
      answers.append("\(context.ancestorCount(for: field)) \(context.listCount(of: field))")
    }
    answers.append("\(context.identity.hexadecimal) \(context.realtimeNanoseconds) \(context.hostname.string)")
    answers.append(
      "\(String(describing: context.type)) \(context.hasOtherPathView) \(context.enrichment(with: [.container, .users]))"
    )
    return answers
  }

  private static func text(_ value: FieldValue) -> String {
    if case .text(let text) = value { return "'\(text.string)'" }
    return "\(value)"
  }

  private static func inContainer(_ id: UInt32, _ path: String, cgroup: UInt64 = 900) -> TestProcess {
    var process = TestProcess(id, path, arguments: ["-x", "\(id)"])
    process.cgroupID = cgroup
    return process
  }

  private static var start: [TestRecord] {
    let shell = inContainer(20, "/bin/sh")
    let child = shell.child(21, "/usr/bin/curl", arguments: ["https://a.example"])
    return [
      Event.host("node", nodeID: "n", realtimeOffset: 1_000_000_000_000), Event.cgroup(1, "/"),
      Event.container(cgroup: 900, containerID: containerID, podUID: podUID),
      Event.seed(TestProcess(1, "/sbin/init"), network: 5), Event.seed(inContainer(10, "/usr/bin/runc")),
      Event.exec(shell), Event.fork(child, by: shell), Event.resolvers(["10.96.0.10"]),
      Event.answer("a.example", ["203.0.113.7"], network: 7), Event.answer("b.example", ["203.0.113.7"], network: 7),
      Event.answer("c.example", ["203.0.113.8"], network: 7), Event.report(report),
    ]
  }

  private static var events: [TestRecord] {
    let shell = inContainer(20, "/bin/sh")
    let child = shell.child(21, "/usr/bin/curl", arguments: ["https://a.example"])
    var orphan = inContainer(30, "/bin/orphan")
    orphan.parentID = 4711
    return [
      Event.openModel(TestFile("/models/a.pt"), by: shell, at: 8), Event.exec(shell, at: 9),
      Event.exec(child), Event.open("../etc/shadow", resolved: "/data/shadow", below: "/tmp", by: child, at: 1 << 40),
      Event.open("/x", by: orphan), Event.exec(orphan), Event.exec(shell, environment: ["A=b"]),
      Event.connect(to: "203.0.113.7", port: 443, by: child, network: 7, at: 9),
      Event.connect(to: "203.0.113.8", port: 53, by: child, network: 8),
      Event.unix(name: "/run/x", peer: "/run/y", path: "/run/y", by: shell),
      Event.call(.kill, by: child, arguments: [20, 9]), Event.call(.kill, by: child, arguments: [4711, 9]),
      Event.call(.ptrace, by: child, arguments: [16, 10]), Event.call(.chdir, by: child, path: "/srv"),
      Event.call(.rename, by: child, names: ["a", "/b"], below: ["/tmp", ""]),
      Event.notice(.tamper, detail: "ptrace", about: child), Event.notice(.lost, count: 3, cgroup: 900),
      Event.open("/y", by: TestProcess(1, "/sbin/init")), Event.open("/z", by: inContainer(40, "/bin/z", cgroup: 404)),
    ]
  }

  /// Changes everything that the events before asked for.
  private static func disturb(_ feed: Feed) {
    for id: UInt32 in [20, 21] {
      feed.apply(Event.openModel(TestFile("/models/other.pickle"), by: inContainer(id, "/bin/x"), at: 1 << 40))
    }
    for id: UInt32 in [21, 20, 10, 30, 1] { feed.apply(Event.exit(inContainer(id, "/bin/x"))) }
    for id: UInt32 in 50..<80 { feed.apply(Event.exec(inContainer(id, "/bin/other-\(id)", cgroup: 901))) }
    feed.apply(Event.exec(inContainer(20, "/bin/another")), Event.host("elsewhere", realtimeOffset: 5))
    feed.apply(Event.answer("z.example", ["203.0.113.7"], network: 7), Event.cgroup(900, "/"), Event.tick(at: 1 << 41))
  }

  @Test("have every field as it was, whatever happens afterwards", arguments: events.indices)
  func same(index: Int) throws {
    let feed = Feed(Self.start)
    for event in Self.events[..<index] { _ = feed.context(event) }
    var context = try #require(feed.context(Self.events[index]))
    let expected = Self.answers(&context)
    let captured = context.capture()
    let event = try #require(captured)
    var copy = feed.state.context(of: event)
    #expect(Self.answers(&copy) == expected)
    Self.disturb(feed)
    // The runtime's words are looked up anew, and have gone by now.
    feed.apply(Event.report(report), Event.container(cgroup: 902, containerID: containerID, podUID: podUID))
    var later = feed.state.context(of: event)
    #expect(Self.answers(&later) == expected)
    #expect(event.byteCount > Self.events[index].bytes.count)
    withExtendedLifetime(event) {}
  }

  @Test("and outlive the state that they were taken from, with nothing lost or freed twice")
  func lifetime() throws {
    var events: [CapturedEvent] = []
    do {
      let feed = Feed(Self.start)
      for event in Self.events {
        guard var context = feed.context(event) else { continue }
        let captured = context.capture()
        events.append(try #require(captured))
      }
      let before = feed.state.statistics.imageByteCount
      events.removeFirst(events.count / 2)
      // Who looks at a process does not change what is known of it.
      #expect(feed.state.statistics.imageByteCount == before)
    }
    #expect(events.count > 5)
  }

  @Test("a process that found no room in the table is captured as well")
  func overflow() throws {
    var limits = StateLimits()
    limits.processCountMax = 16
    let feed = Feed(limits: limits)
    for record in Self.start { feed.apply(record) }
    for id: UInt32 in 100..<130 { feed.apply(Event.exec(Self.inContainer(id, "/bin/x"))) }
    var context = try #require(feed.context(Event.exec(Self.inContainer(200, "/bin/late"))))
    let expected = Self.answers(&context)
    #expect(feed.state.statistics.refusedProcessCount > 0)
    let captured = context.capture()
    let event = try #require(captured)
    for id: UInt32 in 300..<310 { feed.apply(Event.exec(Self.inContainer(id, "/bin/x"))) }
    var copy = feed.state.context(of: event)
    #expect(Self.answers(&copy) == expected)
    withExtendedLifetime(event) {}
  }

  @Test("a chain of ancestors is as long as it was")
  func lineage() throws {
    let feed = Feed([Event.cgroup(1, "/")])
    var process = TestProcess(1000, "/bin/sh")
    for id: UInt32 in 1001...1200 {
      let child = process.child(id, "/bin/sh-\(id)")
      feed.apply(Event.fork(child, by: process), Event.exec(child))
      process = child
    }
    var context = try #require(feed.context(Event.open("/x", by: process)))
    let expected = Self.answers(&context)
    let captured = context.capture()
    var copy = feed.state.context(of: try #require(captured))
    #expect(copy.ancestorCount(for: .processAncestorName) == SystemState.lineageDepthMax)
    #expect(Self.answers(&copy) == expected)
    withExtendedLifetime(captured) {}
  }
}

@Suite("Containers that are asked for")
struct AwaitedContainerTests {
  private static let second: UInt64 = 1_000_000_000
  private static var begun: TestRecord { Event.inquiry(.begun(waitNanoseconds: 2 * second), at: second) }
  private static func announcement(at time: UInt64) -> TestRecord {
    Event.container(cgroup: 900, containerID: containerID, podUID: podUID, at: time)
  }
  private static func open(at time: UInt64) -> TestRecord {
    var process = TestProcess(7)
    process.cgroupID = 900
    return Event.open("/x", by: process, at: time)
  }

  private static let told: [(Field, FieldArgument)] = [
    (.containerName, .none), (.containerImage, .none), (.containerImageRepository, .none), (.containerImageTag, .none),
    (.containerImageDigest, .none), (.containerImageID, .none), (.containerPrivileged, .none), (.containerStart, .none),
    (.containerDuration, .none), (.containerLabels, .none), (.containerLabel, .key(Array("app".utf8))),
    (.containerAddress, .none),
    (.containerType, .none), (.podName, .none), (.podNamespace, .none), (.podLabels, .none),
    (.podLabel, .key(Array("app".utf8))), (.podSandboxID, .none), (.podFullSandboxID, .none), (.podAddress, .none),
  ]

  @Test("have what their runtime tells pending until it has told, and ids at once", arguments: told.indices)
  func pending(index: Int) {
    let (field, argument) = Self.told[index]
    let feed = Feed([Self.begun, Self.announcement(at: 5 * Self.second)])
    func text(at time: UInt64) -> String? {
      argument.withSelector { feed.text(field, $0, on: Self.open(at: time)) }
    }
    #expect(text(at: 6 * Self.second) == "<pending>")
    feed.apply(Event.report(report))
    #expect(text(at: 6 * Self.second) != "<pending>")
    #expect(feed.text(.containerID, on: Self.open(at: 0)) == "4f1c9e0b2a77")
  }

  @Test(
    "are waited for until time is up, until they are known, or until nobody knows them; and not where nobody is asked")
  func ends() {
    func name(_ records: [TestRecord], at time: UInt64) -> String? {
      Feed(records).text(.containerName, on: Self.open(at: time))
    }
    let id = Array(containerID.utf8)
    let asked = [Self.begun, Self.announcement(at: 5 * Self.second)]
    #expect(name(asked, at: 7 * Self.second - 1) == "<pending>")
    #expect(name(asked, at: 7 * Self.second) == nil)
    #expect(name(asked + [Event.report(report)], at: 6 * Self.second) == "web")
    #expect(name(asked + [Event.inquiry(.unanswered(id: id))], at: 6 * Self.second) == nil)
    #expect(name(asked + [Event.inquiry(.unanswered(id: id.reversed()))], at: 6 * Self.second) == "<pending>")
    #expect(name(asked + [Event.inquiry(.unanswered(id: id)), Event.report(report)], at: 6 * Self.second) == "web")
    #expect(name([Self.announcement(at: 5)], at: 6) == nil)
    // Announced before anybody was asked.
    #expect(name([Self.announcement(at: 5), Self.begun], at: 6) == nil)
    // What was there at the start is stamped with a time before it; the wait begins when somebody is asked.
    #expect(name([Self.begun, Self.announcement(at: 5)], at: 3 * Self.second - 1) == "<pending>")
    let forever = Event.inquiry(.begun(waitNanoseconds: .max), at: 9)
    #expect(name([forever, Self.announcement(at: 5)], at: .max - 1) == "<pending>")
  }

  @Test("a cgroup that bears the id of a container in another pod does not wait for it once that is known")
  func impersonation() {
    let feed = Feed([Self.begun])
    let other = "ffffffff-90ab-4cde-8f01-23456789abcd"
    let impostor = Event.container(cgroup: 900, containerID: containerID, podUID: other, at: 5)
    feed.apply(impostor)
    #expect(feed.text(.containerName, on: Self.open(at: 6)) == "<pending>")
    feed.apply(Event.report(report))
    #expect(feed.text(.containerName, on: Self.open(at: 6)) == nil)
    let late = Feed([Self.begun, Event.report(report), impostor])
    #expect(late.text(.containerName, on: Self.open(at: 6)) == nil)
  }

  @Test("alerts say how much is known: of the host all, of a container what its runtime told, if one was asked")
  func enrichment() throws {
    func enrichment(_ records: [TestRecord], _ event: TestRecord) throws -> Enrichment {
      let feed = Feed(records)
      return try #require(feed.context(event)).enrichment(with: .container)
    }
    let host = Event.open("/x", by: TestProcess(9))
    let asked = [Self.begun, Self.announcement(at: 5), Event.cgroup(1, "/")]
    #expect(try enrichment(asked, host) == .complete)
    #expect(try enrichment(asked, Self.open(at: 6)) == .partial)
    #expect(try enrichment(asked + [Event.report(report)], Self.open(at: 6)) == .complete)
    #expect(try enrichment([Self.announcement(at: 5)], Self.open(at: 6)) == .none)
    #expect(try enrichment([Event.cgroup(1, "/")], host) == .complete)
    #expect(EventContext(GivenEvent(.openat, [:])).enrichment(with: [.container, .users]) == .none)
  }
}
