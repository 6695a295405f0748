// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletCapture
import MartletEvents
import MartletState
import Testing

extension KernelTests {
  @Suite("Names")
  struct NameTests {
    private static let address = "127.9.9.9"
    private static let resolvers = ["10.7.0.1", "::1", "127.0.7.53"]

    /// What a process does in a network of its own, or in the node's, and whether its connect has the name then.
    struct Case: CustomTestStringConvertible, Sendable {
      let testDescription: String
      let verbs: [String]
      var isNamed = false
      /// Answers that are told, and those of them that are not believed.
      var toldCount = 1
      var untrustedCount: UInt64 = 0
      var filteredCount: UInt64 = 0
    }

    static let cases = [
      Case(
        testDescription: "an answer that was asked for names the address",
        verbs: ["own-network", "tun", "resolve-outside", "honest", "ask", "10.7.0.1", "A.example"], isNamed: true),
      Case(
        testDescription: "only once",
        verbs: ["own-network", "tun", "resolve-outside", "twice", "ask", "10.7.0.1", "a.example"],
        isNamed: true, filteredCount: 1),
      Case(
        testDescription: "a long answer does too",
        verbs: ["own-network", "tun", "resolve-outside", "long", "ask", "10.7.0.1", "a.example"], isNamed: true),
      Case(
        testDescription: "one that the container runs at the resolver's address is not believed",
        verbs: ["own-network", "resolve-inside", "10.7.0.1", "honest", "ask", "10.7.0.1", "a.example"],
        untrustedCount: 1),
      Case(
        testDescription: "nor one on its loopback",
        verbs: ["own-network", "resolve-inside", "::1", "honest", "ask", "::1", "a.example"], untrustedCount: 1),
      Case(
        testDescription: "nor one that nobody has configured",
        verbs: ["own-network", "tun", "resolve-outside", "honest", "ask", "10.7.0.9", "a.example"], untrustedCount: 1),
      Case(
        testDescription: "an answer with another number is none",
        verbs: ["own-network", "tun", "resolve-outside", "wrong-number", "ask", "10.7.0.1", "a.example"], toldCount: 0,
        filteredCount: 1),
      Case(
        testDescription: "nor is one by another sender",
        verbs: ["own-network", "tun", "resolve-outside", "other-sender", "ask", "10.7.0.1", "a.example"], toldCount: 0,
        filteredCount: 1),
      Case(
        testDescription: "nor one that nobody asked for", verbs: ["own-network", "tun", "unasked", "10.7.0.1"],
        toldCount: 0, filteredCount: 1),
      Case(
        testDescription: "one that says no names nothing",
        verbs: ["own-network", "tun", "resolve-outside", "failing", "ask", "10.7.0.1", "a.example"], toldCount: 0,
        filteredCount: 1),
    ]

    private static func recorder(in cgroup: TestCgroup, typedLoads: Bool = true) throws -> Recorder {
      var configuration = CaptureConfiguration.sockets(in: cgroup)
      configuration.includesNames = true
      // Which network namespace is the node's is known by the kernel's own threads.
      configuration.seed = .automatic
      configuration.usesTypedLoads = typedLoads
      configuration.resolvers = resolvers.compactMap { IPAddress(text: $0) }
      return try Recorder(configuration)
    }

    @Test("which answers name an address", arguments: cases, [true, false])
    func answers(_ expected: Case, typedLoads: Bool) throws {
      let cgroup = try TestCgroup()
      let recorder = try Self.recorder(in: cgroup, typedLoads: typedLoads)
      let actor = try Actor(["join", cgroup.path] + expected.verbs + ["connect", "udp", Self.address, "443"])
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      #expect(recorder.records.filter { $0.kind == .dns }.count == expected.toldCount)
      var state = SystemState()
      var named: [String?] = []
      for record in recorder.records {
        guard var context = state.apply(record), record.kind == .connect,
          record.common.pointee.process_id == UInt32(actor.process), record.connect.pointee.remote_port == 443
        else { continue }
        if case .text(let name) = context.value(of: .fdServerName) {
          named.append(name.string)
        } else {
          named.append(nil)
        }
      }
      #expect(named == [expected.isNamed ? "a.example" : nil])
      #expect(state.statistics.untrustedAnswerCount == expected.untrustedCount)
      #expect(state.statistics.malformedAnswerCount == 0)
      let hook = try #require(recorder.source.statistics().hooks[.dns])
      #expect(hook.isBalanced && hook.lost == 0)
      #expect(hook.filtered == expected.filteredCount && hook.delivered == UInt64(expected.toldCount))
    }

