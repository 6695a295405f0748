// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletCapture
import MartletEvents
import Testing

extension KernelTests {
  /// The agent proves that its hooks work, and tells of who lays hands on it. Here the test program is the agent.
  @Suite("The agent itself")
  struct SelfTests {
    /// The name of no other program.
    private static let canaryName = "test-canary"
    private let folder: Folder
    private let canary: String

    init() throws {
      folder = try Folder()
      canary = folder.link(Self.canaryName, to: "/bin/true")
    }

    private func configuration(in cgroup: TestCgroup? = nil) -> CaptureConfiguration {
      var configuration = CaptureConfiguration.sockets(in: cgroup)
      configuration.canary = CanaryProgram(path: canary, argument: "canary")
      configuration.canaryMilliseconds = 240
      return configuration
    }

    /// Takes batches until every attached hook has been judged `rounds` times over.
    private func proofs(_ recorder: Recorder, until isDone: (CaptureHook) -> Bool) -> [String: CaptureProof] {
      let deadline = time(nil) + secondsUntilHung
      while recorder.source.hooks.contains(where: { $0.isAttached && !isDone($0) }) && time(nil) <= deadline {
        recorder.take(timeoutMilliseconds: 20)
      }
      return Dictionary(
        uniqueKeysWithValues: recorder.source.hooks.filter(\.isAttached).map { ($0.name, $0.proof) })
    }

    private func notices(_ recorder: Recorder, _ subject: NoticeSubject) -> [(detail: String, process: UInt32)] {
      recorder.records.filter { $0.kind == .notice && $0.notice.pointee.subject == subject.rawValue }.map {
        ($0.bytes($0.notice.pointee.detail).string, $0.common.pointee.process_id)
      }
    }

    @Test("every attached hook is proven, and nothing of that is an event", arguments: [true, false])
    func proven(typed: Bool) throws {
      let cgroup = try TestCgroup()
      let stay = try CgroupStay(in: cgroup)
      var configuration = configuration(in: cgroup)
      configuration.usesTypedLoads = typed
      configuration.models = .usual
      configuration.includesNames = true
      let recorder = try Recorder(configuration)
      let proofs = proofs(recorder) { $0.proof != .untried }
      #expect(proofs.count >= 16 && proofs["changes"] == .proven && proofs["answers"] == .proven)
      for (hook, proof) in proofs {
        #expect(proof == .proven || hook.hasPrefix("ring") && !RingAccess.isThere, "\(hook)")
      }
      // A last look at what may still be on its way.
      recorder.take(timeoutMilliseconds: 0)
      let own = UInt32(getpid())
      let ours = recorder.records.filter {
        $0.common.pointee.process_id == own || $0.kind == .fork && $0.fork.pointee.creator_id == own
      }
      // Other tests of this process start programs as well.
      let started = Set(recorder.records.filter { $0.kind == .exec }.map(\.common.pointee.process_id))
      let unexpected = ours.filter { record in
        record.kind != .cgroup && !(record.kind == .fork && started.contains(record.common.pointee.process_id))
      }
      #expect(unexpected.isEmpty, "\(unexpected.map(\.kind))")
      #expect(!recorder.records.contains { $0.comm.string == Self.canaryName && $0.kind != .cgroup })
      #expect(notices(recorder, .unproven).isEmpty)
      let statistics = recorder.source.settledStatistics()
      #expect(statistics.sourceRecords > 12 && statistics.isBalanced && statistics.lost == 0)
      withExtendedLifetime(stay) {}
    }

    @Test("outside the cgroup of the hooks they are not proven, and not said to be broken")
    func outside() throws {
      let cgroup = try TestCgroup()
      let recorder = try Recorder(configuration(in: cgroup))
      let proofs = proofs(recorder) { $0.proof != .untried }
      #expect(proofs["connect4"] == .untestable && proofs["connect"] == .proven)
      #expect(notices(recorder, .unproven).isEmpty)
    }

