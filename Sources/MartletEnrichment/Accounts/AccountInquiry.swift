// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Dispatch
import Glibc
public import MartletEvents
import Synchronization

/// Finds out what the users and groups of containers and of the node are called, from their own passwd and group files.
///
/// - In: records of cgroups, of processes and programs that start, and of time that goes by.
/// - Out: an `AccountReport` for each container that had a process, and a new one when its files have changed; one that
///   says so where nobody was there any more to read them from.
///
/// The files are in the hands of whoever may write them, and may lie in a file system that never answers: they are read by
/// a few workers beside the watch, of which each may get stuck for good without holding up anything but names.
public final class AccountInquiry: Sendable {
  /// What became of the questions: asked = answered + unchanged + failed + open.
  public struct Statistics: Equatable, Sendable {
    public var asked: UInt64 = 0
    public var answered: UInt64 = 0
    /// The files were as before.
    public var unchanged: UInt64 = 0
    /// The container's processes had ended, or did not get inside.
    public var failed: UInt64 = 0
    public var open: UInt64 = 0
    /// Questions for which there was no room.
    public var dropped: UInt64 = 0

    public init() {}
  }

  private struct Container: Hashable, Sendable {
    var id: String
    var podUID: String?

    static let host = Container(id: "")
  }

  private struct CgroupKey: Hashable {
    var hierarchy: UInt32
    var id: UInt64
  }

  private struct ProcessKey: Equatable {
    var id: UInt32
    var startNanoseconds: UInt64
  }

  private enum Stage {
    /// For a worker.
    case waiting
    case looking
    /// Until the next look; the number tells it from an earlier one.
    case resting(UInt64)
  }

  /// About one container's files.
  private struct Question {
    var stage = Stage.waiting
    /// Processes by which to get at them, those first that were there first.
    var processes: [ProcessKey] = []
    let began = ContinuousClock.now
    /// When a process was last added.
    var added = ContinuousClock.now
    /// How often a rest was cut short.
    var wakeCount = 0
    /// By the stream's time: when that was.
    var timeNanoseconds: UInt64

    mutating func add(_ process: ProcessKey) {
      guard !processes.contains(process) else { return }
      if processes.count == AccountInquiry.processCountMax { processes.removeLast() }
      processes.append(process)
      added = .now
    }

    /// How long to rest before the next look; nil where there is to be none. Short at first: a program may end at once.
    func pause(at now: ContinuousClock.Instant, patience: Duration) -> Duration? {
      let elapsed = now - began
      guard elapsed < patience else { return nil }
      guard processes.isEmpty else { return max(AccountInquiry.restMin, elapsed / 16) }
      let rest = added + AccountInquiry.goneMax - now
      return rest > .zero ? rest : nil
    }
  }

  /// What is known of one container's files.
  private struct Knowledge {
    var marks: AccountFiles.Marks?
    /// By the stream's time: not asked for again before.
    var nextNanoseconds: UInt64 = 0
    /// How often it was asked for in vain, and how often of these because nobody was inside.
    var failureCount = 0
    var outsideCount = 0
  }

  private struct Desk {
    var cgroups = FixedTable<CgroupKey, Container>(countMax: AccountInquiry.cgroupCountMax)
    var known = FixedTable<Container, Knowledge>(countMax: AccountInquiry.containerCountMax)
    var open: [Container: Question] = [:]
    var waiting: [Container] = []
    var restCount: UInt64 = 0
    var busyCount = 0
    var reports: [AccountReport] = []
    var nextHostNanoseconds: UInt64 = 0
    var statistics = Statistics()
  }

  private let patience: Duration
  private let onReport: @Sendable () -> Void
  private let desk = Mutex(Desk())
  private let hasReports = Atomic<Bool>(false)
  private let queue = DispatchQueue(label: "martlet.accounts", qos: .utility, attributes: .concurrent)

  private static let cgroupCountMax = 4096
  private static let containerCountMax = 2048
  static let openCountMax = 1024
  private static let processCountMax = 4
  /// Reports wait to be taken, and each may be large.
  private static let reportCountMax = 64
  static let workerCountMax = 4
  /// Whoever makes processes by the thousand has them looked at no more than so often at once.
  private static let wakeCountMax = 64
  /// One that so often could not be read is tried once a second.
  private static let failureCountMax = 16
  private static let failureNanoseconds: UInt64 = 1_000_000_000
  /// So often not inside, it is one that shares the node's files for good.
  private static let outsideCountMax = 3
  /// How long after the last process was seen somebody may still be told of.
  private static let goneMax = Duration.milliseconds(50)
  private static let restMin = Duration.milliseconds(1)
  private static let containerSeconds: UInt64 = 60
  private static let hostSeconds: UInt64 = 10

