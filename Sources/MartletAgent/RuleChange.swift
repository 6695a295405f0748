// SPDX-License-Identifier: Apache-2.0

import MartletCapture
import MartletRules

/// Other rules for a watch that goes on: ready to judge, and the kernel ready to capture for them.
///
/// After the adoption it holds what was in force before.
final class RuleChange: @unchecked Sendable {
  // Prepared by one thread, then the watch's own until it is adopted, then of whoever lets it go: handed on, never shared.
  private var rules: JudgingRules
  private var capture: CaptureChange?
  /// Rules that are looked for.
  let ruleCount: Int
  /// Why it was not adopted in the end.
  private(set) var refusal: CaptureError?
  /// What the watch was held up for.
  private(set) var switchNanoseconds: UInt64 = 0

  init(_ rules: consuming JudgingRules, capture: CaptureChange) {
    ruleCount = rules.count
    self.rules = rules
    self.capture = capture
    extent = capture.extent
  }

  /// A connection that was asked for, and marked, before the change is told this much later at most, generously.
  private static let attemptNanosecondsMax: UInt64 = 1_000_000_000

  /// What had to change in the kernel.
  let extent: CaptureChange.Extent

  /// On the watch's thread, between two batches: the rules first. What the kernel captures for them is then judged by
  /// them; what it captured before, and is still on its way, is as well, which can raise no alert that does not hold.
  func adopt(by alerts: AlertDelivery, _ source: KernelSource) {
    let began = Clock.monotonicNanoseconds
    alerts.exchangeRules(&rules)
    do throws(CaptureError) {
      if let capture { try source.adopt(capture) }
      alerts.disregardMarks(before: Clock.bootTimeNanoseconds + Self.attemptNanosecondsMax)
    } catch {
      alerts.exchangeRules(&rules)
      refusal = error
    }
    switchNanoseconds = Clock.monotonicNanoseconds - began
  }

  /// Takes out of the kernel what is in force no more, which waits for programs that run.
  func letGo() { capture = nil }
}
