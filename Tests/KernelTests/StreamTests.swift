// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents
import Testing

@testable import MartletCapture

extension KernelTests {
  @Suite("Stream")
  struct StreamTests {
    @Test("every hook has a program")
    func hooks() throws {
      let cgroup = try TestCgroup()
      var configuration = CaptureConfiguration.sockets(in: cgroup)
      configuration.seed = .automatic
      let recorder = try Recorder(configuration)
      #expect(
        recorder.source.hooks.map(\.name) == [
          "exec", "fork", "exit", "system calls", "connect", "seed", "connect4", "connect6", "sendmsg4", "sendmsg6",
          "recvmsg4", "recvmsg6", "ring submission", "ring completion", "questions", "answers", "signals", "changes",
          "changes within a tick", "changes in coarse time",
        ])
      let wanted = recorder.source.hooks.filter(\.isWanted)
      // All but those that read names and those that watch files, which nobody asked for.
      #expect(wanted.count == recorder.source.hooks.count - 5)
      for hook in wanted { #expect(hook.isAttached && hook.refusal == 0, "\(hook.name)") }
      #expect(recorder.source.warnings.isEmpty)
    }

    @Test("without typed loads, records say the same")
    func portableLoads() throws {
      let folder = try Folder()
      let file = try folder.file("file")
      var configuration = CaptureConfiguration.withoutSeed
      func story(typed: Bool) throws -> [String] {
        configuration.usesTypedLoads = typed
        let recorder = try Recorder(configuration)
        #expect(recorder.source.hasTypedLoads == typed)
        let actor = try Actor("chdir", folder.path, "openat", "file", "connect", "udp", "::1", "9", "children", "1")
        recorder.record(untilEndOf: actor.process)
        actor.finish()
        let open = try recorder.open(named: "file", by: actor.process)
        #expect(open.path == file)
        #expect(open.directory == folder.path)
        let exec = try #require(recorder.records(of: .exec, by: actor.process).first?.process.pointee)
        #expect(recorder.records(of: .connect, by: actor.process).count == 1)
        return [
          "\(open.part.inode) \(open.part.device) \(open.part.filesystem_magic) \(open.part.record.cgroup_v1_id)",
          "\(exec.exe_inode) \(exec.exe_modified_ns) \(exec.parent_id) \(exec.session_id) \(exec.pid_namespace)",
          "\(exec.capabilities_effective) \(exec.network_namespace) \(exec.login_user_id)",
        ]
      }
      #expect(try story(typed: false) == story(typed: true))
    }

