// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletCapture
import MartletEvents
import MartletMatching
import MartletRules
import MartletState
import Testing

extension KernelTests {
  @Suite("Filter of rules")
  struct ShadowTests {
    private func ruleset(_ conditions: String...) throws -> Ruleset {
      let text = conditions.enumerated().map { index, condition in
        "- rule: R\(index)\n  desc: D\n  condition: >\n    \(condition)\n  output: x\n  priority: NOTICE\n"
      }
      let result = Ruleset.compile([SourceFile(path: "a.yaml", text: text.joined())])
      return try #require(result.ruleset, "\(result.diagnostics.map(\.message))")
    }

    private func configuration(
      _ ruleset: Ruleset, in cgroup: TestCgroup?, marks: Bool = false
    ) -> CaptureConfiguration {
      var configuration = CaptureConfiguration.sockets(in: cgroup)
      configuration.filter = KernelFilterPlanner.plan(ruleset)
      configuration.eventTypes = ruleset.eventTypes
      configuration.marksUnwanted = marks
      return configuration
    }

    @Test("a connection that no rule can match is dropped where it is asked for", arguments: [true, false])
    func connections(hasCgroup: Bool) throws {
      let cgroup = try TestCgroup()
      let rules = try ruleset(
        #"evt.type in (connect, sendto) and fd.sip = "127.0.0.2""#,
        #"evt.type = connect and fd.net != "127.0.0.0/8" and fd.sport = 53"#,
        "evt.type = connect and fd.sport = 9 and proc.name = other")
      let recorder = try Recorder(configuration(rules, in: hasCgroup ? cgroup : nil))
      let actor = try Actor(
        "join", cgroup.path, "own-network", "listen", "127.0.0.1", "tcp", "blocking", "127.0.0.1", "0", "tcp",
        "blocking",
        "127.0.0.2", "1", "tcp", "nonblocking", "::ffff:127.0.0.2", "1", "udp-connect", "127.0.0.1", "9", "udp-connect",
        "127.0.0.2", "9", "udp-connect", "203.0.113.1", "53", "udp-connect", "203.0.113.1", "54", "tcp", "blocking",
        "203.0.113.1", "80", "ring-socket", "tcp", "127.0.0.1", "9", "unix", "missing", "/tmp/no-such-socket")
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      let told = recorder.records(of: .connect, by: actor.process).map(SocketCall.init).filter { $0.type == .connect }
      #expect(
        Array(told.map(\.remote).prefix(2)) == ["127.0.0.2", "::ffff:127.0.0.2"]
          && Set(told.map(\.remote)) == ["127.0.0.2", "::ffff:127.0.0.2", "203.0.113.1"], "\(told)")
      #expect(told.count { $0.remote == "203.0.113.1" } == 1)
      #expect(recorder.records(of: .unix, by: actor.process).isEmpty)
      let statistics = recorder.source.settledStatistics()
      #expect(statistics.hooks[.connect]?.isBalanced == true && (statistics.hooks[.connect]?.filtered ?? 0) > 0)
    }

    @Test("what no rule can match takes no room among the attempts", arguments: [true, false])
    func attempts(hasCgroup: Bool) throws {
      // The flood goes to 127.0.0.1, more than the table takes.
      for (address, isWanted) in [("127.0.0.1", true), ("127.0.0.2", false)] {
        let cgroup = try TestCgroup()
        let rules = try ruleset("evt.type = connect and fd.sip = \"\(address)\"")
        let recorder = try Recorder(configuration(rules, in: hasCgroup ? cgroup : nil))
        let actor = try Actor("join", cgroup.path, "own-network", "flood-connect", "5000")
        recorder.record(untilEndOf: actor.process)
        #expect(actor.finish() == 0)
        let statistics = recorder.source.settledStatistics()
        let hook = try #require(statistics.hooks[.connect])
        #expect(recorder.records(of: .connect, by: actor.process).count == (isWanted ? 5000 : 0))
        #expect((statistics.fullTables[.attempts] ?? 0 > 0) == isWanted)
        #expect(hook.isBalanced && (isWanted || hook.filtered >= 5000))
      }
    }

