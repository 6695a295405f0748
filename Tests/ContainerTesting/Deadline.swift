// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A moment after which waiting is failing. Every wait in the harness has one, so that no test can hang.
public struct Deadline: Sendable {
  private let end: ContinuousClock.Instant

  public init(in duration: Duration) {
    end = .now + duration
  }

  /// Of a wait for what ought to happen.
  public static var untilHung: Deadline { Deadline(in: .untilHung) }

  public var remaining: Duration { max(.zero, ContinuousClock.Instant.now.duration(to: end)) }
  public var hasPassed: Bool { remaining == .zero }

  /// The same moment for interfaces that want a date, such as `NSCondition`.
  var date: Date {
    let (seconds, attoseconds) = remaining.components
    return Date(timeIntervalSinceNow: Double(seconds) + Double(attoseconds) * 1e-18)
  }
}

extension Duration {
  /// After this long something hangs. Deadlines only end hangs: a busy machine takes many times as long as an idle one.
  public static let untilHung = Duration.seconds(120)
}

extension NSCondition {
  /// Runs `body` under the lock until it gives a value or the deadline passes; sleeps between signals, never polls.
  func wait<Value>(until deadline: Deadline, for body: () -> Value?) -> Value? {
    lock()
    defer { unlock() }
    while true {
      if let value = body() { return value }
      // One more look after the time is up: the signal may have come together with it.
      guard wait(until: deadline.date) else { return body() }
    }
  }
}
