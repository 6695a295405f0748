// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletCapture
import MartletEvents
import Testing

enum RingAccess {
  /// Kernels that can switch it off for all say whether they have.
  static let isThere: Bool = {
    guard let file = fopen("/proc/sys/kernel/io_uring_disabled", "r") else { return true }
    defer { fclose(file) }
    return fgetc(file) == Int32(UInt8(ascii: "0"))
  }()
}

extension KernelTests {
  @Suite("Opens through io_uring", .enabled(if: RingAccess.isThere, "needs io_uring"))
  struct RingTests {
    @Test(
      "the file behind the descriptor, or behind the ring's own slot, is told",
      arguments: ["plain", "openat2", "async", "polled", "linked", "direct", "direct-any"])
    func file(how: String) throws {
      let folder = try Folder()
      let file = try folder.file("secret")
      let link = folder.link("link", to: file)
      let open = try one(how, link)
      #expect(open.path == file)
      #expect(open.part.result >= 0)
      #expect(open.type == (how == "openat2" ? .openat2 : .openat))
      var facts = stat()
      #expect(stat(file, &facts) == 0)
      #expect(open.part.inode == UInt64(facts.st_ino))
      #expect(open.part.open_flags & UInt32(O_CLOEXEC) == (how == "openat2" ? UInt32(O_CLOEXEC) : 0))
    }

    @Test("a request that asks for no completion is told by the kernel's copy of its name, once")
    func silent() throws {
      let folder = try Folder()
      let name = folder.path + "/" + String(repeating: "./", count: 400) + "secret"
      _ = try folder.file("secret")
      let open = try one("silent", name)
      #expect(open.part.result == 0 && open.path == "")
      #expect(open.part.name.length_bytes == UInt32(name.utf8.count))
    }

    @Test("one that fails has a name and an errno")
    func missing() throws {
      let open = try one("missing", "/no-such-file")
      #expect(open.part.result == -Int64(ENOENT) && open.path == "")
    }

    @Test("without a rule about opens or connections the rings are not watched")
    func unwanted() throws {
      var configuration = CaptureConfiguration.withoutSeed
      configuration.eventTypes = EventTypeSet(.execve)
      let recorder = try Recorder(configuration)
      #expect(!recorder.source.hooks.contains { $0.name.hasPrefix("ring") && $0.isAttached })
    }

    /// The one open through a ring that the program makes; it is called what the program called it, by the program's name.
    private func one(_ how: String, _ path: String) throws -> OpenedFile {
      let recorder = try Recorder()
      let actor = try Actor("ring-open", how, path)
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      let told = recorder.records(of: .open, by: actor.process).filter { $0.has(flag: UInt32(MARTLET_FLAG_IO_URING)) }
      try #require(told.count == 1)
      #expect(told[0].bytes(told[0].open.pointee.name).string == path)
      #expect(told[0].comm.string == "KernelTestActor")
      #expect(recorder.source.settledStatistics().hooks[.ring]?.isBalanced == true)
      return OpenedFile(told[0])
    }
  }
}
