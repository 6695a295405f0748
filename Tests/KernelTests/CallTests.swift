// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletCapture
import MartletEvents
import Testing

/// A record of a call as values, for comparisons that print well.
struct SeenCall {
  let part: martlet_syscall
  let type: EventType?
  let names: [String]
  let directories: [String]
  let path: String
  let arguments: [UInt64]

  init(_ record: EventRecord) {
    let part = record.call.pointee
    self.part = part
    type = record.type
    names = [part.names.0, part.names.1, part.names.2].map { record.bytes($0).string }
    directories = [part.directories.0, part.directories.1].map { record.bytes($0).string }
    path = record.bytes(part.path).string
    arguments = withUnsafeBytes(of: part.arguments) { Array($0.bindMemory(to: UInt64.self)) }
  }
}

extension Recorder {
  /// Those that `process` has made since it first executed a program: before, it does what its creator has it do.
  func calls(by process: pid_t) -> [SeenCall] {
    let own = records.filter { $0.common.pointee.process_id == UInt32(process) }
    return own.drop { $0.kind != .exec }.filter { $0.kind == .call }.map(SeenCall.init)
  }

  /// The one call of this type by `process`.
  func call(_ type: EventType, by process: pid_t) throws -> SeenCall {
    let found = calls(by: process).filter { $0.type == type }
    try #require(found.count == 1, "calls of '\(type.name)': \(found.count)")
    return found[0]
  }
}

extension KernelTests {
  @Suite("Calls")
  struct CallTests {
    struct Case: CustomTestStringConvertible, Sendable {
      let type: EventType
      /// As the actor takes them.
      let words: [String]
      var names: [String] = []
      /// Where the relative ones of the names start, with F for the test's folder.
      var directories: [String] = []
      /// The errno that it fails with; `anyError` where kernels differ.
      var error: Int32 = 0
      /// Of the descriptor.
      var path = ""
      var testDescription: String { "\(type.name)" }
    }

