// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
public import Logging
public import MartletAlerts
public import MartletCapture
import MartletEvents
public import MartletRules
public import MartletState
public import ServiceLifecycle
import Synchronization

/// Watches this node until it is asked to stop or nobody reads its alerts any more.
///
/// One thread of its own takes events from the kernel, leads them through the pipeline and writes alerts: the order of
/// events is the order of everything, and no lock is taken on the way.
public final class NodeWatch: Service {
  private let ruleset: Ruleset
  private let limits: StateLimits
  private let source: KernelSource
  private let output: DescriptorOutput
  private let logger: Logger
  private let isStopping = Atomic<Bool>(false)
  /// Whether the last write went well: what changes is logged, not each failure.
  private let canWrite = Atomic<Bool>(true)
  private let result = Mutex<RunSummary?>(nil)

  /// `source` is open and not started.
  public init(
    _ ruleset: Ruleset, source: KernelSource, output: DescriptorOutput, limits: StateLimits, logger: Logger
  ) {
    self.ruleset = ruleset
    self.source = source
    self.output = output
    self.limits = limits
    self.logger = logger
  }

  /// What the run came to; nil before its end.
  public var summary: RunSummary? { result.withLock { $0 } }

  public func run() async throws {
    try await withTaskCancellationHandler {
      try await withGracefulShutdownHandler {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
          DispatchQueue(label: "martlet.watch", qos: .userInitiated).async {
            continuation.resume(with: Result { try self.watch() })
          }
        }
      } onGracefulShutdown: {
        self.stop()
      }
    } onCancel: {
      stop()
    }
  }

  private func stop() {
    isStopping.store(true, ordering: .relaxed)
    source.interrupt()
  }

  // MARK: - On the watch's own thread

  private func watch() throws {
    var pipeline = Pipeline(ruleset, limits: limits)
    var alerts = AlertBuffer()
    var summary = RunSummary()
    let began = Clock.monotonicNanoseconds
    defer {
      summary.pipeline = pipeline.counters
      summary.state = pipeline.stateStatistics
      summary.capture = source.statistics()
      summary.elapsedNanoseconds = Clock.monotonicNanoseconds - began
      summary.cpuNanoseconds = Clock.cpuNanoseconds
      result.withLock { $0 = summary }
    }
    try source.start()
    logger.info("watching this node with \(ruleset.rules.filter(\.isEnabled).count) rules")
    while true {
      // Asked before the rings are read, so that what happened before the request to stop is still judged.
      let isLast = isStopping.load(ordering: .relaxed)
      let batch = source.nextBatch(timeoutMilliseconds: isLast ? 0 : Self.patienceMilliseconds)
      let isRead = process(batch, with: &pipeline, &alerts, &summary)
      let isEmpty = batch.isEmpty
      source.release(batch)
      if !isRead || output.isClosed {
        logger.notice("nobody reads the alerts any more: stopping")
        return
      }
      if isLast && isEmpty { return }
    }
  }

  /// False if nobody takes alerts any more.
  private func process(
    _ batch: EventBatch, with pipeline: inout Pipeline, _ alerts: inout AlertBuffer, _ summary: inout RunSummary
  ) -> Bool {
    var next = 0
    while next < batch.count {
      next = pipeline.process(batch, from: next, into: &alerts)
      guard deliver(&alerts, &summary) else { return false }
    }
    return true
  }

  /// Longest wait for events, in milliseconds; also how soon a closed output is noticed when nothing happens.
  private static let patienceMilliseconds = 1000

  /// False if nobody takes alerts any more. Alerts that cannot be written for another reason, such as a full disk, are
  /// counted as dropped: the watch goes on.
  private func deliver(_ alerts: inout AlertBuffer, _ summary: inout RunSummary) -> Bool {
    guard alerts.alertCount > 0 else { return true }
    defer { alerts.removeAll() }
    do {
      let written = try output.write(alerts.bytes) { isStopping.load(ordering: .relaxed) }
      let lineCount = written == alerts.bytes.count ? alerts.alertCount : lines(in: alerts.bytes[..<written])
      summary.alertsWritten += UInt64(lineCount)
      summary.alertsDropped += UInt64(alerts.alertCount - lineCount)
      if canWrite.exchange(true, ordering: .relaxed) == false { logger.notice("alerts are written again") }
      return true
    } catch {
      summary.alertsDropped += UInt64(alerts.alertCount)
      guard case .failed(let code) = error else { return false }
      if canWrite.exchange(false, ordering: .relaxed) {
        logger.error("cannot write alerts: \(String(cString: strerror(code))); they are counted as not written")
      }
      return true
    }
  }

  private func lines(in bytes: ArraySlice<UInt8>) -> Int { bytes.count { $0 == UInt8(ascii: "\n") } }
}

/// What the agent reads of time, about itself only; event time comes in the stream.
enum Clock {
  static var monotonicNanoseconds: UInt64 { nanoseconds(CLOCK_MONOTONIC) }
  static var cpuNanoseconds: UInt64 { nanoseconds(CLOCK_PROCESS_CPUTIME_ID) }

  private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
