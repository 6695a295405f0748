// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
public import MartletEvents
import MartletSignatures
import Synchronization

/// MartletModels tells whether the models that processes open are the ones that trusted signers published.
///
/// - In: records of opens with the file's state, and of what becomes of watched files, in stream order (`note`); signatures
///   of the operator's (`TrustedModels`).
/// - Out: a `ModelEvent` for each process that opens a model, which the watch puts into the stream (`takeReports`).
/// - The way: `note` (never waits) → `VerdictDesk` (what is known of which file) → `FileReader` (reads, in a process of its
///   own: `HashService`) → the digests that are trusted.
/// - What it refuses to know: rules, alerts, whether a load is to be prevented.
public final class ModelVerdicts: Sendable {
  /// How much is read, and how fast.
  public struct Limits: Sendable {
    /// Larger files are not read.
    public var fileByteCountMax: UInt64 = 512 << 30
    /// Of each container, in files that wait to be read.
    public var queuedByteCountMax: UInt64 = 2 << 40
    public var queuedCountPerContainerMax = 64
    public var queuedCountMax = 1024
    /// 0 for as fast as it goes.
    public var bytesPerSecondMax: UInt64 = 512 << 20
    /// A reader that says nothing for so long is ended.
    public var patienceSeconds = 30
    /// Files that are known and watched.
    public var fileCountMax = 3000

    public init() {}
  }

  /// What a source of records does for it, on the thread that notes them.
  public struct Watcher: Sendable {
    var watch: @Sendable (_ device: UInt32, _ inode: UInt64) -> Bool
    var unwatch: @Sendable (_ device: UInt32, _ inode: UInt64) -> Void

    /// `watch`: tells from now on what becomes of a file; false where there is no room. `unwatch`: forgets it.
    public init(
      watch: @escaping @Sendable (_ device: UInt32, _ inode: UInt64) -> Bool,
      unwatch: @escaping @Sendable (_ device: UInt32, _ inode: UInt64) -> Void
    ) {
      self.watch = watch
      self.unwatch = unwatch
    }
  }

  /// The program that reads: this one, called with these arguments, serves `HashService` on descriptor 0.
  public static let readerArguments = ["martlet", "read-models"]

  private let trust: TrustedModels
  private let limits: Limits
  private let program: FileReader.Program
  private let onReport: @Sendable () -> Void
  private let onReader: @Sendable (_ place: Int, _ process: Int32) -> Void
  private let desk: Mutex<VerdictDesk>
  private let hasReports = Atomic<Bool>(false)
  private let isStopping = Atomic<Bool>(false)
  /// For the process that reads files, and for the one that looks whether changed ones are in use.
  private let work = [DispatchSemaphore(value: 0), DispatchSemaphore(value: 0)]
  /// How long a reader without work is kept.
  private static let idleSeconds = 20

  /// `onReport` is called, on any thread, when there is something to take; `onReader` when a reader is another process, 0
  /// for none.
  public init(
    trust: TrustedModels, patterns: ModelPatterns = ModelPatterns(), limits: Limits = Limits(), watcher: Watcher,
    readerPath: String = "/proc/self/exe", onReader: @escaping @Sendable (_ place: Int, _ process: Int32) -> Void,
    onReport: @escaping @Sendable () -> Void
  ) {
    self.trust = trust
    self.limits = limits
    self.onReport = onReport
    self.onReader = onReader
    program = FileReader.Program(
      path: readerPath, arguments: Self.readerArguments + ["\(limits.bytesPerSecondMax)"])
    desk = Mutex(VerdictDesk(patterns: patterns, limits: limits, watcher: watcher))
  }

  /// Takes notice of an open, of what became of a file, or of a cgroup. Never waits.
  public func note(_ record: EventRecord) {
    let now = Self.monotonicNanoseconds
    let wanted = desk.withLock { desk in
      switch record.kind {
      case .open: desk.noteOpen(record, trust.snapshot, at: now)
      case .file: desk.noteChange(record, at: now)
      case .cgroup: desk.noteCgroup(record)
      default: break
      }
      if desk.hasForWatch { hasReports.store(true, ordering: .releasing) }
      return desk.takeWork()
    }
    for (lane, isWanted) in [wanted.reads, wanted.looks].enumerated() where isWanted { work[lane].signal() }
  }

  /// What is known since, at most `countMax` of it; the rest next time. Costs one look where there is nothing.
  public func takeReports(_ countMax: Int) -> [ModelEvent] {
    guard countMax > 0, hasReports.load(ordering: .acquiring) else { return [] }
    return desk.withLock { desk in
      desk.performWishes()
      let taken = Array(desk.reports.prefix(countMax))
      desk.reports.removeFirst(taken.count)
      hasReports.store(!desk.reports.isEmpty, ordering: .releasing)
      return taken
    }
  }

  public var statistics: ModelStatistics {
    let snapshot = trust.snapshot
    return desk.withLock { desk in
      var statistics = desk.statistics
      statistics.digestCount = UInt64(snapshot.index.count)
      statistics.refusedSignatureCount = UInt64(snapshot.refusedCount)
      return statistics
    }
  }

