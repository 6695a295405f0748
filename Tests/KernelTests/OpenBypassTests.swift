// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletCapture
import MartletEvents
import Testing

extension KernelTests {
  /// Ways to a file's content without seeming to: the rows of Bypasses.md.
  @Suite("Hidden reads")
  struct OpenBypassTests {
    private let folder: Folder
    private let secret: String

    init() throws {
      folder = try Folder()
      secret = try folder.file("secret")
    }

    private func run(
      _ verbs: [String], _ configuration: CaptureConfiguration = .withoutSeed
    ) throws -> (recorder: Recorder, process: pid_t) {
      let recorder = try Recorder(configuration)
      let actor = try Actor(verbs)
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      return (recorder, actor.process)
    }

    private func opens(of path: String, in recorder: Recorder) -> [OpenedFile] {
      recorder.records.filter { $0.kind == .open }.map(OpenedFile.init).filter { $0.path == path }
    }

    private var inode: UInt64 {
      var facts = stat()
      stat(secret, &facts)
      return UInt64(facts.st_ino)
    }

    @Test("two threads that change the name all the time: every open is told by the file that was opened")
    func race() throws {
      let count = 100_000
      let (first, second) = (try folder.file("a"), try folder.file("b"))
      var configuration = CaptureConfiguration.withoutSeed
      // Calls that fail, with which the child tells what it got, have half a ring.
      configuration.ringBytes = 64 << 20
      let (recorder, process) = try run(["flip", "\(count)", first], configuration)
      var (wrongPaths, wrongNames, total, firsts) = (0, 0, 0, 0)
      var last: EventRecord?
      // Each open is followed by a call that says which file it was.
      for record in recorder.records where record.common.pointee.process_id == UInt32(process) {
        if record.kind == .open { last = record }
        guard record.kind == .call, record.type == .ftruncate, let open = last else { continue }
        let truth = record.call.pointee.arguments.1 == UInt64(UInt8(ascii: "a")) ? first : second
        total += 1
        if truth == first { firsts += 1 }
        if open.bytes(open.open.pointee.path).string != truth { wrongPaths += 1 }
      }
      for record in recorder.records(of: .open, by: process) {
        let part = record.open.pointee
        if part.path.length_bytes > 0, record.bytes(part.path) != record.bytes(part.name) { wrongNames += 1 }
      }
      print("race: \(total) opens, \(wrongPaths) wrong paths, \(wrongNames) names that were another file's")
      #expect(total == count && firsts > 0 && firsts < count && wrongNames > 0, "nothing was raced for")
      #expect(wrongPaths == 0)
      #expect(recorder.source.statistics().lost == 0)
    }

    @Test("a device that is opened to be written is told as what it is")
    func device() throws {
      let (recorder, _) = try run(["call", "openat", "#-100", "/dev/null", "#\(O_WRONLY)", ":"])
      let told = opens(of: "/dev/null", in: recorder)
      try #require(told.count == 1)
      #expect(told[0].part.inode_mode & UInt32(S_IFMT) == S_IFCHR && told[0].part.open_flags & UInt32(O_ACCMODE) == 1)
    }

    @Test("through /proc/self/root, another process's root, a symbolic link and '..' it is the same file")
    func detours() throws {
      let link = folder.link("link", to: secret)
      let names = [
        "/proc/self/root\(secret)", "/proc/\(getpid())/root\(secret)", link, "\(folder.path)/../../\(secret)",
        "/proc/self/cwd/secret",
      ]
      let (recorder, process) = try run(["chdir", folder.path] + names.flatMap { ["openat", $0] })
      for name in names {
        let open = try recorder.open(named: name, by: process)
        #expect(open.path == secret && open.part.inode == inode, "\(name)")
      }
    }

    @Test("a hard link is another path to the same inode, and its making is a call of its own")
    func hardLink() throws {
      let other = "\(folder.path)/other"
      let (recorder, process) = try run(["call", "linkat", "#-100", secret, "#-100", other, "#0", ":", "openat", other])
      #expect(try recorder.call(.linkat, by: process).names.prefix(2) == [secret, other])
      let open = try recorder.open(named: other, by: process)
      #expect(open.path == other && open.part.inode == inode)
    }

    @Test("a renamed file has its new path, the old inode, and its renaming is a call of its own")
    func renamed() throws {
      let (other, before) = ("\(folder.path)/other", inode)
      let (recorder, process) = try run([
        "call", "renameat2", "#-100", secret, "#-100", other, "#0", ":", "openat", other,
      ])
      #expect(try recorder.call(.renameat2, by: process).names.prefix(2) == [secret, other])
      let open = try recorder.open(named: other, by: process)
      #expect(open.path == other && open.part.inode == before)
    }

