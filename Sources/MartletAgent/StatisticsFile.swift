// SPDX-License-Identifier: Apache-2.0

import MartletCapture
import MartletEvents
public import SystemPackage

/// The file behind `--stats`.
public enum StatisticsFile {
  /// Replaces the file at `path`.
  public static func write(_ summary: RunSummary, to path: String) throws(Errno) {
    do {
      let file = try FileDescriptor.open(
        FilePath(path), .writeOnly, options: [.create, .truncate, .closeOnExec],
        permissions: [.ownerReadWrite, .groupRead, .otherRead])
      try file.closeAfter { _ = try file.writeAll(summary.json.utf8) }
    } catch let error as Errno {
      throw error
    } catch {
      throw .ioError
    }
  }
}

extension RunSummary {
  /// The same as JSON, for `--stats FILE`: names are the contract, see the README.
  public var json: String {
    let events = EventKind.allCases.map { "\"\($0.name)\": \(pipeline.count(of: $0))" }
    let hooks = capture.hooks.map { hook in
      """
      "\(hook.name)": {"seen": \(hook.seen), "filtered": \(hook.filtered), "delivered": \(hook.delivered), \
      "lost": \(hook.lost)}
      """
    }
    let lost = capture.hooks.map { "\"\($0.name)\": \($0.lost)" }
    return """
      {
        "events": {"total": \(pipeline.eventCount), \(events.joined(separator: ", "))},
        "matched": \(pipeline.matched),
        "alerts": \(alertsWritten),
        "lost": {"total": \(capture.lostCount), \(lost.joined(separator: ", "))},
        "elapsed_ns": \(elapsedNanoseconds),
        "cpu_ns": \(cpuNanoseconds),
        "ledger": {
          "hooks": {\(hooks.joined(separator: ", "))},
          "malformed": \(pipeline.malformed),
          "matched": \(pipeline.matched),
          "not_matched": \(pipeline.notMatched),
          "undecided": \(pipeline.undecided),
          "alerts_written": \(alertsWritten),
          "alerts_dropped": \(alertsDropped)
        },
        "state": {
          "processes": \(state.processCount),
          "containers": \(state.containerCount),
          "unknown_processes": \(state.unknownProcessCount),
          "evicted_processes": \(state.evictedProcessCount),
          "refused_processes": \(state.refusedProcessCount),
          "shortened_images": \(state.shortenedImageCount),
          "cut_lineages": \(state.cutLineageCount),
          "evicted_cgroups": \(state.evictedCgroupCount),
          "refused_containers": \(state.refusedContainerCount),
          "unknown_cgroups": \(state.unknownCgroupCount)
        }
      }

      """
  }
}
