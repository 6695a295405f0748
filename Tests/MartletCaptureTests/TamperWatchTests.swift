// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import MartletEvents
import Testing

@testable import MartletCapture

@Suite("Acts against the agent")
struct TamperWatchTests {
  private func part(_ act: martlet_tamper_act, by process: UInt32 = 50, detail: Int32 = 0, object: UInt32 = 0)
    -> martlet_tamper
  {
    var part = martlet_tamper()
    part.record.process_id = process
    part.record.process_start_ns = 7
    part.record.cgroup_id = 9
    part.act = act.rawValue
    part.detail = detail
    part.object_id = object
    withUnsafeMutableBytes(of: &part.record.comm) { $0.copyBytes(from: "gdb".utf8) }
    return part
  }

  @Test("the first act of a process is told at once, with who did it; the others when a minute is over")
  func series() throws {
    var watch = TamperWatch()
    var part = part(MARTLET_TAMPER_SIGNAL, detail: 15)
    let nothing = watch.summary(at: 1)
    #expect(nothing.isEmpty)
    let first = watch.note(&part)
    let notice = try #require(first)
    #expect(notice.subject == .signal && notice.count == 1 && notice.detail == "signal 15 by 'gdb'")
    #expect(notice.processID == 50 && notice.processStartNanoseconds == 7 && notice.cgroupID == 9)
    #expect(withUnsafeBytes(of: notice.comm) { $0.starts(with: "gdb\0".utf8) })
    for _ in 0..<5 {
      let again = watch.note(&part)
      #expect(again == nil)
    }
    var other = self.part(MARTLET_TAMPER_TRACE)
    let traced = watch.note(&other)
    #expect(traced?.subject == .tamper)
    let early = watch.summary(at: TamperWatch.windowNanoseconds)
    #expect(early.isEmpty)
    let summary = watch.summary(at: TamperWatch.windowNanoseconds + 1)
    #expect(summary.count == 1 && summary[0].count == 5 && summary[0].detail.hasSuffix(", again"))
    let anew = watch.note(&part)
    #expect(anew != nil)
  }

  @Test("many processes do not fill memory, and none is kept silent about for good")
  func bound() {
    var watch = TamperWatch()
    _ = watch.summary(at: 1)
    var told = 0
    for process in 1...1000 {
      var part = part(MARTLET_TAMPER_MAP, by: UInt32(process), detail: 14, object: 3)
      if watch.note(&part) != nil { told += 1 }
    }
    #expect(told == TamperWatch.seriesMax + 1)
    // What many do hides nothing of another sort.
    var other = part(MARTLET_TAMPER_TRACE, by: 1001)
    let traced = watch.note(&other)
    #expect(traced?.subject == .tamper)
    let again = watch.summary(at: .max / 2)
    #expect(again.count == 1 && again[0].count == UInt64(1000 - told))
  }

  @Test(
    "each act has words for people",
    arguments: [
      (MARTLET_TAMPER_SIGNAL, 9, "signal 9"), (MARTLET_TAMPER_TRACE, 16, "traced with ptrace"),
      (MARTLET_TAMPER_MEMORY_FILE, 0, "memory opened in /proc to read"),
      (MARTLET_TAMPER_MEMORY_FILE, 2, "memory opened in /proc to write"),
      (MARTLET_TAMPER_DESCRIPTOR, 4, "descriptor 4 taken with pidfd_getfd"),
      (MARTLET_TAMPER_MAP, 2, "BPF_MAP_UPDATE_ELEM of map 3"),
      (MARTLET_TAMPER_PROGRAM, 13, "BPF_PROG_GET_FD_BY_ID of program 3"),
      (MARTLET_TAMPER_LINK, 34, "BPF_LINK_DETACH of link 3"), (MARTLET_TAMPER_LINK, 99, "bpf command 99 of link 3"),
      (MARTLET_TAMPER_RING_SETUP, 0, "io_uring set up"), (martlet_tamper_act(rawValue: 77), 0, "act 77"),
    ] as [(martlet_tamper_act, Int32, String)])
  func words(act: martlet_tamper_act, detail: Int32, expected: String) {
    var watch = TamperWatch()
    var part = part(act, detail: detail, object: 3)
    let notice = watch.note(&part)
    #expect(notice?.detail == "\(expected) by 'gdb'")
  }
}