    @Test("a file bound elsewhere has that path, the file's inode, and its mounting is a call of its own")
    func bindMount() throws {
      let target = try folder.file("target")
      let (recorder, process) = try run(["bind", secret, target, "openat", target])
      let mounts = recorder.calls(by: process).filter { $0.type == .mount }
      #expect(mounts.last?.names.prefix(2) == [secret, target])
      #expect(recorder.calls(by: process).contains { $0.type == .unshare })
      let open = try recorder.open(named: target, by: process)
      #expect(open.path == target && open.part.inode == inode)
    }

    @Test("O_PATH and then /proc/self/fd: two opens of the file")
    func openPath() throws {
      let (recorder, process) = try run(["open-path", secret])
      let opens = opens(of: secret, in: recorder)
      #expect(opens.map(\.part.record.process_id) == [UInt32(process), UInt32(process)])
      #expect(opens.first.map { $0.part.open_flags & UInt32(0o10000000) != 0 } == true)
    }

    @Test("by handle it is an open of the file, with a path and without a name")
    func handle() throws {
      let (recorder, process) = try run(["handle", secret])
      let byHandle = opens(of: secret, in: recorder).filter { $0.type == .openByHandleAt }
      #expect(byHandle.count == 1 && byHandle[0].part.name.length_bytes == 0)
      #expect(byHandle.first?.part.record.process_id == UInt32(process))
    }

    @Test("a file that is mapped or sent, not read, was opened all the same")
    func withoutRead() throws {
      let (recorder, _) = try run(["openat", secret, "map-and-send"])
      #expect(opens(of: secret, in: recorder).count == 1)
    }

    @Test("a descriptor that is passed over a socket shows the sender's open only")
    func passed() throws {
      let (recorder, process) = try run(["pass", secret])
      #expect(opens(of: secret, in: recorder).map(\.part.record.process_id) == [UInt32(process)])
    }

    @Test("a descriptor taken out of another process is that call, with the file")
    func taken() throws {
      let (recorder, process) = try run(["take-fd", secret])
      let call = try recorder.call(.pidfdGetfd, by: process)
      #expect(call.path == secret && call.part.inode == inode && call.part.fd >= 0)
      #expect(try recorder.call(.pidfdOpen, by: process).part.result >= 0)
    }

    @Test("another process's memory read without /proc is that call")
    func memory() throws {
      let (recorder, process) = try run(["peek"])
      let read = try recorder.call(.processVmReadv, by: process)
      let trace = try recorder.call(.ptrace, by: process)
      #expect(read.part.result == 4 && trace.part.result == 0)
      #expect(read.arguments[0] == trace.arguments[1])
    }

    @Test("in an overlay a file says which layer it is from; its lower file has the path that it has there")
    func overlay() throws {
      for name in ["lower", "upper", "work", "merged"] { _ = folder.folder(name) }
      _ = try folder.file("lower/file")
      let merged = "\(folder.path)/merged"
      let (recorder, process) = try run([
        "overlay", folder.path, "openat", "\(merged)/file", "create", "\(merged)/new", "openat",
        "\(folder.path)/lower/file",
      ])
      let lower = try recorder.open(named: "\(merged)/file", by: process)
      #expect(lower.path == "\(merged)/file" && lower.has(fileFlag: MARTLET_FILE_LOWER_LAYER))
      #expect(try recorder.open(named: "\(merged)/new", by: process).has(fileFlag: MARTLET_FILE_UPPER_LAYER))
      let below = try recorder.open(named: "\(folder.path)/lower/file", by: process)
      #expect(below.path == "\(folder.path)/lower/file" && below.part.file_flags == 0)
    }

    @Test("a projected volume whose link swings is told by the folder that it pointed to")
    func swinging() throws {
      _ = folder.folder("..one")
      _ = folder.folder("..two")
      let files = (try folder.file("..one/token"), try folder.file("..two/token"))
      let name = "\(folder.link("..data", to: "..one"))/token"
      let (recorder, process) = try run([
        "openat", name, "call", "symlinkat", "..two", "#-100", "\(folder.path)/next", ":", "call", "renameat2", "#-100",
        "\(folder.path)/next", "#-100", "\(folder.path)/..data", "#0", ":", "openat", name,
      ])
      let paths = recorder.records(of: .open, by: process).map(OpenedFile.init).map(\.path)
      #expect(paths.suffix(2) == [files.0, files.1])
    }

    @Test("a file without a name is told by its folder's file system, as one that is unlinked")
    func temporary() throws {
      let flags = "#\(0o20200000 | O_RDWR)"
      let (recorder, process) = try run(["call", "openat", "#-100", folder.path, flags, "#0600", ":"])
      let open = try recorder.open(named: folder.path, by: process)
      #expect(open.part.result >= 0 && open.has(fileFlag: MARTLET_FILE_UNLINKED))
      #expect(open.path.hasPrefix(folder.path + "/#"))
    }
  }
}