    @Test("a program that somebody takes off is told, with what is no longer seen; and who did it")
    func detached() throws {
      let cgroup = try TestCgroup()
      let stay = try CgroupStay(in: cgroup)
      let recorder = try Recorder(configuration(in: cgroup))
      _ = proofs(recorder) { $0.proof != .untried }
      var facts = stat()
      #expect(stat(cgroup.path, &facts) == 0)
      let actor = try Actor("detach-link", "\(facts.st_ino)", "\(inet4Connect)")
      recorder.record(until: "the notice") {
        $0.kind == .notice && $0.notice.pointee.subject == NoticeSubject.unproven.rawValue
      }
      #expect(actor.finish() == 0)
      let hooks = recorder.source.hooks.filter { $0.proof == .failed }
      #expect(hooks.map(\.name) == ["connect4"])
      let told = notices(recorder, .unproven)
      #expect(told.count == 1 && told[0].detail.hasPrefix("connect4 does not answer; not seen: "))
      #expect(recorder.source.takeFindings().count == 1 && recorder.source.takeFindings().isEmpty)
      let acts = notices(recorder, .tamper)
      #expect(acts.contains { $0.detail.hasPrefix("BPF_LINK_") && $0.process == UInt32(actor.process) })
      withExtendedLifetime(stay) {}
    }

    @Test("each generation is proven and guarded, those that have gone are not; hooks that it adds are proven as well")
    func generations() throws {
      let cgroup = try TestCgroup()
      let stay = try CgroupStay(in: cgroup)
      var few = configuration(in: cgroup)
      few.eventTypes = EventTypeSet(.execve)
      var many = configuration(in: cgroup)
      many.includesEnvironment = true
      let recorder = try Recorder(few)
      let source = recorder.source
      for (round, next) in [many, few, many].enumerated() {
        let attached = source.hooks.count(where: \.isAttached), seen = source.statistics().hooks[.tamper]?.seen ?? 0
        let change = try source.prepare(next)
        #expect(change.extent == .programs)
        let actor = try Actor("tamper", "programs", "\(getpid())")
        recorder.record(untilEndOf: actor.process)
        #expect(actor.finish() == 0)
        let opened = (source.statistics().hooks[.tamper]?.seen ?? 0) - seen
        try source.adopt(change)
        let proofs = proofs(recorder) { $0.proof != .untried }
        // The programs of both generations, and the entries that lead to them.
        #expect(opened == UInt64(attached + proofs.count + max(attached, proofs.count)), "\(round)")
        #expect(proofs["recvmsg6"] == (round % 2 == 1 ? nil : .proven))
        for (hook, proof) in proofs {
          #expect(proof == .proven || hook.hasPrefix("ring") && !RingAccess.isThere, "\(hook), \(round)")
        }
        #expect(notices(recorder, .tamper).contains { $0.process == UInt32(actor.process) })
      }
      #expect(notices(recorder, .unproven).isEmpty && source.statistics().lost == 0)
      withExtendedLifetime(stay) {}
    }

    private static let acts: [(how: String, subject: NoticeSubject, detail: String)] = [
      ("kill", .signal, "signal 23"), ("tgkill", .signal, "signal 23"), ("disguised", .signal, "signal 23"),
      ("pidfd-signal", .signal, "signal 23"), ("ptrace", .tamper, "traced with ptrace"),
      ("read-memory", .tamper, "memory read with process_vm_readv"),
      ("write-memory", .tamper, "memory read with process_vm_readv"),
      ("pidfd-getfd", .tamper, "descriptor 0 taken with pidfd_getfd"),
      ("memory-file", .tamper, "memory opened in /proc to read"),
      ("memory-file-write", .tamper, "memory opened in /proc to write"),
      ("thread-memory-file", .tamper, "memory opened in /proc to write"),
      ("maps", .tamper, "BPF_MAP_GET_FD_BY_ID of map "), ("programs", .tamper, "BPF_PROG_GET_FD_BY_ID of program "),
      ("links", .tamper, "BPF_LINK_GET_FD_BY_ID of link "),
    ]

    @Test("whoever lays hands on the agent is told, whatever rules ask", arguments: acts.indices, [true, false])
    func tampering(index: Int, typed: Bool) throws {
      let (how, subject, detail) = Self.acts[index]
      var configuration = CaptureConfiguration.withoutSeed
      configuration.usesTypedLoads = typed
      // As rules about execs and one file would have it.
      configuration.eventTypes = EventTypeSet([EventTypeSet(.execve), EventTypeSet(.openat)])
      configuration.filter = .nothingButExecs
      let recorder = try Recorder(configuration)
      if how == "memory-file" { return try readOnly(recorder) }
      let actor = try Actor("tamper", how, "\(getpid())")
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      recorder.take(timeoutMilliseconds: 0)
      let told = notices(recorder, subject).filter { $0.process == UInt32(actor.process) }
      #expect(told.first?.detail.hasPrefix(detail) == true, "\(told)")
      #expect(told.allSatisfy { $0.detail.hasSuffix(" by 'KernelTestActor'") })
      #expect(recorder.records(of: .call, by: actor.process).isEmpty)
      #expect(recorder.source.settledStatistics().isBalanced)
    }

