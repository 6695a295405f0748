// SPDX-License-Identifier: Apache-2.0

import Glibc
import Logging
import MartletAlerts
import MartletEvents
import MartletRules
import MartletState

/// Leads batches through a pipeline and its alerts to an output. Belongs to one thread.
final class AlertDelivery {
  private var pipeline: Pipeline
  private var alerts = AlertBuffer()
  private let output: DescriptorOutput
  private let logger: Logger
  private var writtenCount: UInt64 = 0
  private var droppedCount: UInt64 = 0
  /// Whether the last write went well: what changes is logged, not each failure.
  private var canWrite = true

  init(_ ruleset: Ruleset, limits: StateLimits, output: DescriptorOutput, logger: Logger) {
    pipeline = Pipeline(ruleset, limits: limits)
    self.output = output
    self.logger = logger
  }

  /// Nobody reads the alerts any more, as far as can be told without writing one.
  var isOutputClosed: Bool { output.isClosed }

  /// What came of everything so far.
  func report(to summary: inout RunSummary) {
    summary.pipeline = pipeline.counters
    summary.state = pipeline.stateStatistics
    summary.alertsWritten = writtenCount
    summary.alertsDropped = droppedCount
  }

  /// False if nobody takes alerts any more. `shouldGiveUp` is asked while the reader is slow.
  func process(_ batch: EventBatch, shouldGiveUp: () -> Bool) -> Bool {
    var next = 0
    while next < batch.count {
      next = pipeline.process(batch, from: next, into: &alerts)
      guard deliver(shouldGiveUp) else { return false }
    }
    return true
  }

  /// Matches one event that was given as values.
  func process(_ event: GivenEvent, shouldGiveUp: () -> Bool) throws(Pipeline.EnginesDisagree) -> Bool {
    try pipeline.process(event, into: &alerts)
    return alerts.isFull ? deliver(shouldGiveUp) : true
  }

  /// Delivers what is left after the last event.
  func finish() -> Bool { deliver { false } }

  /// Alerts that cannot be written for another reason than a reader that has gone, such as a full disk, are counted as
  /// dropped: the watch goes on.
  private func deliver(_ shouldGiveUp: () -> Bool) -> Bool {
    guard alerts.alertCount > 0 else { return true }
    defer { alerts.removeAll() }
    do {
      let written = try output.write(alerts.bytes, shouldGiveUp: shouldGiveUp)
      let lineCount = written == alerts.bytes.count ? alerts.alertCount : lines(in: alerts.bytes[..<written])
      writtenCount += UInt64(lineCount)
      droppedCount += UInt64(alerts.alertCount - lineCount)
      if !canWrite { logger.notice("alerts are written again") }
      canWrite = true
      return true
    } catch {
      droppedCount += UInt64(alerts.alertCount)
      guard case .failed(let code) = error else { return false }
      if canWrite {
        logger.error("cannot write alerts: \(String(cString: strerror(code))); they are counted as not written")
      }
      canWrite = false
      return true
    }
  }

  private func lines(in bytes: ArraySlice<UInt8>) -> Int { bytes.count { $0 == UInt8(ascii: "\n") } }
}
