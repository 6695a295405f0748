// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletCapture
import MartletEvents
import Testing

/// An internet socket's record as values.
struct SocketCall: Equatable, CustomStringConvertible {
  let type: EventType?
  let remote: String
  let result: Int64
  let hasDescriptor: Bool

  init(_ type: EventType, to remote: String, _ result: Int64, hasDescriptor: Bool = true) {
    self.type = type
    self.remote = remote
    self.result = result
    self.hasDescriptor = hasDescriptor
  }

  init(_ record: EventRecord) {
    let part = record.connect.pointee
    type = record.type
    var text = [CChar](repeating: 0, count: 64)
    withUnsafeBytes(of: part.remote_address) { bytes in
      _ = inet_ntop(Int32(part.family), bytes.baseAddress, &text, 64)
    }
    remote = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    result = part.result
    hasDescriptor = part.fd > 2
  }

  var description: String { "\(type.map { "\($0)" } ?? "?") \(remote) \(result) \(hasDescriptor)" }
}

extension KernelTests {
  @Suite("Attempts to connect")
  struct AttemptTests {
    /// One way to connect and what is told of it. `unasked` is what is told without the cgroup's hooks, where it differs.
    struct Case: CustomTestStringConvertible, Sendable {
      let name: String
      let verbs: [String]
      let told: [(to: String, result: Int64, hasDescriptor: Bool)]
      var unasked: [(to: String, result: Int64, hasDescriptor: Bool)]?
      var testDescription: String { name }
    }

    private static let refused = -Int64(ECONNREFUSED)
    private static let unreachable = -Int64(ENETUNREACH)
    private static let inProgress = -Int64(EINPROGRESS)

    static let cases: [Case] = [
      Case(
        name: "blocking", verbs: ["listen", "127.0.0.1", "tcp", "blocking", "127.0.0.1", "0"],
        told: [("127.0.0.1", 0, true)]),
      Case(
        name: "non-blocking, and asked for its result",
        verbs: ["listen", "127.0.0.1", "tcp", "nonblocking", "127.0.0.1", "0"], told: [("127.0.0.1", 0, true)]),
      Case(name: "refused", verbs: ["tcp", "blocking", "127.0.0.1", "1"], told: [("127.0.0.1", refused, true)]),
      Case(
        name: "non-blocking and refused", verbs: ["tcp", "nonblocking", "127.0.0.1", "1"],
        told: [("127.0.0.1", refused, true)],
        // The second call asks for the result of the first and looks like another attempt.
        unasked: [("127.0.0.1", refused, true), ("127.0.0.1", refused, true)]),
      Case(
        name: "unreachable", verbs: ["tcp", "blocking", "203.0.113.1", "80"],
        told: [("203.0.113.1", unreachable, true)]),
      Case(
        name: "IPv6", verbs: ["listen", "::1", "tcp", "blocking", "::1", "0"], told: [("::1", 0, true)]),
      Case(
        name: "IPv6, unreachable", verbs: ["tcp", "blocking", "2001:db8::1", "80"],
        told: [("2001:db8::1", unreachable, true)]),
      Case(
        name: "IPv4 in an IPv6 socket", verbs: ["listen", "127.0.0.1", "tcp", "blocking", "::ffff:127.0.0.1", "0"],
        told: [("::ffff:127.0.0.1", 0, true)]),
      Case(
        name: "TCP Fast Open", verbs: ["listen", "127.0.0.1", "tcp", "fastopen", "127.0.0.1", "0"],
        told: [("127.0.0.1", 0, false)]),
      Case(
        name: "without an answer, and its process ends",
        verbs: [
          "listen-full", "127.0.0.1", "tcp", "nonblocking", "127.0.0.1", "0",
        ],
        told: [("127.0.0.1", 0, true), ("127.0.0.1", inProgress, true)]),
      Case(
        name: "a datagram socket, tied and untied", verbs: ["udp-connect", "127.0.0.1", "9"],
        told: [("127.0.0.1", 0, true)]),
      Case(
        name: "a datagram socket, unreachable", verbs: ["udp-connect", "203.0.113.1", "53"],
        told: [("203.0.113.1", unreachable, true)]),
      Case(
        name: "a datagram socket, IPv6", verbs: ["udp-connect", "::1", "9"], told: [("::1", 0, true)]),
      Case(
        name: "io_uring", verbs: ["listen", "127.0.0.1", "ring-socket", "tcp", "127.0.0.1", "0"],
        told: [("127.0.0.1", 0, false)]),
      Case(
        name: "io_uring, a datagram socket", verbs: ["ring-socket", "udp", "127.0.0.1", "9"],
        told: [("127.0.0.1", 0, false)]),
      Case(
        name: "in another network namespace",
        verbs: [
          "own-network", "listen", "127.0.0.1", "tcp", "blocking", "127.0.0.1", "0",
        ],
        told: [("127.0.0.1", 0, true)]),
    ]

