// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents
import Testing

@testable import MartletCapture

extension KernelTests {
  @Suite("Processes")
  struct ProcessTests {
    @Test("an exec record agrees with /proc in every field")
    func execFields() throws {
      let folder = try Folder()
      let recorder = try Recorder()
      let actor = try Actor("chdir", folder.path, "terminal", "exec", "wait", "an argument", "")
      try #require(actor.awaitWaiting())
      recorder.record(until: "the second exec") {
        $0.kind == .exec && $0.common.pointee.process_id == UInt32(actor.process)
          && $0.process.pointee.terminal != 0
      }
      let record = try #require(recorder.records(of: .exec, by: actor.process).last)
      let process = try #require(ProcfsProcess(actor.process))
      expectAgreement(record, process)
      expectFile(of: record, isOf: "/proc/\(actor.process)/exe")
      #expect(record.type == .execve)
      #expect(record.bytes(record.process.pointee.filename).string == "/proc/self/exe")
      #expect(record.bytes(record.process.pointee.arguments).array == Array("exec\0wait\0an argument\0\0".utf8))
      #expect(record.bytes(record.process.pointee.directory).string == folder.path)
      #expect(record.process.pointee.session_id == UInt32(actor.process))
    }

    @Test("a script has its own name and its interpreter's file")
    func script() throws {
      let folder = try Folder()
      let script = try folder.file("script.sh", "#!/bin/sh\nexit 3\n")
      chmod(script, 0o755)
      let recorder = try Recorder()
      var child: pid_t = 0
      var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("script"), strdup("one"), nil]
      defer { arguments.forEach { free($0) } }
      try #require(posix_spawn(&child, script, nil, nil, &arguments, nil) == 0)
      recorder.record(untilEndOf: child)
      var status: Int32 = 0
      waitpid(child, &status, 0)
      let exec = try #require(recorder.records(of: .exec, by: child).last)
      #expect(exec.bytes(exec.process.pointee.filename).string == script)
      #expect(exec.bytes(exec.process.pointee.exe_path).string.hasPrefix("/usr/bin/"))
      #expect(exec.bytes(exec.process.pointee.arguments).string == "/bin/sh\0\(script)\0one\0")
      #expect(recorder.records(of: .exit, by: child).map { $0.exit.pointee.exit_code } == [status])
      #expect(status == 3 << 8)
    }

    @Test("a program run from memory is named and marked")
    func memoryFile() throws {
      let recorder = try Recorder()
      let actor = try Actor("memfd-exec", "end", "0")
      recorder.record(untilEndOf: actor.process)
      actor.finish()
      let exec = try #require(recorder.records(of: .exec, by: actor.process).last)
      #expect(exec.type == .execveat)
      #expect(exec.bytes(exec.process.pointee.exe_path).string == "memfd:payload")
      #expect(exec.process.pointee.exe_flags & UInt32(MARTLET_FILE_MEMFD) != 0)
    }

