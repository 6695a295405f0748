// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc

/// One line a program wrote, and when it reached us.
public struct ArrivedLine: Sendable {
  public let text: String
  /// CLOCK_REALTIME in nanoseconds, to be compared with the times alerts carry.
  public let arrival: UInt64
}

/// Everything read from one descriptor, line by line, by a thread of its own.
///
/// A thread and not a task: reading blocks, and tests already occupy the few threads that tasks share. The time is
/// taken as soon as a read returns, before anything is looked at, so that latency measured here is the program's.
final class CapturedOutput: @unchecked Sendable {
  /// What a program may write before the harness stops keeping it; the rest is read and dropped.
  private static let bytesMax = 64 << 20

  private let condition = NSCondition()
  private var bytes: [UInt8] = []
  private var lines: [ArrivedLine] = []
  private var lineStart = 0
  private var hasEnded = false

  /// Takes over the descriptor and closes it at the end of the stream.
  init(reading descriptor: CInt) {
    let thread = Thread { [self] in drain(descriptor) }
    thread.stackSize = 256 << 10
    thread.start()
  }

  /// All that has arrived so far, as text; bytes that are not UTF-8 are replaced.
  var text: String {
    condition.withLock { String(decoding: bytes, as: UTF8.self) }
  }

  func lines(from index: Int = 0) -> [ArrivedLine] {
    condition.withLock { Array(lines.dropFirst(index)) }
  }

  /// Waits until `body` finds what it wants among the lines so far; nil when time is up or the stream has ended.
  func wait<Value>(until deadline: Deadline, for body: ([ArrivedLine]) -> Value?) -> Value? {
    let found: Value?? = condition.wait(until: deadline) {
      if let value = body(lines) { return .some(value) }
      return hasEnded ? .some(nil) : nil
    }
    return found ?? nil
  }

  /// Waits for the stream's end: all that the program will ever say has been said.
  @discardableResult
  func waitForEnd(until deadline: Deadline) -> Bool {
    condition.wait(until: deadline) { hasEnded ? true : nil } ?? false
  }

  private func drain(_ descriptor: CInt) {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      // A terminal reports its last writer's end as EIO; any other error ends the stream as well.
      guard count > 0 || (count < 0 && errno == EINTR) else { break }
      if count > 0 { append(buffer[..<count], arrival: realtimeNanoseconds()) }
    }
    close(descriptor)
    condition.withLock {
      hasEnded = true
      condition.broadcast()
    }
  }

  private func append(_ chunk: ArraySlice<UInt8>, arrival: UInt64) {
    condition.withLock {
      guard bytes.count + chunk.count <= Self.bytesMax else { return }
      var searchFrom = bytes.count
      bytes += chunk
      while let end = bytes[searchFrom...].firstIndex(of: UInt8(ascii: "\n")) {
        lines.append(ArrivedLine(text: String(decoding: bytes[lineStart..<end], as: UTF8.self), arrival: arrival))
        lineStart = end + 1
        searchFrom = lineStart
      }
      condition.broadcast()
    }
  }
}

/// CLOCK_REALTIME now, in nanoseconds.
public func realtimeNanoseconds() -> UInt64 {
  var now = timespec()
  clock_gettime(CLOCK_REALTIME, &now)
  return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}
