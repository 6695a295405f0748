// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The clocks that records are stamped by.
enum Clock {
  /// CLOCK_BOOTTIME, in nanoseconds.
  static func bootTime() -> UInt64 { UInt64(read(CLOCK_BOOTTIME)) }

  /// CLOCK_REALTIME minus CLOCK_BOOTTIME: the best of a few tries, as anything may come between two readings.
  static func realtimeOffset() -> Int64 {
    var best: (width: Int64, offset: Int64) = (.max, 0)
    for _ in 0..<3 {
      let before = read(CLOCK_BOOTTIME)
      let realtime = read(CLOCK_REALTIME)
      let after = read(CLOCK_BOOTTIME)
      if after - before < best.width { best = (after - before, realtime - before - (after - before) / 2) }
    }
    return best.offset
  }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
