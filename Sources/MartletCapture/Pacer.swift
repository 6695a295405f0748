// SPDX-License-Identifier: Apache-2.0

/// Decides how to wait: asking to be woken, which is quick and costs the traced program a wake-up, or by napping, which
/// costs it nothing.
struct Pacer {
  /// From here on a nap ends with several records on average, so that they share one wake-up: those cost the traced
  /// programs more than the records do, while a nap adds at most two milliseconds to an alert on a node this busy.
  static let busyRecordsPerMillisecond: UInt64 = 1
  static let windowNanoseconds: UInt64 = 4_000_000
  static let napMilliseconds: Int32 = 2

  private(set) var isBusy = false
  private var windowStart: UInt64 = 0
  private var recordCount: UInt64 = 0

  /// `count` records were drained at `time`.
  mutating func note(_ count: Int, at time: UInt64) {
    recordCount += UInt64(count)
    guard time >= windowStart &+ Self.windowNanoseconds else { return }
    isBusy = recordCount * 1_000_000 >= (time - windowStart) * Self.busyRecordsPerMillisecond
    windowStart = time
    recordCount = 0
  }
}