    @Test("fork, exec and exit of one child come in this order, whatever the CPUs")
    func order() throws {
      let count = 300
      let recorder = try Recorder()
      let actor = try Actor("children", "\(count)")
      recorder.record(untilEndOf: actor.process)
      actor.finish()
      var stories: [UInt32: [EventKind]] = [:]
      var cpus: Set<UInt16> = []
      let children = Set(
        recorder.records.filter { $0.kind == .fork && $0.fork.pointee.parent_id == UInt32(actor.process) }
          .map { $0.common.pointee.process_id })
      for record in recorder.records where children.contains(record.common.pointee.process_id) {
        cpus.insert(record.common.pointee.cpu)
        guard [.fork, .exec, .exit].contains(record.kind) else { continue }
        stories[record.common.pointee.process_id, default: []].append(record.kind)
      }
      #expect(stories.count == count)
      #expect(stories.values.allSatisfy { $0 == [.fork, .exec, .exit] })
      if sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1 { #expect(cpus.count > 1) }
      let hooks = recorder.source.statistics().hooks
      for name in [HookName.fork, .exec, .exit] { #expect(hooks[name]?.lost == 0, "\(name)") }
      let times = recorder.records.map(\.timeNanoseconds)
      let overtaken = zip(times, times.dropFirst()).count { $0 > $1 }
      #expect(overtaken <= recorder.source.statistics().late)
    }

    @Test("the iterator's seed agrees with /proc", arguments: [SeedMethod.iterator, .procfs])
    func seed(_ method: SeedMethod) throws {
      let folder = try Folder()
      let actor = try Actor("chdir", folder.path, "terminal", "wait", "argument")
      try #require(actor.awaitWaiting())
      let process = try #require(ProcfsProcess(actor.process))
      let recorder = try seeded(by: method)
      try #require(recorder.records.first?.kind == .host)
      let record = try #require(recorder.records(of: .process, by: actor.process).first)
      expectAgreement(record, process)
      if method == .iterator { expectFile(of: record, isOf: "/proc/\(actor.process)/exe") }
      let before = recorder.records.prefix {
        $0.kind != .process || $0.common.pointee.process_id != UInt32(actor.process)
      }
      let known = before.filter { $0.kind == .cgroup }.map { $0.cgroup.pointee }
      let common = record.common.pointee
      #expect(known.contains { $0.hierarchy == 0 && $0.id == common.cgroup_id })
      #expect(common.cgroup_v1_id == 0 || known.contains { $0.hierarchy == 1 && $0.id == common.cgroup_v1_id })
      // The test's own process is a process like any other.
      #expect(recorder.records(of: .process, by: getpid()).count == 1)
      #expect(recorder.malformed == 0 && recorder.source.statistics().malformed == 0)
    }

    @Test("a process whose main thread has ended is told by one that lives", arguments: [SeedMethod.iterator, .procfs])
    func seedWithoutMainThread(_ method: SeedMethod) throws {
      let actor = try Actor("wait-in-thread", "argument")
      try #require(actor.awaitWaiting())
      let process = try #require(ProcfsProcess(actor.process))
      #expect(process.thread != actor.process)
      #expect(process.arguments == Array("actor\0wait-in-thread\0argument\0".utf8))
      let recorder = try seeded(by: method)
      let records = recorder.records(of: .process, by: actor.process)
      try #require(records.count == 1)
      #expect(records[0].common.pointee.thread_id == UInt32(process.thread))
      #expect(records[0].process.pointee.pid_namespace != 0)
      expectAgreement(records[0], process)
      if method == .iterator { expectFile(of: records[0], isOf: "/proc/\(actor.process)/task/\(process.thread)/exe") }
    }

    @Test("a file mapped where arguments are looked for is not touched", arguments: [SeedMethod.iterator, .procfs])
    func seedOfForeignPages(_ method: SeedMethod) throws {
      let folder = try Folder()
      let file = try folder.file("file", String(repeating: "F", count: 4096))
      let actor = try Actor("cover", String(repeating: "a", count: 12_000), file, "wait")
      try #require(actor.awaitWaiting())
      let recorder = try seeded(by: method)
      let record = try #require(recorder.records(of: .process, by: actor.process).first)
      #expect(!record.bytes(record.process.pointee.arguments).array.contains(UInt8(ascii: "F")))
    }

    /// A recorder that has taken the whole seed.
    private func seeded(by method: SeedMethod) throws -> Recorder {
      var configuration = CaptureConfiguration()
      configuration.seed = method
      configuration.tickMilliseconds = 1
      let recorder = try Recorder(configuration)
      // It comes before the first tick.
      recorder.record(until: "the end of the seed") { $0.kind == .tick }
      return recorder
    }

    /// The file's number, device and times, which the seed from /proc leaves out.
    private func expectFile(of record: EventRecord, isOf link: String) {
      var facts = stat()
      #expect(stat(link, &facts) == 0)
      let part = record.process.pointee
      let (major, minor) = (facts.st_dev >> 8 & 0xfff, facts.st_dev & 0xff | facts.st_dev >> 12 & 0xfff00)
      #expect(part.exe_device == UInt32(truncatingIfNeeded: major << 20 | minor))
      #expect(part.exe_inode == UInt64(facts.st_ino))
      #expect(part.exe_modified_ns == UInt64(facts.st_mtim.tv_sec) * 1_000_000_000 + UInt64(facts.st_mtim.tv_nsec))
      #expect(part.exe_changed_ns == UInt64(facts.st_ctim.tv_sec) * 1_000_000_000 + UInt64(facts.st_ctim.tv_nsec))
    }

    private func expectAgreement(_ record: EventRecord, _ process: ProcfsProcess) {
      let part = record.process.pointee
      let expected = process.record
      let tick = ProcfsStat.nanosecondsPerTick
      #expect(part.record.process_id == UInt32(process.id))
      #expect(part.record.process_start_ns / tick == process.startNanoseconds / tick)
      #expect(part.parent_start_ns / tick == expected.parent_start_ns / tick)
      #expect(record.comm.array == process.comm)
      #expect(part.record.user_id == process.userIDs[1])
      #expect(part.record.group_id == process.groupIDs[1])
      let fields: [(String, KeyPath<martlet_process, UInt32>)] = [
        ("parent", \.parent_id), ("group", \.process_group_id), ("session", \.session_id),
        ("number in namespace", \.namespace_process_id), ("group in namespace", \.namespace_process_group_id),
        ("session in namespace", \.namespace_session_id), ("real user", \.real_user_id),
        ("saved user", \.saved_user_id), ("real group", \.real_group_id), ("login", \.login_user_id),
        ("terminal", \.terminal), ("pid namespace", \.pid_namespace), ("mount namespace", \.mount_namespace),
        ("network namespace", \.network_namespace), ("user namespace", \.user_namespace),
        ("file flags", \.exe_flags),
      ]
      for (name, field) in fields { #expect(part[keyPath: field] == expected[keyPath: field], "\(name)") }
      let wideFields: [(String, KeyPath<martlet_process, UInt64>)] = [
        ("effective capabilities", \.capabilities_effective), ("permitted capabilities", \.capabilities_permitted),
        ("inheritable capabilities", \.capabilities_inheritable),
      ]
      for (name, field) in wideFields { #expect(part[keyPath: field] == expected[keyPath: field], "\(name)") }
      #expect(record.bytes(part.exe_path).array == process.exePath)
      #expect(record.bytes(part.directory).array == process.directory)
      #expect(record.bytes(part.arguments).array == process.arguments)
    }
  }
}
