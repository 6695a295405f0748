// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Dispatch
import Glibc
import Logging
import MartletCapture
import MartletEnrichment
import MartletEvents
import MartletState
import ServiceLifecycle
import Synchronization

/// Watches this node until it is asked to stop, its time is over, or nobody reads its alerts any more.
///
/// One thread of its own takes events from the kernel, leads them through the pipeline and writes alerts: the order of
/// events is the order of everything, and no lock is taken on the way.
final class NodeWatch: Service, @unchecked Sendable {
  /// Why a watch that had begun could not go on.
  enum Failure: Error {
    case capture(CaptureError)
    case recording(RecordingError)
  }

  // Used by the watch's thread only, from `run` to its end: that is why the class is sendable.
  private let source: KernelSource
  private let alerts: AlertDelivery?
  private let inquiry: ContainerInquiry
  private let accounts: AccountInquiry
  private let verifier: (any ModelVerifier)?
  private var recording: RecordingWriter?
  private var heartbeat: Heartbeat?
  /// How many hidden alerts have been told of.
  private var hiddenNoted: UInt64 = 0
  private var began: UInt64 = 0
  private var isUnread = false
  private var hasLostRecording = false

  private let durationNanoseconds: UInt64?
  private let logger: Logger
  private let isStopping = Atomic<Bool>(false)
  private let errands = Errands<NodeWatch>()
  private let result = Mutex<RunSummary?>(nil)

  /// Longest wait for events, in milliseconds; also how soon a closed output is noticed when nothing happens.
  private static let patienceMilliseconds = 1000

  /// How often, and how long apart, it is looked whether the agent was asked to stop as its reader was.
  private static let stopLookCount = 10
  private static let stopLookMicroseconds: UInt32 = 10_000

  /// `source` is open and not started. With neither `alerts` nor `recording` events are only counted.
  init(
    source: KernelSource, verifier: (any ModelVerifier)?, alerts: AlertDelivery?, inquiry: ContainerInquiry,
    accounts: AccountInquiry, recording: RecordingWriter?, durationSeconds: Double?, heartbeat: Heartbeat?,
    logger: Logger
  ) {
    self.source = source
    self.verifier = verifier
    self.alerts = alerts
    self.inquiry = inquiry
    self.accounts = accounts
    self.recording = recording
    self.heartbeat = heartbeat
    durationNanoseconds = durationSeconds.map { UInt64($0 * 1e9) }
    self.logger = logger
  }

  /// What the run came to; before its end, what it had when that was last asked for. Nil if it never was.
  var summary: RunSummary? { result.withLock { $0 } }

