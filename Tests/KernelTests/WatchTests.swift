// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletCapture
import MartletEvents
import Testing

/// A file record as values.
struct FileChange: CustomStringConvertible {
  let part: martlet_file
  let path: String
  let name: String
  let directory: String

  init(_ record: EventRecord) {
    part = record.file.pointee
    path = record.bytes(part.path).string
    name = record.bytes(part.name).string
    directory = record.bytes(part.directory).string
  }

  var what: UInt32 { part.change }
  var isWatched: Bool { part.record.flags & MARTLET_FLAG_FILE_WATCHED != 0 }
  var description: String { "\(what) of \(part.inode): '\(path)' -> '\(directory)' + '\(name)'" }
}

/// How an open or a change names a file.
struct FileNumbers {
  let device: UInt32
  let inode: UInt64
  let facts: stat

  init(_ path: String) throws {
    var facts = stat()
    try #require(lstat(path, &facts) == 0, "no file '\(path)'")
    self.facts = facts
    // Both sides count in numbers of two parts, cut differently.
    let number = UInt64(facts.st_dev)
    let (major, minor) = (number >> 8 & 0xfff, number & 0xff | number >> 12 & 0xfff00)
    device = UInt32(major << 20 | minor)
    inode = UInt64(facts.st_ino)
  }
}

extension CaptureConfiguration {
  static var ofModels: CaptureConfiguration {
    var configuration = CaptureConfiguration.withoutSeed
    configuration.models = .usual
    return configuration
  }
}

extension Recorder {
  func changes(of file: FileNumbers) -> [FileChange] {
    records.filter { $0.kind == .file }.map(FileChange.init).filter {
      $0.part.inode == file.inode && $0.part.device == file.device
    }
  }

  /// Takes batches until a change of `file` is told.
  @discardableResult
  func record(_ what: martlet_change, of file: FileNumbers, at location: SourceLocation = #_sourceLocation) -> Bool {
    record(until: "change \(what.rawValue) of \(file.inode)", at: location) { record in
      guard record.kind == .file else { return false }
      let part = record.file.pointee
      return part.change == what.rawValue && part.inode == file.inode && part.device == file.device
    }
  }
}

extension KernelTests {
  /// Files whose content counts: the rows of "Watched files" in Design.md.
  @Suite("Watched files")
  struct WatchTests {
    let folder: Folder

    init() throws { folder = try Folder() }

    /// A way to change the file `path`, which is open as `fd`.
    struct Way: CustomTestStringConvertible, Sendable {
      let testDescription: String
      let change: martlet_change
      let act: @Sendable (_ path: String, _ fd: Int32) -> Bool

      init(_ name: String, _ change: martlet_change, _ act: @escaping @Sendable (String, Int32) -> Bool) {
        testDescription = name
        self.change = change
        self.act = act
      }
    }

    static let ways: [Way] = [
      Way("write", MARTLET_CHANGE_TOUCHED) { _, fd in write(fd, "x", 1) == 1 },
      Way("a write through a shared mapping", MARTLET_CHANGE_TOUCHED) { _, fd in
        guard let page = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), page != MAP_FAILED else {
          return false
        }
        page.storeBytes(of: 1, as: UInt8.self)
        return munmap(page, 4096) == 0
      },
      Way("fallocate", MARTLET_CHANGE_TOUCHED) { _, fd in posix_fallocate(fd, 0, 1 << 16) == 0 },
      Way("truncate", MARTLET_CHANGE_TRUNCATED) { path, _ in truncate(path, 1) == 0 },
      Way("ftruncate", MARTLET_CHANGE_TRUNCATED) { _, fd in ftruncate(fd, 1) == 0 },
      Way("O_TRUNC", MARTLET_CHANGE_TRUNCATED) { path, _ in close(open(path, O_WRONLY | O_TRUNC)) == 0 },
      Way("chmod", MARTLET_CHANGE_ATTRIBUTES) { path, _ in chmod(path, 0o600) == 0 },
      Way("fchmod", MARTLET_CHANGE_ATTRIBUTES) { _, fd in fchmod(fd, 0o600) == 0 },
      Way("chown", MARTLET_CHANGE_ATTRIBUTES) { path, _ in chown(path, 1, 1) == 0 },
      Way("fchown", MARTLET_CHANGE_ATTRIBUTES) { _, fd in fchown(fd, 1, 1) == 0 },
      Way("utimensat", MARTLET_CHANGE_ATTRIBUTES) { path, _ in utimensat(AT_FDCWD, path, nil, 0) == 0 },
      Way("rename", MARTLET_CHANGE_RENAMED) { path, _ in rename(path, path + ".old") == 0 },
      Way("rename of another file to its name", MARTLET_CHANGE_RENAMED) { path, _ in
        close(creat(path + ".new", 0o600)) == 0 && rename(path + ".new", path) == 0
      },
      Way("link", MARTLET_CHANGE_LINKED) { path, _ in link(path, path + ".twin") == 0 },
      Way("unlink", MARTLET_CHANGE_UNLINKED) { path, _ in unlink(path) == 0 },
      Way("a write by another name", MARTLET_CHANGE_TOUCHED) { path, _ in
        guard link(path, path + ".twin") == 0 else { return false }
        let fd = open(path + ".twin", O_WRONLY)
        defer { close(fd) }
        return write(fd, "x", 1) == 1
      },
    ]

