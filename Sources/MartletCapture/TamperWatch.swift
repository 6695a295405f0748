// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import MartletEvents

/// Turns what the probe saw done to the agent into notices: one at once for each process and act, and one a minute later
/// for how often it was repeated meanwhile.
struct TamperWatch {
  static let windowNanoseconds: UInt64 = 60_000_000_000
  /// Processes and acts that are kept apart within a window; what others do counts as one for each act, so that none hides
  /// behind another.
  static let seriesMax = 32

  private struct Series: Hashable {
    var processID: UInt32
    var processStart: UInt64
    var act: UInt32
  }
  private var repeats: [Series: (notice: CaptureNotice, count: UInt64)] = [:]
  private var windowEnd: UInt64 = 0

  /// What to tell of this act now, if it is the first of its series.
  mutating func note(_ record: UnsafePointer<martlet_tamper>) -> CaptureNotice? {
    let part = record.pointee
    var series = Series(
      processID: part.record.process_id, processStart: part.record.process_start_ns, act: part.act)
    if repeats[series] == nil, repeats.count >= Self.seriesMax {
      series = Series(processID: 0, processStart: 0, act: part.act)
    }
    if repeats[series] != nil {
      repeats[series]?.count += 1
      return nil
    }
    let notice = Self.notice(of: part)
    repeats[series] = (notice, 0)
    return notice
  }

  /// At the end of a window, what was repeated in it.
  mutating func summary(at now: UInt64) -> [CaptureNotice] {
    guard now >= windowEnd else { return [] }
    windowEnd = now + Self.windowNanoseconds
    defer { repeats.removeAll(keepingCapacity: true) }
    return repeats.values.filter { $0.count > 0 }.map { notice, count in
      var notice = notice
      notice.count = count
      notice.detail += ", again"
      return notice
    }
  }

  private static func notice(of part: martlet_tamper) -> CaptureNotice {
    let act = martlet_tamper_act(rawValue: part.act)
    let subject: NoticeSubject =
      act == MARTLET_TAMPER_RING_SETUP ? .unseen : act == MARTLET_TAMPER_SIGNAL ? .signal : .tamper
    var notice = CaptureNotice(subject, count: 1, detail: detail(of: part, act) + " by '\(comm(of: part.record))'")
    notice.processID = part.record.process_id
    notice.processStartNanoseconds = part.record.process_start_ns
    notice.comm = part.record.comm
    notice.cgroupID = part.record.cgroup_id
    notice.cgroupV1ID = part.record.cgroup_v1_id
    return notice
  }

  private static func detail(of part: martlet_tamper, _ act: martlet_tamper_act) -> String {
    switch act {
    case MARTLET_TAMPER_SIGNAL: "signal \(part.detail)"
    case MARTLET_TAMPER_TRACE: "traced with ptrace"
    case MARTLET_TAMPER_MEMORY:
      UInt32(part.record.call) == MARTLET_CALL_PROCESS_VM_READV.rawValue
        ? "memory read with process_vm_readv" : "memory written with process_vm_writev"
    case MARTLET_TAMPER_MEMORY_FILE: "memory opened in /proc to \(part.detail == 0 ? "read" : "write")"
    case MARTLET_TAMPER_DESCRIPTOR: "descriptor \(part.detail) taken with pidfd_getfd"
    case MARTLET_TAMPER_MAP: "\(command(part.detail)) of map \(part.object_id)"
    case MARTLET_TAMPER_PROGRAM: "\(command(part.detail)) of program \(part.object_id)"
    case MARTLET_TAMPER_LINK: "\(command(part.detail)) of link \(part.object_id)"
    case MARTLET_TAMPER_RING_SETUP: "io_uring set up"
    default: "act \(part.act)"
    }
  }

  private static func command(_ number: Int32) -> String {
    commands[number] ?? "bpf command \(number)"
  }

  /// Of `enum bpf_cmd`, those that the probe looks at.
  private static let commands: [Int32: String] = [
    2: "BPF_MAP_UPDATE_ELEM", 3: "BPF_MAP_DELETE_ELEM", 13: "BPF_PROG_GET_FD_BY_ID", 14: "BPF_MAP_GET_FD_BY_ID",
    21: "BPF_MAP_LOOKUP_AND_DELETE_ELEM", 22: "BPF_MAP_FREEZE", 25: "BPF_MAP_LOOKUP_AND_DELETE_BATCH",
    26: "BPF_MAP_UPDATE_BATCH", 27: "BPF_MAP_DELETE_BATCH", 29: "BPF_LINK_UPDATE", 30: "BPF_LINK_GET_FD_BY_ID",
    34: "BPF_LINK_DETACH",
  ]

  private static func comm(of record: martlet_record) -> String {
    withUnsafeBytes(of: record.comm) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