  func run() async throws {
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

  /// Waits until events are taken; false when the watch is over.
  func untilWatching() async -> Bool { await errands.untilOpen() }

  /// Prepares the kernel for other rules, once events are taken; from any thread.
  func prepareCapture(_ configuration: CaptureConfiguration) throws(CaptureError) -> CaptureChange {
    try source.prepare(configuration)
  }

  /// Goes by other rules from the next batch on; returns then. False when the watch ended before.
  func adopt(_ change: RuleChange) async -> Bool {
    await errands.give({ watch in
      guard let alerts = watch.alerts else { return }
      change.adopt(by: alerts, watch.source)
    }) { source.interrupt() }
  }

  /// Puts a notice into the stream, unless the watch has ended.
  func raise(_ notice: CaptureNotice) async {
    _ = await errands.give({ $0.source.raise(notice) }) { source.interrupt() }
  }

  /// What the run has come to so far; nil when it is over.
  func summaryNow() async -> RunSummary? {
    let isTaken = await errands.give({ $0.sumUp() }) { source.interrupt() }
    return isTaken ? summary : nil
  }

  private func stop() {
    isStopping.store(true, ordering: .relaxed)
    source.interrupt()
  }

  // MARK: - On the watch's own thread

  private func watch() throws(Failure) {
    began = Clock.monotonicNanoseconds
    defer {
      errands.close()
      sumUp()
    }
    source.tell(accounts.readHost())
    do { try source.start() } catch { throw .capture(error) }
    for warning in source.warnings { logger.warning("\(warning.description)") }
    logger.info("watching this node \(alerts.map { "with \($0.ruleCount) rules" } ?? "to record it")")
    errands.open()
    let deadline = durationNanoseconds.map { began &+ $0 } ?? .max
    do {
      try takeEvents(until: deadline)
      _ = alerts?.finish { isStopping.load(ordering: .relaxed) }
      try record { recording throws(RecordingError) in try recording.finish(lostCount: source.statistics().lost) }
    } catch {
      throw .recording(error)
    }
  }

  private func sumUp() {
    var summary = RunSummary()
    alerts?.report(to: &summary)
    let capture = source.statistics()
    summary.capture = capture
    summary.lossContainerIDs = capture.losses.map { alerts?.containerID(of: $0) }
    summary.inquiry = inquiry.statistics
    summary.accounts = accounts.statistics
    summary.models = verifier?.counters ?? []
    summary.recordedCount = recording?.recordCount
    summary.recordedByteCount = recording?.byteCount
    summary.isUnread = isUnread
    summary.hasLostRecording = hasLostRecording
    summary.elapsedNanoseconds = Clock.monotonicNanoseconds - began
    summary.cpuNanoseconds = Clock.cpuNanoseconds
    result.withLock { [summary] in $0 = summary }
  }

  /// Ends at the deadline or when asked to; what happened before that is still judged, what comes after is not, so that
  /// a node that never falls silent cannot keep the agent from ending.
  private func takeEvents(until deadline: UInt64) throws(RecordingError) {
    var stopTime: UInt64?
    while true {
      errands.perform(for: self)
      let now = Clock.monotonicNanoseconds
      if stopTime == nil, isStopping.load(ordering: .relaxed) || now >= deadline {
        stopTime = Clock.bootTimeNanoseconds
      }
      tellAnswers()
      let batch = source.nextBatch(timeoutMilliseconds: stopTime == nil ? patience(now, until: deadline) : 0)
      defer { source.release(batch) }
      note(batch)
      for finding in source.takeFindings() { logger.error("\(finding)") }
      let isRead = alerts?.process(batch) { isStopping.load(ordering: .relaxed) } ?? true
      if !isRead || alerts?.isOutputClosed == true { return noteClosedOutput() }
      if let deadline = alerts?.waitDeadlineNanoseconds { source.tick(noLaterThan: deadline) }
      noteFilter()
      try record { recording throws(RecordingError) in
        guard !recording.isFull else { return }
        try recording.append(batch)
        if recording.isFull { logger.notice("the recording has reached its size limit and takes nothing more") }
      }
      heartbeat?.beat()
      if recording?.isFull == true && alerts == nil { return }
      if let stopTime, batch.isEmpty || hasReached(stopTime, batch) { return }
    }
  }

  /// What others have found out.
  private func tellAnswers() {
    for answer in inquiry.takeAnswers(source.answerRoom) { source.tell(answer) }
    for report in accounts.takeReports(source.answerRoom) { source.tell(report) }
    for report in verifier?.takeReports(source.answerRoom) ?? [] { source.tell(report) }
  }

  /// What flows back: which cgroups are no container's, so that the probe can drop what happens there, and which ones
  /// are, so that their runtimes are asked for names; where processes and programs start, so that users get names; and
  /// what is said of models, so that they are verified. The answers come in as records.
  private func note(_ batch: EventBatch) {
    // A look at the kind first: the pipeline verifies every record, and hardly any is about these.
    for bytes in batch.records {
      switch EventRecord.claimedKind(bytes) {
      case .cgroup:
        guard let record = EventRecord(bytes) else { continue }
        noteCgroup(record)
        verifier?.note(record)
      case .exec, .process, .fork, .tick: if let record = EventRecord(bytes) { accounts.note(record) }
      case .file: if let verifier, let record = EventRecord(bytes) { verifier.note(record) }
      case .open:
        guard let verifier, EventRecord.claims(flag: UInt32(MARTLET_FLAG_FILE_STATE), bytes),
          let record = EventRecord(bytes)
        else { continue }
        verifier.note(record)
      default: break
      }
    }
  }

  private func noteCgroup(_ record: EventRecord) {
    if let cgroup = ContainerCgroup(record) {
      inquiry.ask(cgroup, wasThere: source.isTellingStart)
      accounts.note(cgroup)
    } else if source.asksForHostCgroups, let cgroup = HostCgroup(record) {
      source.noteHostCgroup(id: cgroup.id, hierarchy: cgroup.hierarchy)
    }
  }

  /// A filter that hides alerts is an alert itself; again whenever their number has doubled.
  private func noteFilter() {
    guard let count = alerts?.hiddenCount, count > 2 * hiddenNoted else { return }
    hiddenNoted = count
    logger.error("the kernel's filter would have dropped \(count) events that rules match: please report this")
    source.raise(CaptureNotice(.filter, count: count))
  }

  private func hasReached(_ time: UInt64, _ batch: EventBatch) -> Bool {
    guard let last = batch.records.last.flatMap({ EventRecord($0) }) else { return false }
    return last.timeNanoseconds >= time
  }

  /// A recording beside alerts is the lesser of the two: when it fails or is full, the watch goes on without.
  private func record(_ act: (RecordingWriter) throws(RecordingError) -> Void) throws(RecordingError) {
    guard let recording else { return }
    do {
      try act(recording)
    } catch {
      guard alerts != nil else { throw error }
      logger.error("the recording was given up: \(error); alerts go on; it can be replayed up to here")
      hasLostRecording = true
      self.recording = nil
    }
  }

  /// A signal to a whole pipeline ends its readers, too, and that may be seen before the signal is.
  private func noteClosedOutput() {
    for _ in 0..<Self.stopLookCount where !isStopping.load(ordering: .relaxed) { usleep(Self.stopLookMicroseconds) }
    isUnread = !isStopping.load(ordering: .relaxed)
    if isUnread { logger.error("nobody reads the alerts any more: stopping") }
  }

  private func patience(_ now: UInt64, until deadline: UInt64) -> Int {
    Int(min(UInt64(Self.patienceMilliseconds), (deadline - now) / 1_000_000 + 1))
  }
}
