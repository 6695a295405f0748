// SPDX-License-Identifier: Apache-2.0

import Glibc
import Logging
import MartletAlerts
import MartletCapture
import MartletEvents
import MartletRules
import MartletState

/// Leads batches through a pipeline and its alerts to an output. Belongs to one thread.
final class AlertDelivery {
  /// Rules that are looked for.
  let ruleCount: Int
  private var pipeline: Pipeline
  private var alerts = AlertBuffer()
  private var output: DescriptorOutput
  private let logger: Logger
  private var writtenCount: UInt64 = 0
  private var droppedCount: UInt64 = 0
  /// Of these, those that somebody could have read.
  private var failedCount: UInt64 = 0
  /// How the last write went: what changes is logged, not each failure.
  private var health = Health.fine

  private enum Health {
    case fine, slow, failing
  }

  init(
    _ ruleset: Ruleset, limits: StateLimits = StateLimits(), explainsAlerts: Bool, output: DescriptorOutput,
    logger: Logger
  ) {
    ruleCount = ruleset.rules.count { $0.isEnabled }
    pipeline = Pipeline(ruleset, limits: limits, explainsAlerts: explainsAlerts)
    self.output = output
    self.logger = logger
  }

  /// Nobody reads the alerts any more, as far as can be told without writing one.
  var isOutputClosed: Bool { output.isClosed }

  /// Events that the kernel's filter would have dropped although a rule matches them.
  var hiddenCount: UInt64 { pipeline.counters.markedMatched }

  /// The container that lost events; nil where its cgroup was never announced.
  func containerID(of loss: ContainerLoss) -> String? {
    pipeline.containerID(cgroupID: loss.cgroupID, cgroupV1ID: loss.cgroupV1ID)
  }

  /// What came of everything so far.
  func report(to summary: inout RunSummary) {
    summary.pipeline = pipeline.counters
    summary.state = pipeline.stateStatistics
    summary.rules = pipeline.ruleStatistics
    summary.waits = pipeline.waitStatistics
    summary.alertsWritten = writtenCount
    summary.alertsDropped = droppedCount
    summary.alertsFailed = failedCount
  }

  /// When a tick is needed, even if nothing else happens; nil for the usual ones.
  var waitDeadlineNanoseconds: UInt64? { pipeline.waitDeadlineNanoseconds }

  /// The rules so far take the others' place. Events that waited are decided by them; their alerts leave with the next
  /// batch.
  func exchangeRules(_ others: inout JudgingRules) { pipeline.exchangeRules(&others, into: &alerts) }

  /// What the kernel marked before was marked for other rules.
  func disregardMarks(before time: UInt64) { pipeline.disregardMarks(before: time) }

  /// False if nobody takes alerts any more. `shouldGiveUp` is asked while the reader is slow.
  func process(_ batch: EventBatch, shouldGiveUp: () -> Bool) -> Bool {
    var next = 0
    repeat {
      next = pipeline.process(batch, from: next, into: &alerts)
      guard deliver(shouldGiveUp) else { return false }
    } while next < batch.count || pipeline.hasDue
    return true
  }

  /// Matches one event that was given as values.
  func process(_ event: GivenEvent, shouldGiveUp: () -> Bool) throws(Pipeline.EnginesDisagree) -> Bool {
    try pipeline.process(event, into: &alerts)
    return alerts.isFull ? deliver(shouldGiveUp) : true
  }

  /// Decides what still waits after the last event, and delivers what is left.
  func finish(shouldGiveUp: () -> Bool) -> Bool {
    pipeline.endWaits()
    return process(EventBatch(records: UnsafeBufferPointer(start: nil, count: 0)), shouldGiveUp: shouldGiveUp)
  }

  /// Alerts that cannot be written for another reason than a reader that has gone, such as a full disk, are counted as
  /// dropped: the watch goes on.
  private func deliver(_ shouldGiveUp: () -> Bool) -> Bool {
    guard alerts.alertCount > 0 else { return true }
    defer { alerts.removeAll() }
    let outcome = output.write(alerts.bytes) {
      note(.slow, "alerts are not being read: while that lasts, events may be lost")
      return shouldGiveUp()
    }
    writtenCount += UInt64(outcome.lineCount)
    let missing = UInt64(alerts.alertCount - outcome.lineCount)
    droppedCount += missing
    if outcome.end != .closed { failedCount += missing }
    switch outcome.end {
    case .whole: note(.fine, "alerts are written again")
    case .givenUp: break
    case .closed: return false
    case .failed(let code):
      note(.failing, "cannot write alerts: \(String(cString: strerror(code))); they are counted as not written")
    }
    return true
  }

  private func note(_ now: Health, _ message: @autoclosure () -> String) {
    guard now != health else { return }
    health = now
    logger.log(level: now == .fine ? .notice : .error, "\(message())")
  }
}
