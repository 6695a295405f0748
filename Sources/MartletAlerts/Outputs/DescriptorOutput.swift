// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Writes lines to a descriptor that someone else opened: standard output.
///
/// Never waits longer than `patienceMilliseconds` at a time, so that a reader that has stopped reading cannot keep
/// the agent from ending. The descriptor is left in blocking mode: it may be shared with other programs. A line that
/// could be written in part only, as on a full disk, is taken out of a file again; elsewhere it is closed before the next
/// one, so that it spoils no other.
public struct DescriptorOutput: Sendable {
  /// How a write went.
  public struct Outcome: Equatable, Sendable {
    public enum End: Equatable, Sendable {
      case whole
      /// The reader was slow and the writer was told to give up.
      case givenUp
      /// Nobody reads any more.
      case closed
      case failed(errno: Int32)
    }

    public var end: End
    /// Lines that are out in full.
    public var lineCount: Int

    public init(end: End, lineCount: Int) {
      self.end = end
      self.lineCount = lineCount
    }
  }

  private let descriptor: Int32
  private var isInsideLine = false
  private static let patienceMilliseconds: Int32 = 100
  /// A pipe that can be written to takes this much without blocking (PIPE_BUF).
  private static let chunkByteCount = 4096
  private static let newline = UInt8(ascii: "\n")

  public init(descriptor: Int32) {
    self.descriptor = descriptor
  }

  /// Whether nobody reads any more, asked without writing. Only pipes, sockets and terminals can tell.
  public var isClosed: Bool {
    var state = pollfd(fd: descriptor, events: 0, revents: 0)
    return poll(&state, 1, 0) > 0 && state.revents & Int16(POLLERR | POLLHUP | POLLNVAL) != 0
  }

  /// Writes whole lines. `shouldGiveUp` is asked only while the reader is slow.
  public mutating func write(_ lines: [UInt8], shouldGiveUp: () -> Bool) -> Outcome {
    if isInsideLine {
      let (count, end) = writeBytes([Self.newline], shouldGiveUp)
      guard count == 1 else { return Outcome(end: end, lineCount: 0) }
    }
    let (count, end) = writeBytes(lines, shouldGiveUp)
    let torn = lines[..<count].reversed().prefix { $0 != Self.newline }.count
    isInsideLine = torn > 0 && !takeBack(torn)
    return Outcome(end: end, lineCount: Self.lineCount(in: lines[..<count]))
  }

  /// Whether the last `count` bytes are gone: only from a file, and only where nobody has written behind them.
  private func takeBack(_ count: Int) -> Bool {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
    let place = lseek(descriptor, 0, SEEK_CUR)
    guard place == status.st_size, place >= count, ftruncate(descriptor, place - count) == 0 else { return false }
    // What does not append would leave a hole.
    return lseek(descriptor, place - count, SEEK_SET) >= 0
  }

  private static func lineCount(in lines: ArraySlice<UInt8>) -> Int {
    lines.withUnsafeBytes { bytes in
      var lineCount = 0
      var rest = bytes[...]
      while let start = UnsafeRawBufferPointer(rebasing: rest).baseAddress,
        let end = memchr(start, Int32(newline), rest.count)
      {
        lineCount += 1
        rest = rest.dropFirst(UnsafeRawPointer(end) - start + 1)
      }
      return lineCount
    }
  }

  private func writeBytes(_ bytes: [UInt8], _ shouldGiveUp: () -> Bool) -> (count: Int, end: Outcome.End) {
    var written = 0
    while written < bytes.count {
      var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      let ready = poll(&waiting, 1, Self.patienceMilliseconds)
      if ready == 0 || (ready < 0 && errno == EINTR) {
        if shouldGiveUp() { return (written, .givenUp) }
        continue
      }
      let count = min(bytes.count - written, Self.chunkByteCount)
      let result = bytes.withUnsafeBytes { buffer in
        Glibc.write(descriptor, buffer.baseAddress.map { $0 + written }, count)
      }
      if result >= 0 {
        written += result
      } else if errno == EPIPE {
        return (written, .closed)
      } else if errno != EINTR && errno != EAGAIN {
        return (written, .failed(errno: errno))
      }
    }
    return (written, .whole)
  }
}