  /// Reads until the task is cancelled.
  public func run() async {
    await withTaskCancellationHandler {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await self.trust.follow() }
        group.addTask { await Self.aside("martlet.models") { self.readFiles() } }
        group.addTask { await Self.aside("martlet.models.look") { self.lookWhoHolds() } }
      }
    } onCancel: {
      isStopping.store(true, ordering: .relaxed)
      for semaphore in work { semaphore.signal() }
    }
  }

  private static func aside(_ label: String, _ body: @escaping @Sendable () -> Void) async {
    await withCheckedContinuation { continuation in
      DispatchQueue(label: label, qos: .utility).async {
        body()
        continuation.resume()
      }
    }
  }

  // MARK: - On threads of their own

  private func reader(_ place: Int) -> FileReader {
    FileReader(program, patienceSeconds: limits.patienceSeconds, isStopping: { self.isStopped }) {
      self.onReader(place, $0)
    }
  }

  private var isStopped: Bool { isStopping.load(ordering: .relaxed) }

  private func readFiles() {
    let reader = reader(0)
    defer { reader.end() }
    while !isStopped {
      let next = desk.withLock { $0.nextJob(at: Self.monotonicNanoseconds) }
      guard case .job(let job) = next else {
        wait(on: work[0], for: next, reader)
        continue
      }
      let reply = reader.ask(job.request)
      guard !isStopped else { return }
      tell { $0.finish(job, reply, trust.snapshot, at: Self.monotonicNanoseconds) }
    }
  }

  private func lookWhoHolds() {
    let reader = reader(1)
    defer { reader.end() }
    while !isStopped {
      guard let question = desk.withLock({ $0.nextQuestion() }) else {
        wait(on: work[1], for: .none, reader)
        continue
      }
      let reply = reader.ask(question.request)
      // Who cannot be asked may well hold it.
      if reply != .held(false) { tell { $0.tellChange(question) } }
    }
  }

  private func tell(_ body: (inout VerdictDesk) -> Void) {
    let hasAny = desk.withLock { desk in
      body(&desk)
      if desk.hasForWatch { hasReports.store(true, ordering: .releasing) }
      return desk.hasForWatch
    }
    if hasAny { onReport() }
  }

  private func wait(on semaphore: DispatchSemaphore, for next: VerdictDesk.Next, _ reader: FileReader) {
    if case .later(let nanoseconds) = next {
      _ = semaphore.wait(timeout: .now() + .nanoseconds(Int(min(nanoseconds, 1_000_000_000))))
    } else if semaphore.wait(timeout: .now() + .seconds(Self.idleSeconds)) == .timedOut {
      reader.end()
    }
  }

  private static var monotonicNanoseconds: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

/// What became of models. Opens of models = told + joined verdicts that wait + those that need none.
public struct ModelStatistics: Equatable, Sendable {
  /// Opens of models for reading.
  public var opens: UInt64 = 0
  /// Of these, by processes that had been told of already.
  public var repeatedOpens: UInt64 = 0
  /// Of these, of files whose digest was known.
  public var cachedOpens: UInt64 = 0
  /// Of these, of files that were about to be read.
  public var joinedOpens: UInt64 = 0
  /// Files read to their end, and their bytes.
  public var hashedFiles: UInt64 = 0
  public var hashedBytes: UInt64 = 0
  /// Of these, before anybody opened them: downloads that had ended.
  public var earlyFiles: UInt64 = 0
  /// Files that did not begin like a model.
  public var otherFiles: UInt64 = 0
  public var verdicts: UInt64 = 0
  public var verified: UInt64 = 0
  /// Verdicts `skipped:…`.
  public var skipped: UInt64 = 0
  /// Times that a file was read in vain: it changed, or somebody could write to it.
  public var unstable: UInt64 = 0
  /// Readers that did not answer and were ended.
  public var stalled: UInt64 = 0
  /// Changes of models in use.
  public var changes: UInt64 = 0
  /// Opens whose verdict was given up for want of room.
  public var dropped: UInt64 = 0
  /// Files that are known, and those that made room for others.
  public var knownFiles: UInt64 = 0
  public var evictedFiles: UInt64 = 0
  /// Files that found no room among those the kernel watches.
  public var unwatchedFiles: UInt64 = 0
  /// Digests that are trusted, and signatures of the operator's that are not.
  public var digestCount: UInt64 = 0
  public var refusedSignatureCount: UInt64 = 0

  public init() {}

  /// With names for machines.
  public var counters: [(name: StaticString, count: UInt64)] {
    [
      ("opens", opens), ("repeated_opens", repeatedOpens), ("cached_opens", cachedOpens),
      ("joined_opens", joinedOpens), ("hashed_files", hashedFiles), ("hashed_bytes", hashedBytes),
      ("early_files", earlyFiles), ("other_files", otherFiles), ("verdicts", verdicts), ("verified", verified),
      ("skipped", skipped), ("unstable", unstable), ("stalled", stalled), ("changes", changes), ("dropped", dropped),
      ("known_files", knownFiles), ("evicted_files", evictedFiles), ("unwatched_files", unwatchedFiles),
      ("digests", digestCount), ("refused_signatures", refusedSignatureCount),
    ]
  }
}
