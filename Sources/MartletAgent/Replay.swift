// SPDX-License-Identifier: Apache-2.0

import Glibc
import Logging
import MartletAlerts
import MartletCapture
import MartletEvents
public import MartletRules
import MartletState

/// Runs rules over events that were saved: no root, no kernel, and the same alerts every time.
public struct Replay {
  /// What the events come from.
  public enum Input {
    case file(String)
    /// A recording in memory that outlives the replay, and what errors call it.
    case memory(UnsafeRawBufferPointer, name: String)
  }

  private let delivery: AlertDelivery
  private let began = Clock.monotonicNanoseconds

  /// `explainsAlerts`: alerts say why they were raised.
  public init(_ ruleset: Ruleset, explainsAlerts: Bool = false) {
    delivery = AlertDelivery(
      ruleset, explainsAlerts: explainsAlerts, output: DescriptorOutput(descriptor: STDOUT_FILENO),
      logger: Logger(label: "martlet") { StreamLogHandler.standardError(label: $0) })
  }

  /// Replays to the end, to damage, or until nobody reads the alerts any more.
  ///
  /// The summary tells what was replayed, whether or not all of it could be; the failure, why not all.
  public func run(_ input: Input) -> (summary: RunSummary, failure: Agent.Failure?) {
    var failure: Agent.Failure?
    var lostCount: UInt64?
    do {
      lostCount = try replay(input)
    } catch let error as RecordingError {
      failure = Agent.Failure(["cannot replay: \(error)"], help: help(for: error))
    } catch {
      failure = Agent.Failure(["cannot replay: \(error)"])
    }
    _ = delivery.finish { false }
    var summary = RunSummary()
    delivery.report(to: &summary)
    summary.recordedLostCount = lostCount
    summary.elapsedNanoseconds = Clock.monotonicNanoseconds - began
    summary.cpuNanoseconds = Clock.cpuNanoseconds
    return (summary, failure)
  }

  /// How many events the recorder lost, where the recording tells.
  private func replay(_ input: Input) throws -> UInt64? {
    switch input {
    case .memory(let bytes, let name): return try replay(try RecordingSource(bytes: bytes, name: name))
    case .file(let path):
      switch try EventInput.open(path) {
      case .recording(let source): return try replay(source)
      case .lines(let lines):
        try replay(lines)
        return nil
      }
    }
  }

  private func replay(_ source: RecordingSource) throws -> UInt64? {
    var isRead = true
    while isRead, try source.next({ isRead = delivery.process($0) { false } }) {}
    return source.lostCount
  }

  private func replay(_ lines: EventLines) throws {
    while let event = try lines.next() {
      do {
        guard try delivery.process(event, shouldGiveUp: { false }) else { return }
      } catch {
        throw lines.problem("the matcher and the reference evaluator disagree; this is a bug, please report the line")
      }
    }
  }

  private func help(for error: RecordingError) -> [String] {
    switch error.code {
    case .truncated: ["what stands before that was replayed; a recorder that is killed leaves such a file"]
    case .damaged: ["what stands before that was replayed"]
    case .foreign, .empty: ["'martlet record -o FILE' makes recordings; event lines begin with '{'"]
    case .version: ["use the release that made it, or a later one"]
    case .otherByteOrder, .link, .noFile, .system: []
    }
  }
}
