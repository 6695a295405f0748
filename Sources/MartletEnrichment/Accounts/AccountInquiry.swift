// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Dispatch
import Glibc
public import MartletEvents
import Synchronization

/// Finds out what the users and groups of containers and of the node are called, from their own passwd and group files.
///
/// - In: records of cgroups, of programs that start, and of time that goes by.
/// - Out: an `AccountReport` for each container in which a program has started, and a new one when its files have changed.
///
/// The files are in the hands of whoever may write them, and may lie in a file system that never answers: they are read by
/// a few workers beside the watch, of which each may get stuck for good without holding up anything but names.
public final class AccountInquiry: Sendable {
  /// What became of the attempts: asked = answered + unchanged + failed + open.
  public struct Statistics: Equatable, Sendable {
    public var asked: UInt64 = 0
    public var answered: UInt64 = 0
    /// The files were as before.
    public var unchanged: UInt64 = 0
    /// The process had ended, or was not in its container yet.
    public var failed: UInt64 = 0
    public var open: UInt64 = 0
    /// Attempts for which there was no room.
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

  /// What is known of one container's files.
  private struct Entry: Sendable {
    var isOpen = false
    var attemptCount = 0
    /// By the stream's time: not looked at before.
    var nextNanoseconds: UInt64 = 0
    var marks: AccountFiles.Marks?
  }

  private struct Question: Sendable {
    var container: Container
    var process: UInt32
    var startNanoseconds: UInt64?
    var timeNanoseconds: UInt64
    var attempt: Int
    var known: AccountFiles.Marks?
  }

  private struct Desk {
    var cgroups = FixedTable<CgroupKey, Container>(countMax: AccountInquiry.cgroupCountMax)
    var entries = FixedTable<Container, Entry>(countMax: AccountInquiry.containerCountMax)
    var waiting: [Question] = []
    var busyCount = 0
    var reports: [AccountReport] = []
    var nextHostNanoseconds: UInt64 = 0
    var statistics = Statistics()
  }

  private let onReport: @Sendable () -> Void
  private let desk = Mutex(Desk())
  private let hasReports = Atomic<Bool>(false)
  private let queue = DispatchQueue(label: "martlet.accounts", qos: .utility, attributes: .concurrent)

  private static let cgroupCountMax = 4096
  private static let containerCountMax = 2048
  static let waitingCountMax = 1024
  /// Reports wait to be taken, and each may be large.
  private static let reportCountMax = 64
  static let workerCountMax = 4
  /// While a container is being made, programs start in it that are not inside yet.
  private static let earlyAttemptCountMax = 16
  private static let containerSeconds: UInt64 = 60
  private static let hostSeconds: UInt64 = 10

  /// `onReport` is called, on any thread, when there is something to take.
  public init(onReport: @escaping @Sendable () -> Void) { self.onReport = onReport }

  /// What the node's own files say; waits for it.
  public func readHost() -> AccountReport {
    var report = AccountReport()
    let marks = Self.readHost(into: &report, unless: nil)
    desk.withLock { desk in
      desk.statistics.asked += 1
      desk.statistics.answered += 1
      desk.entries.insert(Entry(marks: marks), for: .host)
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
    desk.withLock {
      $0.cgroups.insert(
        Container(id: cgroup.id, podUID: cgroup.podUID),
        for: CgroupKey(hierarchy: cgroup.hierarchy, id: cgroup.cgroupID))
    }
  }

  /// A program has started, or a process was there at the start; also, that time went by. Never waits.
  public func note(_ record: EventRecord) {
    let common = record.common.pointee
    let time = record.timeNanoseconds
    desk.withLock { desk in
      if record.kind == .tick {
        guard time >= desk.nextHostNanoseconds else { return }
        desk.nextHostNanoseconds = time + Self.hostSeconds * 1_000_000_000
        return ask(.host, process: 1, startNanoseconds: nil, at: time, &desk)
      }
      let container =
        desk.cgroups[CgroupKey(hierarchy: 0, id: common.cgroup_id)]
        ?? desk.cgroups[CgroupKey(hierarchy: 1, id: common.cgroup_v1_id)]
      guard let container else { return }
      ask(container, process: common.process_id, startNanoseconds: common.process_start_ns, at: time, &desk)
    }
    startWorkers()
  }

  private func ask(
    _ container: Container, process: UInt32, startNanoseconds: UInt64?, at time: UInt64, _ desk: inout Desk
  ) {
    var entry = desk.entries[container] ?? Entry()
    guard !entry.isOpen, time >= entry.nextNanoseconds else { return }
    guard desk.waiting.count < Self.waitingCountMax else {
      desk.statistics.dropped += 1
      return
    }
    desk.statistics.asked += 1
    desk.waiting.append(
      Question(
        container: container, process: process, startNanoseconds: startNanoseconds, timeNanoseconds: time,
        attempt: entry.attemptCount, known: entry.marks))
    entry.isOpen = true
    entry.attemptCount += 1
    desk.entries.insert(entry, for: container)
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
    while true {
      let question: Question? = desk.withLock { desk in
        guard !desk.waiting.isEmpty, desk.reports.count < Self.reportCountMax else {
          desk.busyCount -= 1
          return nil
        }
        return desk.waiting.removeFirst()
      }
      guard let question else { return }
      answer(question)
    }
  }

  private func answer(_ question: Question) {
    let isHost = question.container == .host
    var report = AccountReport(
      containerID: Array(question.container.id.utf8), podUID: Array((question.container.podUID ?? "").utf8))
    var marks: AccountFiles.Marks?
    var hasFailed = false
    do {
      if isHost {
        marks = Self.readHost(into: &report, unless: question.known)
      } else {
        marks = try AccountFiles(
          process: question.process, startNanoseconds: question.startNanoseconds,
          // One that shares the node's files for good.
          mayBeNode: question.attempt >= Self.earlyAttemptCountMax
        ).read(into: &report, unless: question.known)
      }
    } catch {
      hasFailed = true
    }
    let pause = (isHost ? Self.hostSeconds : Self.containerSeconds) * 1_000_000_000
    desk.withLock { desk in
      var entry = desk.entries[question.container] ?? Entry(attemptCount: question.attempt + 1)
      entry.isOpen = false
      if !hasFailed || question.attempt >= Self.earlyAttemptCountMax {
        entry.nextNanoseconds = question.timeNanoseconds + pause
      }
      if let marks {
        entry.marks = marks
        desk.reports.append(report)
        desk.statistics.answered += 1
      } else if hasFailed {
        desk.statistics.failed += 1
      } else {
        desk.statistics.unchanged += 1
      }
      desk.entries.insert(entry, for: question.container)
      hasReports.store(!desk.reports.isEmpty, ordering: .releasing)
    }
    if marks != nil { onReport() }
  }
}
