// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Writes alerts to a descriptor that someone else opened: standard output.
///
/// Never waits longer than `patienceMilliseconds` at a time, so that a reader that has stopped reading cannot keep
/// the agent from ending. The descriptor is left in blocking mode: it may be shared with other programs.
public struct DescriptorOutput: Sendable {
  public enum Failure: Error, Equatable {
    /// Nobody reads any more.
    case closed
    case failed(errno: Int32)
  }

  private let descriptor: Int32
  private static let patienceMilliseconds: Int32 = 100
  /// A pipe that can be written to takes this much without blocking (PIPE_BUF).
  private static let chunkByteCount = 4096

  public init(descriptor: Int32) {
    self.descriptor = descriptor
  }

  /// Whether nobody reads any more, asked without writing. Only pipes, sockets and terminals can tell.
  public var isClosed: Bool {
    var state = pollfd(fd: descriptor, events: 0, revents: 0)
    return poll(&state, 1, 0) > 0 && state.revents & Int16(POLLERR | POLLHUP | POLLNVAL) != 0
  }

  /// Writes everything, or returns how many bytes were written before `shouldGiveUp` said so.
  ///
  /// `shouldGiveUp` is asked only while the reader is slow.
  public func write(
    _ bytes: [UInt8], shouldGiveUp: () -> Bool
  ) throws(Failure) -> Int {
    var written = 0
    while written < bytes.count {
      var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      let ready = poll(&waiting, 1, Self.patienceMilliseconds)
      if ready == 0 || (ready < 0 && errno == EINTR) {
        if shouldGiveUp() { return written }
        continue
      }
      let count = min(bytes.count - written, Self.chunkByteCount)
      let result = bytes.withUnsafeBytes { buffer in
        Glibc.write(descriptor, buffer.baseAddress.map { $0 + written }, count)
      }
      if result >= 0 {
        written += result
      } else if errno == EPIPE {
        throw .closed
      } else if errno != EINTR && errno != EAGAIN {
        throw .failed(errno: errno)
      }
    }
    return written
  }
}
