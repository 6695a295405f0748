// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletCapture
import MartletEvents
import Testing

/// An exec record as values.
struct Executed {
  let part: martlet_process
  let type: EventType?
  let path: String
  let filename: String
  let arguments: [String]
  let comm: String

  init(_ record: EventRecord) {
    part = record.process.pointee
    type = record.type
    path = record.bytes(part.exe_path).string
    filename = record.bytes(part.filename).string
    arguments = record.bytes(part.arguments).string.split(separator: "\0").map(String.init)
    comm = record.comm.string
  }
}

extension Recorder {
  func execs(by process: pid_t) -> [Executed] { records(of: .exec, by: process).map(Executed.init) }
}

extension KernelTests {
  /// Ways to run a program without seeming to: the rows of Bypasses.md.
  @Suite("Hidden programs")
  struct ExecBypassTests {
    /// Runs the actor to its end and returns what was recorded.
    private func run(_ verbs: [String]) throws -> (recorder: Recorder, process: pid_t) {
      let recorder = try Recorder()
      let actor = try Actor(verbs)
      recorder.record(untilEndOf: actor.process)
      actor.finish()
      return (recorder, actor.process)
    }

    private func copy(_ source: String, to target: String) throws {
      let from = try #require(fopen(source, "r"))
      let to = try #require(fopen(target, "we"))
      var chunk = [UInt8](repeating: 0, count: 65_536)
      while true {
        let count = fread(&chunk, 1, chunk.count, from)
        if count == 0 { break }
        fwrite(chunk, 1, count, to)
      }
      fclose(from)
      fclose(to)
      chmod(target, 0o755)
    }

    @Test("a copied and renamed program is told by the path that it has now")
    func copied() throws {
      let folder = try Folder()
      try copy("/bin/true", to: "\(folder.path)/harmless")
      let (recorder, process) = try run(["run", "\(folder.path)/harmless"])
      let exec = try #require(recorder.execs(by: process).last)
      #expect(exec.path == "\(folder.path)/harmless" && exec.comm == "harmless")
      #expect(exec.part.exe_flags == 0 && exec.part.exe_inode != 0)
    }

    @Test("a program behind a link is told by its file, not by the link")
    func link() throws {
      let folder = try Folder()
      let link = folder.link("innocent", to: "/bin/true")
      let (recorder, process) = try run(["run", link])
      let exec = try #require(recorder.execs(by: process).last)
      #expect(exec.path == "/usr/bin/true" || exec.path == "/bin/true" || exec.path.hasSuffix("/coreutils"))
      #expect(exec.filename == link)
      #expect(exec.comm == "innocent")
    }

    @Test("the program that a dynamic linker is told to run is an argument and an open")
    func linker() throws {
      let linkers: [String] = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"]
      let linker = try #require(linkers.first { access($0, X_OK) == 0 })
      let (recorder, process) = try run(["run", linker, "/bin/true"])
      let exec = try #require(recorder.execs(by: process).last)
      #expect(exec.path.contains("/ld-linux"))
      #expect(exec.arguments.last == "/bin/true")
      _ = try recorder.open(named: "/bin/true", by: process)
    }

    @Test("a program run by its descriptor is told by its path, as execveat")
    func descriptor() throws {
      let (recorder, process) = try run(["exec-by-fd", "/bin/true", "spoofed"])
      let exec = try #require(recorder.execs(by: process).last)
      #expect(exec.type == .execveat)
      #expect(exec.path.hasSuffix("/true") && exec.arguments == ["spoofed"])
    }

    @Test("a thread that renames itself says so, and its file stays what it is")
    func renamed() throws {
      let (recorder, process) = try run(["call", "prctl", "#15", "kworker/0:1", ":", "openat", "/etc/hostname"])
      #expect(try recorder.call(.prctl, by: process).type == .prctl)
      let open = try #require(
        recorder.records(of: .open, by: process).last { $0.bytes($0.open.pointee.name).string == "/etc/hostname" })
      #expect(open.comm.string == "kworker/0:1")
      let exec = try #require(recorder.execs(by: process).last)
      #expect(exec.path == Actor.path)
    }

    @Test("a shell upon a socket: the streams' dup2 with the socket, and a program without terminal")
    func reverseShell() throws {
      let (recorder, process) = try run(["reverse", "/bin/true"])
      let calls = recorder.calls(by: process).filter { $0.type == .dup2 }
      #expect(calls.map(\.part.result) == [0, 1])
      #expect(calls.allSatisfy { Int32($0.part.ends.family) == AF_INET })
      #expect(recorder.execs(by: process).last?.part.terminal == 0)
    }

