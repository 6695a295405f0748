// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import MartletEvents
import MartletState
import MartletTesting
import Testing

@Suite("Names of users and groups")
struct AccountTests {
  private static func process(_ user: UInt32, cgroup: UInt64 = 900) -> TestProcess {
    var process = TestProcess(7 + user)
    process.cgroupID = cgroup
    process.userID = user
    return process
  }

  private static func open(as user: UInt32, cgroup: UInt64 = 900) -> TestRecord {
    Event.open("/x", by: process(user, cgroup: cgroup), at: 200_000_000_000)
  }

  private static func accounts(
    _ users: [(UInt32, String)], of id: String = containerID, podUID: String = podUID
  ) -> AccountReport {
    var report = AccountReport(containerID: Array(id.utf8), podUID: Array(podUID.utf8))
    for (id, name) in users {
      _ = report.add(
        user: .init(id: id, name: Array(name.utf8), home: Array("/home/\(name)".utf8), shell: Array("/bin/sh".utf8)))
      _ = report.add(group: .init(id: id, name: Array("\(name)s".utf8)))
    }
    return report
  }

  private static func feed(_ reports: AccountReport...) -> Feed {
    let announced = [
      Event.host("node"), Event.cgroup(1, "/"),
      Event.container(cgroup: 900, containerID: containerID, podUID: podUID),
    ]
    return Feed(announced + reports.map { Event.report($0) })
  }

  private static let host = accounts([(0, "root"), (1000, "admin")], of: "", podUID: "")

  @Test("a container's are its own, the host's are the host's")
  func own() {
    let feed = Self.feed(Self.host, Self.accounts([(1000, "web"), (5, "games"), (0, "toor")]))
    #expect(feed.text(.userName, on: Self.open(as: 1000)) == "web")
    #expect(feed.text(.userName, on: Self.open(as: 1000, cgroup: 1)) == "admin")
    #expect(feed.text(.userName, on: Self.open(as: 0)) == "toor")
    #expect(feed.text(.userName, on: Self.open(as: 5)) == "games")
    #expect(feed.text(.userHome, on: Self.open(as: 5)) == "/home/games")
    #expect(feed.text(.userShell, on: Self.open(as: 5)) == "/bin/sh")
    #expect(feed.text(.groupName, on: Self.open(as: 5)) == "toors", "the group is 0")
  }

  @Test("who has no name there is root or a text that says so", arguments: [true, false])
  func nameless(isKnown: Bool) {
    let feed = isKnown ? Self.feed(Self.host, Self.accounts([])) : Self.feed(Self.host)
    #expect(feed.text(.userName, on: Self.open(as: 0)) == "root")
    for field in [Field.userName, .userHome, .userShell, .userLoginName] {
      #expect(feed.text(field, on: Self.open(as: 1000)) == "<NA>")
    }
    #expect(feed.text(.groupName, on: Self.open(as: 1000)) == "root")
  }

  @Test(
    "a container's are pending until they are read, or nobody is there to be read from, or time is up; the host's never"
  )
  func pending() {
    func feed(wait: UInt64, _ reports: AccountReport...) -> Feed {
      Feed(
        [
          Event.inquiry(.usersBegun(waitNanoseconds: wait)), Event.host("node"), Event.cgroup(1, "/"),
          Event.container(cgroup: 900, containerID: containerID, podUID: podUID),
        ] + reports.map { Event.report($0) })
    }
    var gone = Self.accounts([])
    gone.isUnknown = true
    for field in [Field.userName, .userHome, .userShell, .userLoginName, .groupName] {
      let unknown = field == .groupName ? "root" : "<NA>"
      #expect(feed(wait: .max).text(field, on: Self.open(as: 0)) == "<pending>")
      #expect(feed(wait: .max).text(field, on: Self.open(as: 5, cgroup: 1)) == unknown)
      #expect(feed(wait: .max, gone).text(field, on: Self.open(as: 5)) == unknown)
      #expect(feed(wait: .max, Self.accounts([])).text(field, on: Self.open(as: 5)) == unknown)
      #expect(feed(wait: 100_000_000_000).text(field, on: Self.open(as: 5)) == unknown)
    }
    let known = feed(wait: .max, Self.accounts([(0, "keeper")]), gone)
    #expect(known.text(.userName, on: Self.open(as: 0)) == "keeper", "what was known counts")
  }