    @Test("a resolver on loopback is believed in the namespace of the kernel's own threads, and nowhere else")
    func loopback() throws {
      let cgroup = try TestCgroup()
      let recorder = try Self.recorder(in: cgroup)
      let actor = try Actor(
        "join", cgroup.path, "resolve-inside", "127.0.7.53", "honest", "ask", "127.0.7.53", "a.example")
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      var state = SystemState()
      for record in recorder.records { _ = state.apply(record) }
      let first = try #require(recorder.records.first { $0.kind == .process && $0.common.pointee.process_id == 2 })
      let answer = try #require(recorder.records.first { $0.kind == .dns })
      // Where these tests run in a container of their own, they are elsewhere.
      let isThere = first.process.pointee.network_namespace == answer.dns.pointee.network_namespace
      #expect(state.statistics.nameCount == (isThere ? 1 : 0))
      #expect(state.statistics.untrustedAnswerCount == (isThere ? 0 : 1))
    }

    @Test("an answer is told with its beginning and its whole length, by no process")
    func long() throws {
      let cgroup = try TestCgroup()
      let recorder = try Self.recorder(in: cgroup)
      let actor = try Actor("join", cgroup.path, "own-network", "resolve-inside", "::1", "long", "ask", "::1", "a.b")
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      let record = try #require(recorder.records.first { $0.kind == .dns })
      let part = record.dns.pointee
      #expect(part.message.length_bytes == 1232)
      #expect(part.message_bytes == 12 + 5 + 4 + 16 + 2000)
      #expect(part.interface_index == 1 && part.family == UInt16(AF_INET6) && part.socket_cookie != 0)
      #expect(part.record.process_id == 0 && part.record.cgroup_id == 0 && part.record.time_ns > 0)
      #expect(withUnsafeBytes(of: part.resolver_address) { Array($0) } == Array(repeating: 0, count: 15) + [1])
    }

    @Test("other packets pass, and cost no record")
    func others() throws {
      let cgroup = try TestCgroup()
      let recorder = try Self.recorder(in: cgroup)
      let actor = try Actor("join", cgroup.path, "listen", "127.0.0.1", "repeat-connect", "20", "receive", "recvfrom")
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      #expect(recorder.source.statistics().hooks[.dns]?.seen == 0)
    }

    @Test("a resolver's list comes before what it is needed for, and once")
    func list() throws {
      let cgroup = try TestCgroup()
      let recorder = try Self.recorder(in: cgroup)
      for _ in 0..<2 { recorder.record(until: "a tick") { $0.kind == .tick } }
      let lists = recorder.records.filter { $0.kind == .resolvers }
      #expect(lists.count == 1)
      #expect(recorder.records.prefix(2).contains { $0.kind == .resolvers })
    }

    @Test("nothing is attached where names are not asked for")
    func unwanted() throws {
      let cgroup = try TestCgroup()
      let recorder = try Recorder(.sockets(in: cgroup))
      let hooks = recorder.source.hooks.filter { ["questions", "answers"].contains($0.name) }
      #expect(hooks.count == 2)
      #expect(hooks.allSatisfy { !$0.isWanted && !$0.isAttached })
      recorder.record(until: "a tick") { $0.kind == .tick }
      #expect(!recorder.records.contains { $0.kind == .resolvers })
    }

    @Test("without a cgroup it is said what is missing")
    func withoutCgroup() throws {
      var configuration = CaptureConfiguration.sockets(in: nil)
      configuration.includesNames = true
      let recorder = try Recorder(configuration)
      #expect(recorder.source.warnings.contains { $0.hooks == ["questions", "answers"] })
    }
  }
}