    static let anyError: Int32 = -1
    /// Made in the order given, below a folder of the test's that has a file `file` and that `last` stands for.
    static let cases: [Case] = [
      Case(type: .symlink, words: ["target", "link"], names: ["target", "link"], directories: ["", "F"]),
      Case(type: .symlinkat, words: ["target", "@", "link2"], names: ["target", "link2"], directories: ["", "F"]),
      Case(type: .link, words: ["file", "hard"], names: ["file", "hard"], directories: ["F", "F"]),
      Case(
        type: .linkat, words: ["#-100", "/no/file", "@", "hard2", "#0"], names: ["/no/file", "hard2"],
        directories: ["", "F"], error: ENOENT),
      Case(type: .rename, words: ["hard", "hard3"], names: ["hard", "hard3"], directories: ["F", "F"]),
      Case(type: .renameat, words: ["@", "hard3", "@", "hard4"], names: ["hard3", "hard4"], directories: ["F", "F"]),
      Case(
        type: .renameat2, words: ["@", "hard4", "#-100", "hard5", "#1"], names: ["hard4", "hard5"],
        directories: ["F", "F"]),
      Case(type: .unlink, words: ["hard5"], names: ["hard5"], directories: ["F"]),
      Case(type: .unlinkat, words: ["@", "link2", "#0"], names: ["link2"], directories: ["F"]),
      Case(type: .mkdir, words: ["made", "#0755"], names: ["made"], directories: ["F"]),
      Case(type: .mkdirat, words: ["@", "made2", "#0700"], names: ["made2"], directories: ["F"]),
      Case(type: .rmdir, words: ["made"], names: ["made"], directories: ["F"]),
      Case(type: .chmod, words: ["file", "#06755"], names: ["file"], directories: ["F"]),
      Case(type: .fchmod, words: ["@", "#0755"], path: "F"),
      Case(type: .fchmodat, words: ["@", "file", "#0640"], names: ["file"], directories: ["F"]),
      Case(type: .fchmodat2, words: ["@", "file", "#0640", "#0"], names: ["file"], directories: ["F"]),
      Case(type: .chown, words: ["file", "#0", "#0"], names: ["file"], directories: ["F"]),
      Case(type: .lchown, words: ["file", "#0", "#0"], names: ["file"], directories: ["F"]),
      Case(type: .fchown, words: ["@", "#0", "#0"], path: "F"),
      Case(type: .fchownat, words: ["@", "file", "#0", "#0", "#0"], names: ["file"], directories: ["F"]),
      Case(type: .mknod, words: ["node", "#0100600", "#0"], names: ["node"], directories: ["F"]),
      Case(type: .mknodat, words: ["@", "node2", "#0100600", "#0"], names: ["node2"], directories: ["F"]),
      Case(type: .truncate, words: ["file", "#3"], names: ["file"], directories: ["F"]),
      Case(type: .ftruncate, words: ["@", "#3"], error: EINVAL, path: "F"),
      Case(type: .chdir, words: ["."], names: ["."], directories: ["F"], path: "F"),
      Case(type: .fchdir, words: ["@"], path: "F"),
      Case(type: .ptrace, words: ["#0x4206", "#0", "#0", "#0"], error: ESRCH),
      Case(type: .setns, words: ["@", "#0x40000000"], error: EINVAL, path: "F"),
      Case(type: .unshare, words: ["#0"]),
      Case(type: .setuid, words: ["#0"]), Case(type: .setgid, words: ["#0"]),
      Case(type: .setreuid, words: ["#-1", "#0"]), Case(type: .setregid, words: ["#-1", "#0"]),
      Case(type: .setresuid, words: ["#-1", "#0", "#-1"]), Case(type: .setresgid, words: ["#-1", "#0", "#-1"]),
      Case(type: .bpf, words: ["#9999", "#0", "#0"], error: EINVAL),
      Case(type: .userfaultfd, words: ["#0x7fff"], error: EINVAL),
      Case(type: .deleteModule, words: ["martlet no module", "#0x800"], names: ["martlet no module"], error: anyError),
      Case(
        type: .mount, words: ["source", "/no/where", "tmpfs", "#0", "#0"], names: ["source", "/no/where", "tmpfs"],
        error: ENOENT),
      Case(type: .umount2, words: ["/no/where", "#0"], names: ["/no/where"], error: ENOENT),
      Case(type: .processVmReadv, words: ["#0", "#0", "#0", "#0", "#0", "#1"], error: EINVAL),
      Case(type: .processVmWritev, words: ["#0", "#0", "#0", "#0", "#0", "#1"], error: EINVAL),
      Case(type: .kill, words: ["#0x7fffffff", "#0"], error: ESRCH),
      Case(type: .tkill, words: ["#0x7fffffff", "#0"], error: ESRCH),
      Case(type: .tgkill, words: ["#0x7fffffff", "#0x7fffffff", "#0"], error: ESRCH),
      Case(type: .ioUringSetup, words: ["#0", "#0"], error: anyError),
      Case(type: .capset, words: ["#0", "#0"], error: EFAULT),
      Case(type: .chroot, words: ["/no/where"], names: ["/no/where"], error: ENOENT),
      Case(type: .pivotRoot, words: ["/no/where", "/no/else"], names: ["/no/where", "/no/else"], error: ENOENT),
      Case(type: .prctl, words: ["#15", "renamed"]),
      Case(type: .pidfdOpen, words: ["#0x7fffffff", "#0"], error: ESRCH),
      Case(type: .pidfdGetfd, words: ["#-1", "#0", "#0"], error: EBADF),
      Case(type: .dup, words: ["@"], path: "F"),
      Case(type: .dup2, words: ["@", "#77"], path: "F"), Case(type: .dup3, words: ["@", "#78", "#0"], path: "F"),
      Case(type: .memfdCreate, words: ["payload", "#0"], names: ["payload"], path: "memfd:payload"),
    ]

    /// Those that this processor's own table has.
    static let own = cases.filter { isX86 || !legacy.contains($0.type) }
    static let legacy: Set<EventType> = [
      .symlink, .link, .rename, .renameat, .unlink, .mkdir, .rmdir, .chmod, .chown, .lchown, .mknod, .dup2,
    ]
    #if arch(x86_64)
      static let isX86 = true
    #else
      static let isX86 = false
    #endif

