// SPDX-License-Identifier: Apache-2.0

import Glibc
import MartletAlerts
import MartletCapture
import MartletEnrichment
import MartletEvents
import MartletMatching
import MartletState
import SystemPackage

/// The file behind `--stats`.
public enum StatisticsFile {
  public struct Failure: Error, CustomStringConvertible {
    let path: String
    let reason: String

    public var description: String { "cannot write statistics to '\(path)': \(reason)" }
  }

  /// Whether they can be written to `path`, before there are any. Leaves what is there as it is.
  public static func check(_ path: String) throws(Failure) {
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw Failure(path: path, reason: isFolder ? "\(Errno.isDirectory)" : "Not a regular file")
    }
    do throws(Errno) { try write("", beside: path) } catch { throw Failure(path: path, reason: "\(error)") }
    unlink(temporary(for: path))
  }

  /// Replaces the file at `path`: written beside it first, so that there is always a whole one.
  public static func write(_ summary: RunSummary, to path: String) throws(Failure) {
    do throws(Errno) {
      try write(summary.json, beside: path)
      guard rename(temporary(for: path), path) == 0 else { throw Errno(rawValue: errno) }
    } catch {
      unlink(temporary(for: path))
      throw Failure(path: path, reason: "\(error)")
    }
  }

  private static func temporary(for path: String) -> String { path + ".new" }

  private static func write(_ text: String, beside path: String) throws(Errno) {
    do {
      let file = try FileDescriptor.open(
        FilePath(temporary(for: path)), .writeOnly, options: [.create, .truncate, .closeOnExec, .noFollow],
        permissions: [.ownerReadWrite, .groupRead, .otherRead])
      try file.closeAfter { _ = try file.writeAll(text.utf8) }
    } catch let error as Errno {
      throw error
    } catch {
      throw .ioError
    }
  }
}

extension RunSummary {
  /// The same as JSON, for `--stats FILE`. Names are a contract with whoever reads the file.
  public var json: String {
    var json = JSONWriter()
    json.beginObject()
    json.object("events") { json in
      json.member("total", pipeline.eventCount)
      for kind in EventKind.allCases { json.member(kind.name, pipeline.count(of: kind)) }
    }
    json.member("matched", pipeline.matched)
    json.member("alerts", alertsWritten)
    writeLost(&json)
    json.member("elapsed_ns", elapsedNanoseconds)
    json.member("cpu_ns", cpuNanoseconds)
    writeLedger(&json)
    writeState(&json)
    writeInquiry(&json)
    writeModels(&json)
    writeWaits(&json)
    writeRules(&json)
    json.endObject()
    return json.text + "\n"
  }

  private func writeLost(_ json: inout JSONWriter) {
    json.object("lost") { json in
      json.member("total", lostCount)
      for hook in HookName.allCases {
        json.key(Array("\(hook)".utf8))
        json.value(capture?.hooks[hook]?.lost ?? 0)
      }
    }
  }

  private func writeLedger(_ json: inout JSONWriter) {
    json.object("ledger") { json in
      json.object("hooks") { json in
        for name in HookName.allCases {
          guard let hook = capture?.hooks[name] else { continue }
          json.key(Array("\(name)".utf8))
          json.beginObject()
          json.member("seen", hook.seen)
          json.member("filtered", hook.filtered)
          json.member("delivered", hook.delivered)
          json.member("lost_ring_full", hook.lostRingFull)
          json.member("lost_nested", hook.lostNested)
          json.member("lost_unreadable", hook.lostUnreadable)
          json.member("lost_shed", hook.lostShed)
          json.endObject()
        }
      }
      json.object("full_tables") { json in
        for table in CaptureStatistics.Table.allCases {
          json.key(Array("\(table)".utf8))
          json.value(capture?.fullTables[table] ?? 0)
        }
      }
      writeLosses(&json)
      json.member("late", capture?.late ?? 0)
      json.member("recursion_misses", capture?.recursionMisses ?? 0)
      json.member("seed_failures", capture?.seedFailures ?? 0)
      json.member("dropped_notices", capture?.droppedNotices ?? 0)
      json.member("malformed", pipeline.malformed)
      json.member("matched", pipeline.matched)
      json.member("not_matched", pipeline.notMatched)
      json.member("undecided", pipeline.undecided)
      json.member("marked", pipeline.marked)
      json.member("marked_matched", pipeline.markedMatched)
      json.member("alerts_written", alertsWritten)
      json.member("alerts_dropped", alertsDropped)
    }
  }