  /// While a container is being made its processes are not inside yet: they are looked at until they are, for as long as
  /// `patience` says. `onReport` is called, on any thread, when there is something to take.
  public init(patience: Duration = .seconds(2), onReport: @escaping @Sendable () -> Void) {
    self.patience = patience
    self.onReport = onReport
  }

  /// What the node's own files say; waits for it.
  public func readHost() -> AccountReport {
    var report = AccountReport()
    let marks = Self.readHost(into: &report, unless: nil)
    desk.withLock { desk in
      desk.statistics.asked += 1
      desk.statistics.answered += 1
      desk.known.insert(Knowledge(marks: marks), for: .host)
    }
    return report
  }

  /// The first process has the node's root; where it may not be looked at, the agent runs on the node itself.
  private static func readHost(into report: inout AccountReport, unless known: AccountFiles.Marks?) -> AccountFiles
    .Marks?
  {
    for process in [1, UInt32(getpid())] {
      if let files = try? AccountFiles(process: process, startNanoseconds: nil, mayBeNode: true) {
        return files.read(into: &report, unless: known)
      }
    }
    return nil
  }

  /// A cgroup of a container. Never waits.
  public func note(_ cgroup: ContainerCgroup) {
    desk.withLock { desk in
      let container = Container(id: cgroup.id, podUID: cgroup.podUID)
      let key = CgroupKey(hierarchy: cgroup.hierarchy, id: cgroup.cgroupID)
      let isNew = desk.cgroups[key] == nil
      desk.cgroups.insert(container, for: key)
      // One that is started again gets a new cgroup, and what was told of it may be forgotten.
      if isNew, !cgroup.isInner, desk.known[container] != nil { desk.known.insert(Knowledge(), for: container) }
    }
  }

  /// A process or a program has started, or was there at the start; also, that time went by. Never waits.
  public func note(_ record: EventRecord) {
    let common = record.common.pointee
    let (kind, time) = (record.kind, record.timeNanoseconds)
    let isNews = desk.withLock { desk in
      if kind == .tick {
        guard time >= desk.nextHostNanoseconds else { return false }
        desk.nextHostNanoseconds = time + Self.hostSeconds * 1_000_000_000
        return ask(.host, nil, kind, at: time, &desk)
      }
      let container =
        desk.cgroups[CgroupKey(hierarchy: 0, id: common.cgroup_id)]
        ?? desk.cgroups[CgroupKey(hierarchy: 1, id: common.cgroup_v1_id)]
      guard let container else { return false }
      let process = ProcessKey(id: common.process_id, startNanoseconds: common.process_start_ns)
      return ask(container, process, kind, at: time, &desk)
    }
    if isNews { startWorkers() }
  }

  /// Whether somebody has to look now.
  private func ask(
    _ container: Container, _ process: ProcessKey?, _ kind: EventKind, at time: UInt64, _ desk: inout Desk
  ) -> Bool {
    if let known = desk.known[container], time < known.nextNanoseconds { return false }
    guard var question = desk.open[container] else {
      guard desk.open.count < Self.openCountMax else {
        desk.statistics.dropped += 1
        return false
      }
      var question = Question(timeNanoseconds: time)
      if let process { question.add(process) }
      desk.statistics.asked += 1
      desk.open[container] = question
      desk.waiting.append(container)
      return true
    }
    // A program may end at once, and a process be the only one.
    let isUrgent = kind == .exec || question.processes.isEmpty
    if let process { question.add(process) }
    question.timeNanoseconds = time
    defer { desk.open[container] = question }
    guard case .resting = question.stage, isUrgent, question.wakeCount < Self.wakeCountMax else { return false }
    question.wakeCount += 1
    question.stage = .waiting
    desk.waiting.append(container)
    return true
  }

  /// What has been found since, at most `countMax` of it; the rest next time. Costs one look where there is nothing.
  public func takeReports(_ countMax: Int) -> [AccountReport] {
    guard hasReports.load(ordering: .acquiring) else { return [] }
    let taken = desk.withLock { desk in
      let taken = Array(desk.reports.prefix(countMax))
      desk.reports.removeFirst(taken.count)
      hasReports.store(!desk.reports.isEmpty, ordering: .releasing)
      return taken
    }
    startWorkers()
    return taken
  }

  public var statistics: Statistics {
    desk.withLock { desk in
      var statistics = desk.statistics
      statistics.open = statistics.asked - statistics.answered - statistics.unchanged - statistics.failed
      return statistics
    }
  }

