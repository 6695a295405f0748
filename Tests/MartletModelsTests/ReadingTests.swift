// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import MartletSignatures
import Synchronization
import Testing

@testable import MartletModels

/// Reading with a reader of its own, the agent's program, as the agent does it.
@Suite("Reading models", .timeLimit(.minutes(5)))
struct ReadingTests {
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  private func reader(_ program: FileReader.Program? = nil, patienceSeconds: Int = 250) throws -> FileReader {
    let own = FileReader.Program(path: try AgentBinary.path(), arguments: ModelVerdicts.readerArguments + ["0"])
    return FileReader(program ?? own, patienceSeconds: patienceSeconds) { _ in }
  }

  /// What an open by this process tells, of the file at `path`.
  private func request(_ path: String, descriptor: Int32 = -1) throws -> HashRequest {
    var status = stat()
    try #require(stat(path, &status) == 0)
    let device = UInt64(status.st_dev)
    let (major, minor) = (UInt32(device >> 8 & 0xfff), UInt32(device & 0xff | device >> 12 & 0xfff00))
    var request = HashRequest(
      processID: UInt32(getpid()), device: major << 20 | minor, inode: UInt64(status.st_ino))
    request.descriptor = descriptor
    request.path = Array(path.utf8)
    return request
  }

  @Test("requests and replies come through as they are")
  func messages() throws {
    var request = HashRequest(processID: 7, device: 0x80_0001, inode: .max)
    request.descriptor = -1
    request.path = Array("/a b".utf8)
    request.cgroupName = Array("abc".utf8)
    request.byteCountMax = 1 << 40
    request.needsMagic = true
    #expect(HashRequest(request.bytes) == request)
    let file = HashedFile(
      digest: Digest256(of: []), stamp: FileTimes(size: 1, modified: 2, changed: 3), magic: [1, 2], nanoseconds: 4,
      hadNoWriters: true)
    for reply in [.progress, .digest(file), .held(true), .held(false)] + HashFailure.allCases.map(HashReply.failed) {
      #expect(HashReply(reply.bytes) == reply)
    }
    #expect(HashRequest([]) == nil && HashReply([]) == nil && HashReply([9, 0, 0, 0, 0, 0, 0, 0]) == nil)
  }

  @Test("a file is read by the descriptor, by a mapping and by the path", arguments: ["descriptor", "mapping", "path"])
  func ways(way: String) throws {
    let path = try folder.write("x.gguf", "GGUF" + String(repeating: "weights", count: 100_000))
    let file = open(path, O_RDONLY | O_CLOEXEC)
    defer { close(file) }
    var wanted = try request(path, descriptor: way == "descriptor" ? file : -1)
    if way != "path" {
      // Another file takes its name: the one that was opened is still found.
      try #require(rename(try folder.write("y", "other"), path) == 0)
      wanted.path = Array(path.utf8)
    }
    let mapping = way == "mapping" ? mmap(nil, 700_004, PROT_READ, MAP_PRIVATE, file, 0) : nil
    defer { if let mapping { munmap(mapping, 700_004) } }
    let reply = try reader().ask(wanted)
    guard case .digest(let read) = reply else {
      Issue.record("\(reply)")
      return
    }
    #expect(read.digest == Digest256(of: Array(("GGUF" + String(repeating: "weights", count: 100_000)).utf8)))
    #expect(read.stamp.size == 700_004 && read.hadNoWriters && read.magic.starts(with: "GGUF".utf8))
  }

  @Test("a name that leads to another file is not read")
  func otherFile() throws {
    let path = try folder.write("x.gguf", "weights")
    let wanted = try request(path)
    try #require(rename(try folder.write("y", "other"), path) == 0)
    #expect(try reader().ask(wanted) == .failed(.gone))
  }

  @Test("a link leads nowhere but below the process's root, and no magic one anywhere")
  func links() throws {
    let path = folder.path + "/x.gguf"
    for target in ["/proc/self/root/etc/hostname", "/proc/\(getpid())/fd/0"] {
      try #require(symlink(target, path) == 0)
      var wanted = try request("/etc/hostname")
      wanted.path = Array(path.utf8)
      #expect(try reader().ask(wanted) == .failed(.gone))
      unlink(path)
    }
  }

  @Test("a FIFO hangs nobody")
  func fifo() throws {
    let path = folder.path + "/x.gguf"
    try #require(mkfifo(path, 0o600) == 0)
    #expect(try reader().ask(try request(path)) == .failed(.notRegular))
  }