  /// The largest losses by container; those of all others as one number.
  private func writeLosses(_ json: inout JSONWriter) {
    json.array("lost_by_container") { json in
      for (loss, containerID) in zip(capture?.losses ?? [], lossContainerIDs) {
        json.beginObject()
        json.member("container_id", containerID)
        json.member("cgroup_id", loss.cgroupID)
        json.member("cgroup_v1_id", loss.cgroupV1ID)
        json.member("hook", "\(loss.hook)")
        json.member("lost", loss.lost)
        json.member("shed", loss.shed)
        json.endObject()
      }
    }
    json.member("lost_by_others", capture?.otherLosses ?? 0)
  }

  private func writeRules(_ json: inout JSONWriter) {
    json.array("rules") { json in
      for (name, statistics) in rules {
        json.beginObject()
        json.member("rule", name)
        json.member("evaluations", statistics.evaluationCount)
        json.member("matches", statistics.matchCount)
        json.member("estimated_ns", statistics.nanoseconds)
        json.endObject()
      }
    }
  }

  private func writeState(_ json: inout JSONWriter) {
    json.object("state") { json in
      json.member("processes", UInt64(state.processCount))
      json.member("containers", UInt64(state.containerCount))
      json.member("unknown_processes", state.unknownProcessCount)
      json.member("evicted_processes", state.evictedProcessCount)
      json.member("refused_processes", state.refusedProcessCount)
      json.member("shortened_images", state.shortenedImageCount)
      json.member("cut_lineages", state.cutLineageCount)
      json.member("evicted_cgroups", state.evictedCgroupCount)
      json.member("refused_containers", state.refusedContainerCount)
      json.member("forgotten_containers", state.forgottenContainerCount)
      json.member("container_reports", UInt64(state.containerReportCount))
      json.member("evicted_container_reports", state.evictedContainerReportCount)
      json.member("forgotten_container_reports", state.forgottenContainerReportCount)
      json.member("account_lists", UInt64(state.accountListCount))
      json.member("evicted_account_lists", state.evictedAccountListCount)
      json.member("forgotten_account_lists", state.forgottenAccountListCount)
      json.member("unknown_cgroups", state.unknownCgroupCount)
      json.member("truncated_texts", state.truncatedTextCount)
      json.member("unreachable_paths", state.unreachablePathCount)
      json.member("missing_names", state.missingNameCount)
      json.member("domain_names", UInt64(state.nameCount))
      json.member("evicted_domain_names", state.evictedNameCount)
      json.member("evicted_model_opens", state.evictedModelOpenCount)
      json.member("untrusted_answers", state.untrustedAnswerCount)
      json.member("malformed_answers", state.malformedAnswerCount)
    }
  }
}

extension RunSummary {
  private func writeModels(_ json: inout JSONWriter) {
    json.object("models") { json in
      for (name, count) in models { json.member(name, count) }
    }
  }

  private func writeWaits(_ json: inout JSONWriter) {
    json.object("waits") { json in
      json.member("held", waits.held)
      json.member("released", waits.released)
      json.member("timed_out", waits.timedOut)
      json.member("pushed_out", waits.pushedOut)
      json.member("cut_off", waits.cutOff)
    }
  }

  private func writeInquiry(_ json: inout JSONWriter) {
    json.object("runtimes") { json in
      json.member("asked", inquiry.asked)
      json.member("answered", inquiry.answered)
      json.member("unknown", inquiry.unknown)
      json.member("open", inquiry.open)
      json.member("failed", inquiry.failed)
      json.member("timed_out", inquiry.timedOut)
      json.member("dropped", inquiry.dropped)
      json.member("starts", inquiry.starts)
    }
    json.object("accounts") { json in
      json.member("asked", accounts.asked)
      json.member("answered", accounts.answered)
      json.member("unchanged", accounts.unchanged)
      json.member("failed", accounts.failed)
      json.member("open", accounts.open)
      json.member("dropped", accounts.dropped)
    }
  }
}