    @Test("what a shell does itself is told as its opens and calls")
    func builtins() throws {
      let folder = try Folder()
      let (recorder, process) = try run([
        "run", "/bin/sh", "-c", "read line < /etc/hostname; echo x > \(folder.path)/written; cd \(folder.path)",
      ])
      let opens = recorder.records(of: .open, by: process).map(OpenedFile.init)
      #expect(opens.contains { $0.path == "/etc/hostname" })
      #expect(opens.contains { $0.path == "\(folder.path)/written" && $0.part.open_flags & UInt32(O_WRONLY) != 0 })
      #expect(try recorder.call(.chdir, by: process).path == folder.path)
    }

    @Test("a child whose parent has gone keeps its line: the fork told of it")
    func orphan() throws {
      let recorder = try Recorder()
      let actor = try Actor("orphan", "end", "9")
      let isLast = { (record: EventRecord) in record.kind == .exit && record.exit.pointee.exit_code == 9 << 8 }
      recorder.record(until: "the orphan's end", isLast)
      actor.finish()
      let orphan = try #require(recorder.records.first(where: isLast)?.common.pointee.process_id)
      let fork = try #require(recorder.records.first { $0.kind == .fork && $0.common.pointee.process_id == orphan })
      let middle = fork.fork.pointee.parent_id
      let above = try #require(recorder.records.first { $0.kind == .fork && $0.common.pointee.process_id == middle })
      #expect(above.fork.pointee.parent_id == UInt32(actor.process))
      // What the kernel says of it by then is whoever takes orphans in.
      let exec = try #require(recorder.execs(by: pid_t(orphan)).first)
      #expect(exec.part.parent_id != middle && exec.part.parent_id != 0)
    }

    @Test("an exec that fails is told, with the name that was passed; one of nothing only on request")
    func failed() throws {
      let folder = try Folder()
      let file = try folder.file("no program")
      let words = ["call", "execve", file, "#0", "#0", ":", "call", "execve", "/no/such", "#0", "#0", ":"]
      let (recorder, process) = try run(["chdir", folder.path] + words)
      let failed = try recorder.call(.execve, by: process)
      #expect(failed.part.result == -Int64(EACCES) && failed.names[0] == file)
      #expect(failed.part.record.flags == UInt32(MARTLET_FLAG_NAME_UNTRUSTED))
      #expect(recorder.execs(by: process).count == 1)

      var configuration = CaptureConfiguration.withoutSeed
      configuration.includesMissingPrograms = true
      let curious = try Recorder(configuration)
      let actor = try Actor(words)
      curious.record(untilEndOf: actor.process)
      actor.finish()
      #expect(curious.calls(by: actor.process).map(\.names[0]) == [file, "/no/such"])
    }

    @Test("arguments and environment arrive whole up to 64 KiB, and say so when they are cut")
    func longStart() throws {
      var configuration = CaptureConfiguration.withoutSeed
      configuration.includesEnvironment = true
      let variable = "LONG=" + String(repeating: "e", count: 60_000)
      let recorder = try Recorder(configuration)
      let long = String(repeating: "x", count: 30_000)
      for count in [2, 3] {
        let actor = try Actor(["end", "0"] + Array(repeating: long, count: count), environment: ["A=b", variable])
        recorder.record(untilEndOf: actor.process)
        actor.finish()
        let record = try #require(recorder.records(of: .exec, by: actor.process).last)
        let arguments = record.bytes(record.process.pointee.arguments)
        #expect(record.has(flag: UInt32(MARTLET_FLAG_ARGUMENTS_TRUNCATED)) == (count == 3))
        #expect(arguments.count == (count == 3 ? 65_536 : 12 + 60_002))
        #expect(record.environment?.string == "A=b\0\(variable)\0")
      }
    }

    @Test("processes that are there at the start are told with their environment on request")
    func seedEnvironment() throws {
      let actor = try Actor(["wait", "argument"], environment: ["SEED=value"])
      try #require(actor.awaitWaiting())
      for seed in [SeedMethod.iterator, .procfs] {
        var configuration = CaptureConfiguration()
        configuration.seed = seed
        configuration.includesEnvironment = true
        configuration.tickMilliseconds = 1
        let recorder = try Recorder(configuration)
        recorder.record(until: "the end of the seed") { $0.kind == .tick }
        let record = try #require(recorder.records(of: .process, by: actor.process).first)
        #expect(record.environment?.string == "SEED=value\0")
        #expect(record.bytes(record.process.pointee.arguments).string == "actor\0wait\0argument\0")
        #expect(recorder.malformed == 0)
      }
    }
  }
}