    @Test("every call is told with its arguments, names, starting folders and result", arguments: [false, true])
    func everyCall(isThroughGate: Bool) throws {
      guard !isThroughGate || Self.isX86 else { return }
      let folder = try Folder()
      _ = try folder.file("file")
      let verb = isThroughGate ? "gate" : "call"
      var words = ["chdir", folder.path, "openat", folder.path]
      for one in Self.own { words += [verb, "\(one.type.name)"] + one.words + [":"] }
      let recorder = try Recorder()
      let actor = try Actor(words)
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      let seen = recorder.calls(by: actor.process).filter { $0.type != .chdir || $0.names[0] == "." }
      try #require(seen.map(\.type) == Self.own.map(\.type))
      for (call, expected) in zip(seen, Self.own) { expect(call, is: expected, in: folder.path) }
      #expect(recorder.source.statistics().hooks[.call]?.lost == 0)
      #expect(recorder.malformed == 0)
    }

    private func expect(_ call: SeenCall, is expected: Case, in folder: String) {
      let what = Comment(rawValue: "\(expected.type.name)")
      let resolve = { (text: String) in text == "F" ? folder : text }
      if expected.error == Self.anyError {
        #expect(call.part.result < 0, what)
      } else if expected.error != 0 {
        #expect(call.part.result == -Int64(expected.error), what)
      } else {
        #expect(call.part.result >= 0, what)
      }
      #expect(call.names == padded(expected.names, to: 3), what)
      #expect(call.directories == padded(expected.directories.map(resolve), to: 2), what)
      #expect(call.path == resolve(expected.path), what)
      #expect((call.part.record.flags & UInt32(MARTLET_FLAG_NAME_UNTRUSTED) != 0) == !expected.names.isEmpty, what)
      for (index, word) in expected.words.enumerated() where word.hasPrefix("#") {
        let digits = word.dropFirst()
        let number =
          digits.hasPrefix("0x")
          ? Int64(digits.dropFirst(2), radix: 16)
          : digits.hasPrefix("0") && digits.count > 1 ? Int64(digits, radix: 8) : Int64(digits)
        #expect(
          UInt32(truncatingIfNeeded: call.arguments[index]) == number.map { UInt32(truncatingIfNeeded: $0) }, what)
      }
    }

    private func padded(_ texts: [String], to count: Int) -> [String] {
      texts + Array(repeating: "", count: count - texts.count)
    }

    @Test("sockets are told with family, and by either table", arguments: ["call", "gate"])
    func sockets(verb: String) throws {
      guard verb == "call" || Self.isX86 else { return }
      let recorder = try Recorder()
      let actor = try Actor(verb, "socket", "#2", "#1", "#0", ":", "call", "dup3", "@", "#50", "#0", ":")
      recorder.record(untilEndOf: actor.process)
      actor.finish()
      let socket = try recorder.call(.socket, by: actor.process)
      #expect(socket.arguments.prefix(3) == [UInt64(AF_INET), UInt64(SOCK_STREAM.rawValue), 0])
      #expect(Int32(socket.part.ends.family) == AF_INET && Int(socket.part.ends.protocol) == IPPROTO_TCP)
      let dup = try recorder.call(.dup3, by: actor.process)
      #expect(dup.part.result == 50 && dup.part.fd == 50)
      #expect(Int32(dup.part.ends.family) == AF_INET && dup.part.inode == socket.part.inode)
    }

    @Test("a socket's own calls are told with descriptor and ends, by either table", arguments: ["call", "gate"])
    func socketCalls(verb: String) throws {
      guard verb == "call" || Self.isX86 else { return }
      let recorder = try Recorder()
      let anyPort = "%02000000" + "7f000001" + "0000000000000000"
      let discard = "%02000009" + "7f000001" + "0000000000000000"
      // socketcall(2) takes its arguments as words in memory: the descriptor 50 and a queue of 5.
      let listen =
        verb == "gate" ? ["gate", "socketcall", "#4", "%3200000005000000", ":"] : ["call", "listen", "#50", "#5", ":"]
      let stream = [verb, "socket", "#2", "#1", "#0", ":", "call", "dup3", "@", "#50", "#0", ":"]
      let datagram = [verb, "socket", "#2", "#2", "#0", ":", verb, "connect", "@", discard, "#16", ":"]
      let actor = try Actor(stream + [verb, "bind", "#50", anyPort, "#16", ":"] + listen + datagram)
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      let calls = recorder.records(of: .connect, by: actor.process)
      try #require(calls.map(\.type) == [.bind, .listen, .connect])
      let parts = calls.map { $0.connect.pointee }
      #expect(parts.allSatisfy { $0.result == 0 && $0.local_address.0 == 127 })
      #expect(parts[0].fd == 50 && parts[1].fd == 50 && parts[2].fd > 2)
      #expect(parts[1].local_port == parts[0].local_port && parts[1].local_port > 0)
      #expect(parts[2].remote_port == 9 && parts[2].remote_address.0 == 127)
    }