    @Test("each is one event, with its result", arguments: cases, [true, false])
    func attempt(_ expected: Case, hasCgroup: Bool) throws {
      let cgroup = try TestCgroup()
      let recorder = try Recorder(.sockets(in: hasCgroup ? cgroup : nil))
      try #require(recorder.source.hooks.first { $0.name == "connect4" }?.isAttached == hasCgroup)
      // No route leads out of a network of its own, whatever this machine is connected to.
      let actor = try Actor(["join", cgroup.path, "own-network"] + expected.verbs)
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      let told = recorder.records(of: .connect, by: actor.process).map(SocketCall.init).filter { $0.type == .connect }
      let wanted = (hasCgroup ? nil : expected.unasked) ?? expected.told
      #expect(told == wanted.map { SocketCall(.connect, to: $0.to, $0.result, hasDescriptor: $0.hasDescriptor) })
      #expect(recorder.source.settledStatistics().hooks[.connect]?.isBalanced == true)
    }

    @Test("after 100 ms without an answer it is told as in progress, once", arguments: [true, false])
    func inProgress(hasCgroup: Bool) throws {
      let cgroup = try TestCgroup()
      let recorder = try Recorder(.sockets(in: hasCgroup ? cgroup : nil))
      let actor = try Actor(
        "join", cgroup.path, "listen-full", "127.0.0.1", "openat", "/etc/hostname", "tcp", "nonblocking", "127.0.0.1",
        "0", "wait")
      // It does nothing more meanwhile.
      recorder.record(until: "the attempt in progress") {
        $0.kind == .connect && $0.common.pointee.process_id == UInt32(actor.process)
          && SocketCall($0).result == Self.inProgress
      }
      #expect(actor.finish() == 0)
      recorder.record(untilEndOf: actor.process)
      let connects = recorder.records(of: .connect, by: actor.process).filter { $0.type == .connect }
      try #require(connects.map { SocketCall($0).result } == [0, Self.inProgress])
      let opens = recorder.records(of: .open, by: actor.process)
        .filter { $0.bytes($0.open.pointee.name).string == "/etc/hostname" }
      try #require(opens.count == 1)
      #expect(connects[1].timeNanoseconds >= opens[0].timeNanoseconds + 100_000_000)
      #expect(connects[1].comm.string == "KernelTestActor")
    }

    @Test("an attempt that is under way is told before its process becomes another program")
    func exec() throws {
      let recorder = try Recorder()
      let actor = try Actor(
        "listen-full", "127.0.0.1", "tcp", "nonblocking", "127.0.0.1", "0", "exec", "end", "0")
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      let own = recorder.records.filter { $0.common.pointee.process_id == UInt32(actor.process) }
      let late = try #require(own.lastIndex { $0.kind == .connect && $0.type == .connect })
      let exec = try #require(own.lastIndex { $0.kind == .exec })
      #expect(late < exec)
    }

    @Test("two thousand connections are two thousand events", arguments: [true, false])
    func counted(hasCgroup: Bool) throws {
      let cgroup = try TestCgroup()
      let recorder = try Recorder(.sockets(in: hasCgroup ? cgroup : nil))
      let actor = try Actor("join", cgroup.path, "listen", "127.0.0.1", "repeat-connect", "2000")
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      let calls = recorder.records(of: .connect, by: actor.process).map(SocketCall.init)
      #expect(calls.count { $0.type == .connect && $0.result == 0 && $0.hasDescriptor } == 2000)
      #expect(calls.count { $0.type == .connect } == 2000)
      #expect(calls.count { $0.type == .accept && $0.result > 0 } == 2000)
    }