    /// Where no rule asks for the names of files that are read, no one looks at what is opened to read: the price for
    /// reads that cost nothing. Where some rule does, this is told too.
    private func readOnly(_ closed: Recorder) throws {
      let first = try Actor("tamper", "memory-file", "\(getpid())")
      closed.record(untilEndOf: first.process)
      #expect(first.finish() == 0)
      #expect(notices(closed, .tamper).isEmpty)
      let open = try Recorder()
      let second = try Actor("tamper", "memory-file", "\(getpid())")
      open.record(untilEndOf: second.process)
      #expect(second.finish() == 0)
      open.take(timeoutMilliseconds: 0)
      #expect(notices(open, .tamper).contains { $0.detail.hasPrefix("memory opened in /proc to read") })
    }

    @Test(
      "the same done to others stays in the kernel",
      arguments: acts.map(\.how).filter { !["maps", "programs", "links"].contains($0) })
    func toOthers(how: String) throws {
      let victim = try Actor("wait")
      #expect(victim.awaitWaiting())
      var configuration = CaptureConfiguration.withoutSeed
      configuration.eventTypes = EventTypeSet(.execve)
      let recorder = try Recorder(configuration)
      let actor = try Actor("tamper", how, "\(victim.process)")
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      recorder.take(timeoutMilliseconds: 0)
      #expect(!recorder.records.contains { $0.kind == .notice })
      #expect(recorder.source.statistics().hooks[.tamper]?.seen == 0)
      #expect(recorder.records(of: .call, by: actor.process).isEmpty)
      victim.finish()
    }

    @Test(
      "without the tracepoints of rings a container that sets one up is told of, and the host is not",
      .enabled(if: RingAccess.isThere, "needs io_uring"), arguments: [true, false])
    func unseenRing(isHost: Bool) throws {
      var configuration = CaptureConfiguration.withoutSeed
      configuration.watchesRings = false
      configuration.eventTypes = EventTypeSet(.openat)
      let recorder = try Recorder(configuration)
      #expect(recorder.source.asksForHostCgroups)
      let witness = try Actor("end", "0")
      recorder.record(untilEndOf: witness.process)
      let record = try #require(recorder.records.last { $0.kind == .exit })
      if isHost {
        recorder.source.noteHostCgroup(id: record.common.pointee.cgroup_id, hierarchy: 0)
        recorder.source.noteHostCgroup(id: record.common.pointee.cgroup_v1_id, hierarchy: 1)
      }
      let actor = try Actor("ring-open", "plain", "/")
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      recorder.take(timeoutMilliseconds: 0)
      let told = notices(recorder, .unseen).filter { $0.process == UInt32(actor.process) }
      #expect(told.map(\.detail) == (isHost ? [] : ["io_uring set up by 'KernelTestActor'"]))
      #expect(recorder.source.warnings.contains { $0.hooks.contains("ring completion") })
    }
  }
}

/// This process in a cgroup, until this is gone.
private final class CgroupStay {
  private let home: String

  init(in cgroup: TestCgroup) throws {
    var facts = [UInt8](repeating: 0, count: 4096)
    let file = open("/proc/self/cgroup", O_RDONLY)
    defer { close(file) }
    let count = max(read(file, &facts, facts.count), 0)
    let text = String(decoding: facts[..<count], as: UTF8.self)
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("0::") })
    let mount = cgroup.path[..<(cgroup.path.lastIndex(of: "/") ?? cgroup.path.startIndex)]
    home = String(mount + line.dropFirst(3))
    try #require(Self.enter(cgroup.path))
  }

  deinit { _ = Self.enter(home) }

  private static func enter(_ path: String) -> Bool {
    guard let file = fopen(path + "/cgroup.procs", "w") else { return false }
    fputs("\(getpid())", file)
    return fclose(file) == 0
  }
}

/// `enum bpf_attach_type`.
private let inet4Connect = 10

extension KernelFilter {
  /// Drops every open without a look at its name.
  fileprivate static var nothingButExecs: KernelFilter {
    var filter = KernelFilter.none
    filter.opens = OpenFilter(verdicts: Array(repeating: .drop, count: OpenClass.count), names: [:])
    return filter
  }
}