    @Test("what no rule asks for is not told, but what changes a process is")
    func onlyWhatIsAsked() throws {
      var configuration = CaptureConfiguration.withoutSeed
      configuration.eventTypes = [EventTypeSet(.mkdirat), EventTypeSet(.openat)]
      let folder = try Folder()
      let recorder = try Recorder(configuration)
      let actor = try Actor(
        "call", "mkdirat", "#-100", "\(folder.path)/made", "#0755", ":", "call", "unlinkat", "#-100", "/no/file", "#0",
        ":", "openat", "/etc/hostname", "openat2", "/etc/hostname", "connect", "udp", "127.0.0.1", "9",
        "chdir", folder.path, "call", "chdir", "/no/where", ":", "call", "prctl", "#15", "renamed", ":", "call",
        "prctl", "#3", ":", "end", "0")
      recorder.record(untilEndOf: actor.process)
      actor.finish()
      #expect(recorder.calls(by: actor.process).map(\.type) == [.mkdirat, .chdir, .prctl])
      #expect(recorder.records(of: .connect, by: actor.process).isEmpty)
      let opens = recorder.records(of: .open, by: actor.process).map(OpenedFile.init)
      #expect(opens.filter { $0.path == "/etc/hostname" }.map(\.type) == [.openat])
      // The thread's new name is in the record of the call that gave it.
      #expect(recorder.records(of: .call, by: actor.process).last?.comm.string == "renamed")
    }

    @Test("a 32-bit program is seen as any other", .enabled(if: isX86))
    func compatProgram() throws {
      let folder = try Folder()
      let program = try folder.file("program", "")
      try Executable32.opening("/etc/hostname", thenUnlinking: "no file").write(to: program)
      let recorder = try Recorder()
      let actor = try Actor("chdir", folder.path, "run", program)
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      let exec = try #require(recorder.records(of: .exec, by: actor.process).last)
      #expect(exec.bytes(exec.process.pointee.exe_path).string == program)
      let open = try recorder.open(named: "/etc/hostname", by: actor.process)
      #expect(open.type == .open && open.path == "/etc/hostname")
      let unlink = try recorder.call(.unlink, by: actor.process)
      #expect(unlink.part.result == -Int64(ENOENT))
      #expect(unlink.names[0] == "no file" && unlink.directories[0] == folder.path)
    }
  }
}

/// A program for 32-bit x86, made by hand: a header, one segment, some instructions.
struct Executable32 {
  let bytes: [UInt8]
  private static let base: UInt32 = 0x0804_8000

  static func opening(_ path: String, thenUnlinking gone: String) -> Executable32 {
    let headerByteCount: UInt32 = 52 + 32
    let codeByteCount: UInt32 = 12 + 2 + 12 + 9
    let first = base + headerByteCount + codeByteCount
    let second = first + UInt32(path.utf8.count) + 1
    var code: [UInt8] = []
    func call(_ number: UInt32, _ argument: UInt32) {
      code += [0xb8] + word(number)  // mov number, %eax
      code += [0xbb] + word(argument)  // mov argument, %ebx
      code += [0xcd, 0x80]  // int $0x80
    }
    code += [0x31, 0xc9]  // xor %ecx, %ecx
    call(5, first)
    call(10, second)
    code += [0x31, 0xc0, 0x40, 0x31, 0xdb, 0xcd, 0x80, 0x90, 0x90]  // exit(0)
    precondition(code.count == Int(codeByteCount), "the texts lie behind the code")
    let texts = Array(path.utf8) + [0] + Array(gone.utf8) + [0]
    let size = headerByteCount + UInt32(code.count + texts.count)
    var header: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 1, 1, 1] + Array(repeating: 0, count: 9)
    header += [2, 0, 3, 0] + word(1) + word(base + headerByteCount) + word(52) + word(0) + word(0)
    header += [52, 0, 32, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    header += word(1) + word(0) + word(base) + word(base) + word(size) + word(size) + word(5) + word(4096)
    return Executable32(bytes: header + code + texts)
  }

  private static func word(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }

  func write(to path: String) throws {
    let file = try #require(fopen(path, "we"))
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
    chmod(path, 0o755)
  }
}