    @Test("whichever way a watched file is changed, it is told", arguments: ways, [true, false])
    func change(way: Way, typed: Bool) throws {
      var configuration = CaptureConfiguration.ofModels
      configuration.usesTypedLoads = typed
      let recorder = try Recorder(configuration)
      #expect(recorder.source.hasTypedLoads == typed)
      let path = try folder.file("weights")
      let fd = open(path, O_RDWR)
      defer { close(fd) }
      let numbers = try FileNumbers(path)
      #expect(recorder.source.watch(device: numbers.device, inode: numbers.inode))
      #expect(way.act(path, fd))
      recorder.record(way.change, of: numbers)
      let told = try #require(recorder.changes(of: numbers).first { $0.what == way.change.rawValue })
      #expect(told.isWatched)
      #expect(told.path == path || way.testDescription.contains("another name"), "\(told)")
      #expect(told.part.record.process_id == UInt32(getpid()))
      #expect(told.part.state.size_bytes <= 1 << 16)
      #expect(recorder.source.statistics().hooks[.file]?.lost == 0)
    }

    @Test("a rename says where from and where to; of a file that is replaced both are its name")
    func renamed() throws {
      let recorder = try Recorder(.ofModels)
      let (moved, replaced) = (try folder.file("moved"), try folder.file("replaced"))
      let numbers = [try FileNumbers(moved), try FileNumbers(replaced)]
      for file in numbers { #expect(recorder.source.watch(device: file.device, inode: file.inode)) }
      let actor = try Actor("chdir", folder.path, "call", "renameat2", "#-100", "moved", "#-100", "replaced", "#0", ":")
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      for (file, path) in zip(numbers, [moved, replaced]) {
        let told = recorder.changes(of: file)
        try #require(told.count == 1)
        #expect(told[0].path == path)
        #expect(told[0].directory == folder.path && told[0].name == "replaced")
      }
    }

    @Test("a change is told once, and once more when the file is watched again; nothing when it no longer is")
    func once() throws {
      let recorder = try Recorder(.ofModels)
      let path = try folder.file("weights")
      let numbers = try FileNumbers(path)
      let last = try folder.file("last")
      for _ in 0..<2 {
        #expect(recorder.source.watch(device: numbers.device, inode: numbers.inode))
        for mode in 0..<100 { #expect(chmod(path, mode_t(mode)) == 0) }
      }
      recorder.source.unwatch(device: numbers.device, inode: numbers.inode)
      #expect(chmod(path, 0o700) == 0 && unlink(path) == 0)
      let end = try FileNumbers(last)
      #expect(recorder.source.watch(device: end.device, inode: end.inode))
      #expect(unlink(last) == 0)
      recorder.record(MARTLET_CHANGE_UNLINKED, of: end)
      #expect(
        recorder.changes(of: numbers).map(\.what) == Array(repeating: MARTLET_CHANGE_ATTRIBUTES.rawValue, count: 2))
      let counters = try #require(recorder.source.statistics().hooks[.file])
      #expect(counters.isBalanced && counters.filtered >= 198)
    }

    @Test(
      "what another program does to a watched file is told",
      arguments: [
        (["call", "setxattr", "@@", "trusted.martlet", "x", "#1", "#0", ":"], MARTLET_CHANGE_ATTRIBUTES),
        (["call", "openat", "#-100", "@@", "#\(O_RDWR)", ":", "write-last", "x"], MARTLET_CHANGE_TOUCHED),
      ])
    func another(verbs: [String], change: martlet_change) throws { try act(verbs, change) }

    @Test("a write through io_uring is told", .enabled(if: RingAccess.isThere, "needs io_uring"))
    func ring() throws {
      try act(["call", "openat", "#-100", "@@", "#\(O_RDWR)", ":", "ring-write", "x"], MARTLET_CHANGE_TOUCHED)
    }

    /// `@@` in the verbs stands for the file.
    private func act(_ verbs: [String], _ change: martlet_change) throws {
      let recorder = try Recorder(.ofModels)
      let path = try folder.file("weights")
      let numbers = try FileNumbers(path)
      #expect(recorder.source.watch(device: numbers.device, inode: numbers.inode))
      let actor = try Actor(verbs.map { $0 == "@@" ? path : $0 })
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      let told = recorder.changes(of: numbers).filter { $0.what == change.rawValue }
      #expect(told.map(\.part.record.process_id) == [UInt32(actor.process)])
    }

    @Test("on an overlay the file of a lower layer is watched through its copy in the upper one")
    func overlay() throws {
      for name in ["lower", "upper", "work", "merged"] { _ = folder.folder(name) }
      _ = try folder.file("lower/weights")
      let recorder = try Recorder(.ofModels)
      let actor = try Actor("overlay", folder.path, "wait")
      #expect(actor.awaitWaiting())
      let path = "/proc/\(actor.process)/root\(folder.path)/merged/weights"
      let numbers = try FileNumbers(path)
      #expect(recorder.source.watch(device: numbers.device, inode: numbers.inode))
      let fd = open(path, O_WRONLY)
      #expect(write(fd, "x", 1) == 1 && close(fd) == 0)
      recorder.record(MARTLET_CHANGE_TOUCHED, of: numbers)
      #expect(rename(path, path + ".old") == 0)
      recorder.record(MARTLET_CHANGE_RENAMED, of: numbers)
      #expect(actor.finish() == 0)
    }

    @Test("who cannot be watched any more is refused and counted")
    func full() throws {
      let recorder = try Recorder(.ofModels)
      for inode in 1...UInt64(KernelSource.watchedFilesMax) {
        #expect(recorder.source.watch(device: .max, inode: inode))
      }
      #expect(recorder.source.watch(device: .max, inode: 1), "it is there already")
      #expect(!recorder.source.watch(device: .max, inode: 0))
      #expect(recorder.source.statistics().unwatchedFiles == 1)
      recorder.source.unwatch(device: .max, inode: 1)
      #expect(recorder.source.watch(device: .max, inode: 0))
    }
  }
}