  @Test("16 terabytes of nothing are not read")
  func sparse() throws {
    // On tmpfs: other file systems take no file as large as this.
    let path = "/dev/shm/martlet-\(UUID().uuidString).gguf"
    let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    defer { unlink(path) }
    try #require(file >= 0 && write(file, "GGUF", 4) == 4 && ftruncate(file, 16 << 40) == 0)
    close(file)
    #expect(try reader().ask(try request(path)) == .failed(.sparse))
    var wanted = try request(path)
    wanted.byteCountMax = 1 << 30
    #expect(try reader().ask(wanted) == .failed(.tooLarge))
  }

  @Test("what is no model is looked at and not read")
  func magic() throws {
    var wanted = try request(try folder.write("x.bin", "no model"))
    wanted.needsMagic = true
    #expect(try reader().ask(wanted) == .failed(.notAModel))
  }

  @Test("whoever can write to a file, by a descriptor or a mapping, is told", arguments: [false, true])
  func writers(byMapping: Bool) throws {
    let path = try folder.write("x.gguf", "weights")
    let file = open(path, O_RDWR | O_CLOEXEC)
    let mapping = mmap(nil, 7, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
    if byMapping { close(file) } else { munmap(mapping, 7) }
    #expect(try reader().ask(try request(path)) == .failed(.writers))
    if byMapping { munmap(mapping, 7) } else { close(file) }
    guard case .digest = try reader().ask(try request(path)) else {
      Issue.record("not read without writers")
      return
    }
  }

  @Test("a file that becomes shorter while it is read has changed, and the next one is read as ever")
  func cutOff() throws {
    let path = try folder.write("x.gguf", "GGUF")
    try #require(Child.run(["dd", "if=/dev/zero", "of=\(path)", "bs=1M", "count=64"]).succeeded)
    // A quarter of a minute for all of it.
    let slow = FileReader.Program(
      path: try AgentBinary.path(), arguments: ModelVerdicts.readerArguments + ["\(4 << 20)"])
    let process = Process()
    let reader = FileReader(slow, patienceSeconds: 250) { process.id.store($0, ordering: .relaxed) }
    let wanted = try request(path)
    try awaitAge(of: path)
    let cutter = Thread { [path] in
      while !process.rests { usleep(1000) }
      truncate(path, 1)
    }
    cutter.start()
    #expect(reader.ask(wanted) == .failed(.changed))
    guard case .digest = reader.ask(try request(path)) else {
      Issue.record("the next one was not read")
      return
    }
  }

  /// The reader.
  private final class Process: Sendable {
    let id = Atomic<Int32>(0)

    /// Whether it has read a part, and sleeps so as not to be too fast.
    var rests: Bool {
      let place = try? String(contentsOfFile: "/proc/\(id.load(ordering: .relaxed))/wchan", encoding: .utf8)
      return place?.contains("nanosleep") == true
    }
  }

  /// Until the file is old enough for its times to tell of each change.
  private func awaitAge(of path: String) throws {
    var (status, now) = (stat(), timespec())
    try #require(stat(path, &status) == 0)
    repeat { clock_gettime(CLOCK_REALTIME, &now) } while now.tv_sec <= status.st_ctim.tv_sec + 1
  }

  @Test("who holds a file is known by descriptor and by mapping")
  func held() throws {
    let path = try folder.write("x.gguf", "weights")
    var wanted = try request(path)
    wanted.kind = .isHeld
    let reader = try reader()
    #expect(reader.ask(wanted) == .held(false))
    let file = open(path, O_RDONLY | O_CLOEXEC)
    #expect(reader.ask(wanted) == .held(true))
    let mapping = mmap(nil, 7, PROT_READ, MAP_PRIVATE, file, 0)
    close(file)
    #expect(reader.ask(wanted) == .held(true))
    munmap(mapping, 7)
    #expect(reader.ask(wanted) == .held(false))
    #expect(reader.startCount == 1)
  }

  @Test("a reader that does not answer, ends or is not there is given up", arguments: ["sleep", "true", "missing"])
  func badReader(program: String) throws {
    let path = try folder.write("x.gguf", "weights")
    let programs = [
      "sleep": FileReader.Program(path: "/bin/sleep", arguments: ["sleep", "60"]),
      "true": FileReader.Program(path: "/bin/true", arguments: ["true"]),
    ]
    let reader = try reader(
      programs[program] ?? FileReader.Program(path: "/missing", arguments: ["x"]),
      patienceSeconds: program == "sleep" ? 1 : 250)
    let reply = reader.ask(try request(path))
    #expect(reply == .failed(program == "sleep" ? .stalled : .noReader))
  }
}