    @Test("a datagram to where no rule looks is dropped")
    func datagrams() throws {
      let cgroup = try TestCgroup()
      let rules = try ruleset(#"evt.type = sendto and fd.sip = "127.0.0.2""#)
      let recorder = try Recorder(configuration(rules, in: cgroup))
      let actor = try Actor(
        "join", cgroup.path, "own-network", "send", "sendto", "127.0.0.1", "1000", "3", "send", "sendto", "127.0.0.2",
        "1000", "1")
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      let told = recorder.records(of: .connect, by: actor.process).map(SocketCall.init)
      #expect(told.map(\.remote) == ["127.0.0.2"] && told.map(\.type) == [.sendto])
      let statistics = recorder.source.settledStatistics()
      #expect(statistics.hooks[.socket]?.isBalanced == true && (statistics.hooks[.socket]?.filtered ?? 0) >= 3)
    }

    @Test("opens through io_uring are filtered as others are", .enabled(if: RingAccess.isThere, "needs io_uring"))
    func rings() throws {
      let folder = try Folder()
      let wanted = try folder.file("wanted")
      let other = try folder.file("other")
      let recorder = try Recorder(
        configuration(try ruleset("evt.type in (openat, openat2) and fd.name endswith /wanted"), in: nil))
      let actor = try Actor(
        "ring-open", "plain", other, "ring-open", "plain", wanted, "ring-open", "openat2", other,
        "ring-open", "direct", other, "ring-open", "direct", wanted)
      recorder.record(untilEndOf: actor.process)
      actor.finish()
      let told = recorder.records(of: .open, by: actor.process).filter { $0.has(flag: MARTLET_FLAG_IO_URING) }
      #expect(told.map { $0.bytes($0.open.pointee.name).string } == [wanted, wanted])
      let hook = try #require(recorder.source.settledStatistics().hooks[.ring])
      #expect(hook.isBalanced && hook.filtered >= 3)
    }

    /// The soak does this for a minute of work, and with more rules: `.ci/soak-shadow`.
    @Test("what is marked as unwanted no rule matches", arguments: [true, false])
    func shadow(hasCgroup: Bool) throws {
      let folder = try Folder()
      let cgroup = try TestCgroup()
      let wanted = try folder.file("wanted.pem")
      let other = try folder.file("other")
      let link = folder.link("link", to: wanted)
      let rules = try ruleset(
        "evt.type in (open, openat) and fd.name endswith .pem", "evt.type = openat and fd.directory = /",
        "evt.type = creat and proc.name = KernelTestActor", "evt.type = mkdir and container.id = host",
        "evt.type = openat2 and proc.name = other", #"evt.type = connect and fd.sip = "127.0.0.2" and fd.sport < 5"#,
        #"evt.type = sendto and fd.snet = "127.0.0.0/30" and fd.l4proto = udp"#,
        "evt.type = chmod and container.id != host")
      let recorder = try Recorder(configuration(rules, in: hasCgroup ? cgroup : nil, marks: true))
      let actor = try Actor(
        "join", cgroup.path, "own-network", "openat", wanted, "openat", other, "openat", link, "openat2", wanted,
        "openat",
        "/proc/self/root/vmlinuz", "creat", "\(folder.path)/made", "chdir", folder.path, "openat", "wanted.pem",
        "openat",
        "./other", "openat", "/", "open", "/etc/hostname", "call", "mkdir", "\(folder.path)/new", "#493", ":", "call",
        "chmod", other, "#420", ":", "listen", "127.0.0.1", "tcp", "blocking", "127.0.0.1", "0", "tcp", "blocking",
        "127.0.0.2", "1", "tcp", "nonblocking", "127.0.0.2", "7", "udp-connect", "127.0.0.2", "1", "udp-connect",
        "127.0.0.3", "1", "send", "sendto", "127.0.0.2", "1000", "1", "send", "sendto", "127.0.0.7", "1000", "1")
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      var state = SystemState()
      let reference = ReferenceEvaluator(rules)
      var marked = 0
      var matched = 0
      for record in recorder.records {
        guard var context = state.apply(record) else { continue }
        let isMatched = reference.match(&context) != .none
        #expect(!(isMatched && record.isUnwanted), "\(record.kind) \(String(describing: record.type))")
        if record.isUnwanted { marked += 1 }
        if isMatched { matched += 1 }
      }
      #expect(marked >= 3 && matched >= 6, "\(marked) marked, \(matched) matched")
    }
  }
}