    @Test("more attempts than the table takes are told at once, and the ledger balances", arguments: [true, false])
    func fullTable(hasCgroup: Bool) throws {
      let cgroup = try TestCgroup()
      let recorder = try Recorder(.sockets(in: hasCgroup ? cgroup : nil))
      let actor = try Actor("join", cgroup.path, "flood-connect", "5000")
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      let calls = recorder.records(of: .connect, by: actor.process).map(SocketCall.init).filter { $0.type == .connect }
      #expect(calls.count == 5000)
      let statistics = recorder.source.settledStatistics()
      #expect((statistics.fullTables[.attempts] ?? 0) > 0)
      #expect(statistics.hooks[.connect]?.isBalanced == true)
    }

    @Test("an address that another thread changes is told as the kernel took it", arguments: [true, false])
    func changedAddress(hasCgroup: Bool) throws {
      let cgroup = try TestCgroup()
      let recorder = try Recorder(.sockets(in: hasCgroup ? cgroup : nil))
      let actor = try Actor("join", cgroup.path, "change-address", "5000")
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      let told = recorder.records(of: .connect, by: actor.process).map { "/\(SocketCall($0).remote)" }
      let taken = recorder.records(of: .open, by: actor.process).map { $0.bytes($0.open.pointee.name).string }
        .filter { $0.hasPrefix("/127.") }
      #expect(told.count == 5000 && told == taken)
      // Else the other thread was never in time, and nothing is shown.
      #expect(Set(taken).count == 2)
    }

    @Test("when no record finds room, every connection succeeds and is counted")
    func fullRing() throws {
      let cgroup = try TestCgroup()
      var configuration = CaptureConfiguration.sockets(in: cgroup)
      configuration.ringBytes = 256 << 10
      let recorder = try Recorder(configuration)
      let actor = try Actor(
        "join", cgroup.path, "pin-here", "listen", "127.0.0.1", "repeat-connect", "2000", "send", "sendto", "127.0.0.1",
        "1000", "1000", "wait")
      // Nothing is read meanwhile; the program ends with an error if one call fails.
      try #require(actor.awaitWaiting())
      #expect(actor.finish() == 0)
      let statistics = recorder.source.settledStatistics()
      let (connects, others) = try (
        #require(statistics.hooks[.connect]), #require(statistics.hooks[.socket])
      )
      #expect(connects.lost > 100 && others.lost > 100)
      #expect(connects.seen >= 2000 && connects.isBalanced && others.isBalanced)
    }

    @Test("what only rules for other events need is not attached, and no connection is told")
    func unwanted() throws {
      let cgroup = try TestCgroup()
      var configuration = CaptureConfiguration.sockets(in: cgroup)
      configuration.eventTypes = [EventTypeSet(.execve), EventTypeSet(.openat)]
      let recorder = try Recorder(configuration)
      let attached = recorder.source.hooks.filter(\.isAttached).map(\.name)
      #expect(!attached.contains { ["connect", "connect4", "sendmsg6", "recvmsg4"].contains($0) })
      #expect(recorder.source.warnings.isEmpty)
      let actor = try Actor(
        "join", cgroup.path, "listen", "127.0.0.1", "tcp", "blocking", "127.0.0.1", "0", "udp-connect", "127.0.0.1",
        "9", "unix", "dgram", "@martlet-\(getpid())", "send", "sendto", "127.0.0.1", "1", "1")
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      #expect(recorder.records(of: .connect, by: actor.process).isEmpty)
      #expect(recorder.records(of: .unix, by: actor.process).isEmpty)
    }

    @Test("without a cgroup, what is then not seen is told")
    func warnings() throws {
      let recorder = try Recorder(.sockets(in: nil))
      #expect(
        recorder.source.warnings.map(\.hooks) == [
          ["connect4", "connect6"], ["sendmsg4", "sendmsg6"], ["recvmsg4", "recvmsg6"],
        ])
      #expect(recorder.source.warnings.allSatisfy { $0.cause == "no cgroup is configured" && !$0.unseen.isEmpty })
    }
  }
}