  // MARK: - Workers

  private func startWorkers() {
    let count = desk.withLock { desk in
      let count = min(Self.workerCountMax - desk.busyCount, desk.waiting.count)
      desk.busyCount += count
      return count
    }
    for _ in 0..<count { queue.async { self.work() } }
  }

  /// Until nobody waits, or enough lies there to be taken.
  private func work() {
    while let (container, question, known) = next() {
      let sight = Self.look(at: container, question, known)
      let pause = desk.withLock { desk in
        defer { hasReports.store(!desk.reports.isEmpty, ordering: .releasing) }
        return note(sight, of: container, since: question, &desk)
      }
      guard let (number, duration) = pause else {
        onReport()
        continue
      }
      queue.asyncAfter(deadline: .now() + .nanoseconds(Int(duration / .nanoseconds(1)))) {
        self.resume(container, after: number)
      }
    }
  }

  private func next() -> (Container, Question, Knowledge)? {
    desk.withLock { desk in
      while desk.reports.count < Self.reportCountMax, !desk.waiting.isEmpty {
        let container = desk.waiting.removeFirst()
        guard var question = desk.open[container] else { continue }
        question.stage = .looking
        desk.open[container] = question
        return (container, question, desk.known[container] ?? Knowledge())
      }
      desk.busyCount -= 1
      return nil
    }
  }

  /// What came of one look.
  private enum Sight {
    case read(AccountReport, AccountFiles.Marks)
    case unchanged
    /// These are not inside yet, and the others have ended.
    case outside([ProcessKey])
  }

  /// How long to rest before the next look, and the rest's number; nil where the question is closed.
  private func note(
    _ sight: Sight, of container: Container, since asked: Question, _ desk: inout Desk
  ) -> (UInt64, Duration)? {
    guard var question = desk.open[container] else { return nil }
    var known = desk.known[container] ?? Knowledge()
    if case .outside(let processes) = sight {
      // Others may have come meanwhile.
      question.processes.removeAll { asked.processes.contains($0) && !processes.contains($0) }
      if let pause = question.pause(at: .now, patience: patience) {
        desk.restCount += 1
        question.stage = .resting(desk.restCount)
        desk.open[container] = question
        return (desk.restCount, pause)
      }
      known.failureCount += 1
      if !question.processes.isEmpty { known.outsideCount += 1 }
      if known.failureCount > Self.failureCountMax {
        known.nextNanoseconds = question.timeNanoseconds + Self.failureNanoseconds
      }
      desk.statistics.failed += 1
      if known.marks == nil { desk.reports.append(Self.report(of: container, isUnknown: true)) }
    } else {
      known.failureCount = 0
      let pause = (container == .host ? Self.hostSeconds : Self.containerSeconds) * 1_000_000_000
      known.nextNanoseconds = question.timeNanoseconds + pause
    }
    switch sight {
    case .read(let report, let marks):
      known.marks = marks
      desk.reports.append(report)
      desk.statistics.answered += 1
    case .unchanged: desk.statistics.unchanged += 1
    case .outside: break
    }
    desk.known.insert(known, for: container)
    desk.open[container] = nil
    return nil
  }

  private static func report(of container: Container, isUnknown: Bool = false) -> AccountReport {
    var report = AccountReport(containerID: Array(container.id.utf8), podUID: Array((container.podUID ?? "").utf8))
    report.isUnknown = isUnknown
    return report
  }

  private static func look(at container: Container, _ question: Question, _ known: Knowledge) -> Sight {
    var report = report(of: container)
    if container == .host {
      guard let marks = readHost(into: &report, unless: known.marks) else { return .unchanged }
      return .read(report, marks)
    }
    var outside: [ProcessKey] = []
    for process in question.processes {
      do throws(AccountFiles.Failure) {
        let files = try AccountFiles(
          process: process.id, startNanoseconds: process.startNanoseconds,
          mayBeNode: known.outsideCount >= outsideCountMax)
        guard let marks = files.read(into: &report, unless: known.marks) else { return .unchanged }
        return .read(report, marks)
      } catch {
        if error == .notInside { outside.append(process) }
      }
    }
    return .outside(outside)
  }

  private func resume(_ container: Container, after rest: UInt64) {
    let isDue = desk.withLock { desk in
      guard case .resting(rest) = desk.open[container]?.stage else { return false }
      desk.open[container]?.stage = .waiting
      desk.waiting.append(container)
      return true
    }
    if isDue { startWorkers() }
  }
}
