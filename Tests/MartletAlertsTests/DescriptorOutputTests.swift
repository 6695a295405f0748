// SPDX-License-Identifier: Apache-2.0

import Glibc
import MartletAlerts
import Testing

@Suite("Descriptor output")
struct DescriptorOutputTests {
  /// A pipe, closed when it is let go.
  private final class Pipe {
    private(set) var read: Int32 = -1
    private(set) var write: Int32 = -1

    init() throws {
      var ends: [Int32] = [0, 0]
      try #require(pipe(&ends) == 0)
      signal(SIGPIPE, SIG_IGN)
      read = ends[0]
      write = ends[1]
    }

    deinit {
      closeReader()
      close(write)
    }

    func closeReader() {
      if read >= 0 { close(read) }
      read = -1
    }

    /// All that can be read without waiting.
    func drain() -> [UInt8] {
      _ = fcntl(read, F_SETFL, O_NONBLOCK)
      var all: [UInt8] = []
      var chunk = [UInt8](repeating: 0, count: 65_536)
      while true {
        let count = Glibc.read(read, &chunk, chunk.count)
        guard count > 0 else { return all }
        all += chunk[..<count]
      }
    }
  }

  @Test("everything is written")
  func whole() throws {
    let pipe = try Pipe()
    var output = DescriptorOutput(descriptor: pipe.write)
    #expect(output.write(Array("one\ntwo\n".utf8)) { false } == .init(end: .whole, lineCount: 2))
    #expect(pipe.drain() == Array("one\ntwo\n".utf8))
  }

  @Test("a reader that does not read cannot hold the writer up for ever, and no line is glued to a torn one")
  func stuck() throws {
    let pipe = try Pipe()
    var output = DescriptorOutput(descriptor: pipe.write)
    var askedCount = 0
    let line = [UInt8](repeating: UInt8(ascii: "x"), count: 50_000) + [UInt8(ascii: "\n")]
    let outcome = output.write(line + line + line) {
      askedCount += 1
      return true
    }
    #expect(outcome == .init(end: .givenUp, lineCount: 1) && askedCount == 1)
    let torn = pipe.drain()
    #expect(torn.count > line.count && torn.count < line.count * 2 && torn.last == UInt8(ascii: "x"))
    #expect(output.write(Array("next\n".utf8)) { false } == .init(end: .whole, lineCount: 1))
    #expect(pipe.drain() == Array("\nnext\n".utf8))
  }

  @Test("a reader that has gone is noticed, by writing and without")
  func closed() throws {
    let pipe = try Pipe()
    var output = DescriptorOutput(descriptor: pipe.write)
    #expect(!output.isClosed)
    pipe.closeReader()
    #expect(output.isClosed)
    #expect(output.write([1]) { false } == .init(end: .closed, lineCount: 0))
  }

  @Test("a full disk is told")
  func full() throws {
    let descriptor = open("/dev/full", O_WRONLY)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    var output = DescriptorOutput(descriptor: descriptor)
    #expect(output.write(Array("x\n".utf8)) { false } == .init(end: .failed(errno: ENOSPC), lineCount: 0))
  }
}