    @Test("a cgroup is announced, with its path, before the first record that carries its id")
    func cgroup() throws {
      let mount = try #require(
        ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].first { access($0 + "/cgroup.procs", F_OK) == 0 })
      let name = "martlet-test-\(getpid())"
      let folder = "\(mount)/\(name)"
      try #require(mkdir(folder, 0o755) == 0 && mkdir(folder + "/inner", 0o755) == 0)
      defer {
        rmdir(folder + "/inner")
        rmdir(folder)
      }
      let recorder = try Recorder()
      let actor = try Actor("join", folder + "/inner", "openat", "/etc/hostname", "children", "8")
      recorder.record(untilEndOf: actor.process)
      actor.finish()
      var facts = stat()
      #expect(stat(folder + "/inner", &facts) == 0)
      let id = UInt64(facts.st_ino)
      let first = try #require(recorder.records.first { $0.common.pointee.cgroup_id == id })
      try #require(first.kind == .cgroup)
      #expect(first.cgroup.pointee.id == id)
      #expect(first.cgroup.pointee.hierarchy == 0)
      #expect(first.bytes(first.cgroup.pointee.path).string == "/\(name)/inner")
      let announcements = recorder.records.filter {
        $0.kind == .cgroup && $0.cgroup.pointee.hierarchy == 0 && $0.cgroup.pointee.id == id
      }
      #expect(announcements.count == 1)
      let open = try #require(recorder.records(of: .open, by: actor.process).last)
      #expect(open.common.pointee.cgroup_id == id)
    }

    @Test("when a ring overflows, what was seen is what was delivered, filtered and lost")
    func overflow() throws {
      var configuration = CaptureConfiguration.withoutSeed
      configuration.ringBytes = 256 << 10
      let recorder = try Recorder(configuration)
      let actor = try Actor("repeat-open", "10000", "/etc/hostname", "wait")
      // Nothing is read meanwhile.
      try #require(actor.awaitWaiting())
      actor.finish()
      var received: UInt64 = 0
      var statistics = recorder.source.statistics()
      let deadline = time(nil) + secondsUntilHung
      // Others on this machine make records as well: compare at a moment when none came in between. Both numbers only
      // grow, and the one that has to follow is read first.
      repeat {
        recorder.take(timeoutMilliseconds: 0)
        received = recorder.source.statistics().ringRecords
        statistics = recorder.source.statistics()
      } while !(delivered(statistics) == received && statistics.isBalanced) && time(nil) <= deadline
      #expect(delivered(statistics) == received)
      #expect(statistics.isBalanced)
      let opens = try #require(statistics.hooks[.open])
      #expect(opens.seen > 10_000)
      #expect(opens.lost > 4000)
      #expect(recorder.malformed == 0)
    }

    @Test("whoever fills a ring with opens does not hide what it does next")
    func room() throws {
      var configuration = CaptureConfiguration.withoutSeed
      configuration.ringBytes = 256 << 10
      let longName = "/no-such-folder/" + String(repeating: "x", count: 200) + String(repeating: "/x", count: 1000)
      // What overruns the ring, what must still arrive, and how.
      for flood in [longName, "/etc/hostname"] {
        let recorder = try Recorder(configuration)
        // On the CPU that it started on, so that all of it is in one ring.
        let actor = try Actor(
          "pin-here", "repeat-open", "20000", flood, "openat", "/etc/passwd", "connect", "udp", "127.0.0.1", "9",
          "exec",
          "wait")
        // Nothing is read meanwhile.
        try #require(actor.awaitWaiting())
        actor.finish()
        recorder.record(untilEndOf: actor.process)
        #expect(try #require(recorder.source.statistics().hooks[.open]).lost > 10_000)
        #expect(recorder.records(of: .exec, by: actor.process).count == 2, "after \(flood.prefix(20))")
        #expect(recorder.records(of: .connect, by: actor.process).count == 1, "after \(flood.prefix(20))")
        if flood == longName {
          #expect(try recorder.open(named: "/etc/passwd", by: actor.process).path == "/etc/passwd")
        }
        let floods = recorder.records(of: .open, by: actor.process)
          .filter { flood.hasPrefix($0.bytes($0.open.pointee.name).string) }.map(OpenedFile.init)
        #expect(floods.count > 20)
        for open in floods {
          #expect(open.part.name.length_bytes == UInt32(min(flood.utf8.count, 256)))
          #expect(open.has(MARTLET_FLAG_NAME_TRUNCATED) == (flood == longName))
        }
      }
    }

    @Test("the first event comes as soon as the programs are attached", arguments: [true, false])
    func firstEvent(usesTypedLoads: Bool) throws {
      var configuration = CaptureConfiguration.withoutSeed
      configuration.usesTypedLoads = usesTypedLoads
      let beginning = Clock.bootTime()
      let recorder = try Recorder(configuration)
      let attached = Clock.bootTime()
      let actor = try Actor("openat", "/etc/hostname")
      recorder.record(until: "an open") { $0.kind == .open }
      let seen = Clock.bootTime()
      actor.finish()
      print(
        "start: loaded and attached in \((attached - beginning) / 1000) us, an event \((seen - attached) / 1000) us later"
      )
    }

    @Test("a batch that is waited for ends when someone interrupts")
    func interrupt() throws {
      let recorder = try Recorder()
      let before = time(nil)
      // Other processes' records may come with the interruption, and then it has done its work.
      repeat { recorder.source.interrupt() } while !recorder.take(timeoutMilliseconds: secondsUntilHung * 1000).isEmpty
      #expect(time(nil) - before < secondsUntilHung)
    }

    @Test("no time to wait is too long")
    func longestTimeout() throws {
      var configuration = CaptureConfiguration()
      configuration.tickMilliseconds = .max
      let recorder = try Recorder(configuration)
      for _ in 0..<3 {
        recorder.source.interrupt()
        recorder.take(timeoutMilliseconds: .max)
      }
    }

    @Test("ticks come about as often as asked, each later than what was before it")
    func ticks() throws {
      var configuration = CaptureConfiguration()
      configuration.tickMilliseconds = 20
      let recorder = try Recorder(configuration)
      for _ in 0..<5 { recorder.record(until: "a tick") { $0.kind == .tick } }
      let times = recorder.records.filter { $0.kind == .tick }.map(\.timeNanoseconds)
      #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
      // Another one only after someone has set the clock.
      let offsets = recorder.records.filter { $0.kind == .host }.map { $0.host.pointee.realtime_offset_ns }
      #expect(!offsets.isEmpty)
      #expect(zip(offsets, offsets.dropFirst()).allSatisfy { abs($0 - $1) > 1_000_000 })
    }

    @Test("a tick comes when someone needs one, however long the next would take")
    func earlyTick() throws {
      var configuration = CaptureConfiguration()
      configuration.tickMilliseconds = .max
      configuration.inquiries = [
        .usersBegun(waitNanoseconds: 1_000_000_000), .begun(waitNanoseconds: 2_000_000_000),
      ]
      let recorder = try Recorder(configuration)
      recorder.record(until: "that runtimes are asked") { $0.kind == .inquiry }
      #expect(recorder.records.compactMap { InquiryStep($0) } == configuration.inquiries)
      let asked = try #require(recorder.records.last { $0.kind == .inquiry })
      let wanted = asked.timeNanoseconds + 1_000_000
      recorder.source.tick(noLaterThan: wanted)
      recorder.record(until: "a tick") { $0.kind == .tick }
      #expect(try #require(recorder.records.last { $0.kind == .tick }).timeNanoseconds >= wanted)
    }

    @Test("a ring of impossible size is refused with the reason", arguments: [UInt32(0), 4096, 100_000, 1 << 30])
    func ringSize(_ bytes: UInt32) throws {
      var configuration = CaptureConfiguration()
      configuration.ringBytes = bytes
      let error = #expect(throws: CaptureError.self) { try KernelSource(configuration: configuration) }
      #expect(error?.code == .configuration)
      #expect(error?.operation == "size the rings")
    }

    private func delivered(_ statistics: CaptureStatistics) -> UInt64 {
      statistics.hooks.values.reduce(0) { $0 + $1.delivered }
    }
  }
}