  @Test("who logged in has a name, and nobody did on most processes")
  func login() {
    let feed = Self.feed(Self.accounts([(1000, "web")]))
    var process = Self.process(0)
    process.loginUserID = 1000
    #expect(feed.text(.userLoginName, on: Event.exec(process)) == "web")
    #expect(feed.text(.userLoginName, on: Self.open(as: 3)) == "<NA>")
  }

  @Test("a cgroup that bears another container's id has no say in that one's names")
  func impersonation() {
    let feed = Self.feed(Self.accounts([(1000, "web")]))
    let outer = "/kubepods/podffffffff-90ab-4cde-8f01-23456789abcd/\(containerID)"
    feed.apply(Event.cgroup(901, outer))
    feed.apply(Event.report(Self.accounts([(1000, "root")], podUID: "ffffffff-90ab-4cde-8f01-23456789abcd")))
    #expect(feed.text(.userName, on: Self.open(as: 1000)) == "web")
    #expect(feed.text(.userName, on: Self.open(as: 1000, cgroup: 901)) == "root")
  }

  @Test("the later list takes the place of the earlier one; of two with one id the first counts")
  func again() {
    let feed = Self.feed(Self.accounts([(1, "a")]), Self.accounts([(2, "b"), (2, "c")]))
    #expect(feed.text(.userName, on: Self.open(as: 1)) == "<NA>")
    #expect(feed.text(.userName, on: Self.open(as: 2)) == "b")
    #expect(feed.state.statistics.accountListCount == 1)
  }

  @Test("lists of containers without processes are forgotten, that of the host stays")
  func removal() {
    let feed = Self.feed(Self.host, Self.accounts([(1, "a")]))
    let second: UInt64 = 1_000_000_000
    feed.apply(Event.seed(Self.process(1)), Event.tick(at: 1000 * second), Event.exit(Self.process(1)))
    feed.apply(Event.tick(at: 1059 * second))
    #expect(feed.state.statistics.accountListCount == 2)
    feed.apply(Event.tick(at: 1061 * second))
    #expect(feed.state.statistics.accountListCount == 1 && feed.state.statistics.forgottenAccountListCount == 1)
    #expect(feed.text(.userName, on: Self.open(as: 1000, cgroup: 1)) == "admin")
  }

  @Test("their number and bytes are bounded, the host's comes before all, and nobody makes room for the unannounced")
  func limits() {
    var limits = StateLimits()
    limits.accountListCountMax = 3
    limits.accountListByteCountMax = 0
    let feed = Feed(limits: limits)
    feed.apply(Event.cgroup(1, "/"), Event.report(Self.host))
    let large = (0..<UInt32(AccountReport.countMax)).map { ($0, "user-with-a-long-name-\($0)") }
    for number in 0..<20 {
      let id = String(repeating: "0", count: 62) + (number < 10 ? "0" : "") + "\(number)"
      feed.apply(Event.cgroup(1000 + UInt64(number), "/docker/\(id)"))
      feed.apply(Event.report(Self.accounts(large, of: id, podUID: ""), at: 1))
    }
    feed.apply(Event.report(Self.accounts(large, of: "never announced", podUID: ""), at: 1))
    #expect(feed.state.statistics.accountListCount <= 3)
    #expect(feed.state.statistics.evictedAccountListCount >= 18)
    #expect(feed.state.statistics.accountListByteCount < 400_000)
    #expect(feed.text(.userName, on: Self.open(as: 1000, cgroup: 1)) == "admin")
  }

