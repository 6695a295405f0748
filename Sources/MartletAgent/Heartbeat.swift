// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A file whose modification time says when the watch last finished a round: for probes that run a command.
public struct Heartbeat {
  private let descriptor: Int32
  private var lastNanoseconds: UInt64 = 0

  private static let intervalNanoseconds: UInt64 = 1_000_000_000

  public struct Failure: Error, CustomStringConvertible {
    let path: String
    let errno: Int32

    public var description: String { "cannot keep a heartbeat in '\(path)': \(String(cString: strerror(errno)))" }
  }

  /// Makes the file. It stays open for as long as the program runs.
  init(path: String) throws(Failure) {
    descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { throw Failure(path: path, errno: errno) }
  }

  /// At most once a second; called after each round of the watch.
  mutating func beat() {
    let now = Clock.monotonicNanoseconds
    guard now &- lastNanoseconds >= Self.intervalNanoseconds else { return }
    lastNanoseconds = now
    futimens(descriptor, nil)
  }

  /// Seconds since the last beat in this file; below 0 where it is from the future, as far as the clock tells.
  public static func ageSeconds(ofFile path: String) throws(Failure) -> Int {
    var status = stat()
    guard stat(path, &status) == 0 else { throw Failure(path: path, errno: errno) }
    return time(nil) &- status.st_mtim.tv_sec
  }
}
