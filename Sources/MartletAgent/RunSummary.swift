// SPDX-License-Identifier: Apache-2.0

public import MartletAlerts
public import MartletCapture
public import MartletEnrichment
import MartletEvents
public import MartletMatching
public import MartletState

/// What a run saw, found and lost: the closing line on stderr, and `--stats FILE`.
public struct RunSummary: Sendable {
  public var pipeline = PipelineCounters()
  /// Nil where nothing was captured.
  public var capture: CaptureStatistics?
  /// Of each of the capture's `losses`, whose it was; nil where the cgroup was never announced, `host` for no container.
  public var lossContainerIDs: [String?] = []
  public var state = StateStatistics()
  /// Of the names of containers; all 0 where nobody could be asked.
  public var inquiry = ContainerInquiry.Statistics()
  /// Of the names of users and groups.
  public var accounts = AccountInquiry.Statistics()
  /// What became of models; empty where none were verified.
  public var models: [(name: StaticString, count: UInt64)] = []
  /// Of events that waited for the names of their container.
  public var waits = HeldEvents.Statistics()
  /// Of every enabled rule, in load order.
  public var rules: [(name: String, statistics: RuleStatistics)] = []
  /// Alerts that the output took.
  public var alertsWritten: UInt64 = 0
  /// Alerts that it did not take before the end.
  public var alertsDropped: UInt64 = 0
  /// Of these, those that were not written for another reason than that their reader had gone.
  public var alertsFailed: UInt64 = 0
  /// Whether it ended because nobody read the alerts any more, and not because it was asked to.
  public var isUnread = false
  /// Whether a recording beside the alerts was given up.
  public var hasLostRecording = false
  /// Records saved, and the bytes they took; nil where nothing was recorded.
  public var recordedCount: UInt64?
  public var recordedByteCount: UInt64?
  /// Of a replay: events that the recorder lost; nil where the recording does not tell.
  public var recordedLostCount: UInt64?
  public var elapsedNanoseconds: UInt64 = 0
  /// User and system time of the whole process.
  public var cpuNanoseconds: UInt64 = 0

  public init() {}

  /// Events that the kernel side saw and could not deliver.
  public var lostCount: UInt64 { capture?.lost ?? recordedLostCount ?? 0 }

  /// Whether a watch did less than it was asked to. What was missing is in the log.
  public var isIncomplete: Bool { alertsFailed > 0 || isUnread || hasLostRecording }

  /// One line for people.
  public var line: String {
    let kinds = EventKind.allCases.compactMap { kind in
      let count = pipeline.count(of: kind)
      return count > 0 && kind.isMatched ? "\(kind.name) \(count)" : nil
    }
    let detail = kinds.isEmpty ? "" : " (\(kinds.joined(separator: ", ")))"
    if let recordedCount, let recordedByteCount, pipeline.eventCount == 0 {
      return "recorded \(recordedCount) records, \(recordedByteCount) bytes, \(lostCount) lost; "
        + "\(seconds(elapsedNanoseconds)) s, CPU \(seconds(cpuNanoseconds)) s"
    }
    return "saw \(pipeline.eventCount) events\(detail), \(pipeline.matched) matched, \(alertsWritten) alerts written"
      + (alertsDropped > 0 ? ", \(alertsDropped) not written" : "")
      + (pipeline.marked > 0 ? ", \(pipeline.marked) marked (\(pipeline.markedMatched) of them matched)" : "")
      + ", \(lostCount) lost; \(seconds(elapsedNanoseconds)) s, CPU \(seconds(cpuNanoseconds)) s"
  }

  private func seconds(_ nanoseconds: UInt64) -> String {
    let hundredths = (nanoseconds + 5_000_000) / 10_000_000
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
  }
}