  @Test("a report of megabytes is cut; a record that lies about its lists is none")
  func bounds() throws {
    var report = AccountReport(containerID: Array(containerID.utf8))
    for id in 0..<UInt32(5000) {
      _ = report.add(user: .init(id: id, name: Array(repeating: 0xff, count: 4096), home: [10, 34, 0]))
    }
    let record = Event.report(report)
    #expect(report.isCut && record.bytes.count <= AccountReport.recordByteCountMax)
    #expect(try #require(record.record).users.count == AccountReport.allTextsByteCountMax / 259)
    let whole = Event.report(Self.accounts([(1, "a"), (2, "b")]))
    for offset in stride(from: MemoryLayout<martlet_record>.size, to: whole.bytes.count, by: 4) {
      for value in [UInt32.max, 1, UInt32(whole.bytes.count)] {
        let damaged = Event.report(Self.accounts([(1, "a"), (2, "b")]))
        damaged.bytes.storeBytes(of: value, toByteOffset: offset, as: UInt32.self)
        guard let record = damaged.record else { continue }
        for account in record.users { _ = (record.users.name(account).array, record.users.shell(account).array) }
      }
    }
  }
}

@Suite("A container's start")
struct ContainerStartTests {
  private static let first: TestProcess = {
    var process = TestProcess(50, "/bin/web", arguments: ["-p", "80"])
    process.cgroupID = 900
    process.userID = 33
    process.namespaceID = 1
    return process
  }()
  private static var start: TestRecord { Event.report(ContainerStart(cgroupID: 900, hierarchy: 0), at: 300) }
  private static var told: [TestRecord] {
    [Event.host("node"), Event.container(cgroup: 900, containerID: containerID, podUID: podUID)]
  }

  @Test("is an event of its own, by the process that the container was started with, with what the runtime said")
  func fields() {
    let feed = Feed(Self.told + [Event.exec(Self.first), Event.report(report)])
    var other = Self.first.child(51, "/bin/other")
    other.namespaceID = 7
    feed.apply(Event.exec(other))
    let expected: [(Field, String?)] = [
      (.eventType, "container"), (.eventCategory, "internal"), (.eventResult, nil), (.eventRawResult, nil),
      (.eventFailed, "false"), (.containerName, "web"), (.containerPrivileged, "false"), (.processName, "web"),
      (.processID, "50"), (.processNamespaceID, "1"), (.processCommandLine, "web -p 80"), (.userID, "33"),
      (.containerID, String(containerID.prefix(12))), (.fdName, nil), (.processAncestorName, "web"),
    ]
    for (field, text) in expected { #expect(feed.text(field, .index(0), on: Self.start) == text, "\(field)") }
  }

  @Test("is told of a container without a process, and of one by a v1 cgroup, and of nobody when the cgroup is unknown")
  func noProcess() {
    let feed = Feed(Self.told + [Event.report(report)])
    #expect(feed.text(.containerName, on: Self.start) == "web")
    #expect(feed.text(.processName, on: Self.start) == "")
    #expect(feed.text(.userID, on: Self.start) == nil && feed.text(.userName, on: Self.start) == "<NA>")
    feed.apply(Event.cgroup(77, "/docker/\(containerID)", hierarchy: 1))
    let legacy = Event.report(ContainerStart(cgroupID: 77, hierarchy: 1))
    #expect(feed.text(.containerID, on: legacy) == String(containerID.prefix(12)))
    let unknown = Event.report(ContainerStart(cgroupID: 5, hierarchy: 0))
    #expect(feed.text(.containerID, on: unknown) == "unknown")
  }

  @Test("where nothing has a pid namespace of its own, the first process stands for the container")
  func hostPID() {
    var process = Self.first
    process.namespaceID = 50
    let feed = Feed(Self.told + [Event.exec(process), Event.exec(process.child(52, "/bin/late"))])
    #expect(feed.text(.processName, on: Self.start) == "web")
  }
}
