// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What the agent reads of time, about itself only; event time comes in the stream.
enum Clock {
  static var monotonicNanoseconds: UInt64 { nanoseconds(CLOCK_MONOTONIC) }
  /// The clock that events are stamped by.
  static var bootTimeNanoseconds: UInt64 { nanoseconds(CLOCK_BOOTTIME) }
  static var cpuNanoseconds: UInt64 { nanoseconds(CLOCK_PROCESS_CPUTIME_ID) }

  private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
