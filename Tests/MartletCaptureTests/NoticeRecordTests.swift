// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import MartletEvents
import Testing

@testable import MartletCapture

@Suite("Notices on their way")
struct NoticeRecordTests {
  @Test("each becomes a record that reads back")
  func records() throws {
    let notices = NoticeRecords()
    var notice = CaptureNotice(.lost, count: 7, hook: .open, detail: "a few words")
    notice.cgroupID = 5
    notice.processID = 9
    notice.processStartNanoseconds = 11
    #expect(notices.add(notice) && notices.add(CaptureNotice(.tamper, detail: String(repeating: "é", count: 500))))
    var details: [String] = []
    notices.take(at: 100) { bytes in
      guard let record = EventRecord(bytes) else { return }
      #expect(record.kind == .notice && record.timeNanoseconds == 100)
      details.append(record.bytes(record.notice.pointee.detail).string)
      guard record.notice.pointee.subject == NoticeSubject.lost.rawValue else { return }
      #expect(record.notice.pointee.count == 7 && record.notice.pointee.hook == HookName.open.rawValue)
      #expect(record.common.pointee.cgroup_id == 5 && record.common.pointee.process_id == 9)
      #expect(record.common.pointee.process_start_ns == 11)
    }
    #expect(details == ["a few words", String(repeating: "é", count: CaptureNotice.detailBytesMax / 2)])
    notices.take(at: 101) { _ in Issue.record("told twice") }
  }

  @Test("what finds no room is refused, and there is room again behind the batch")
  func bound() {
    let notices = NoticeRecords()
    for _ in 0..<NoticeRecords.countMax { #expect(notices.add(CaptureNotice(.lost))) }
    #expect(!notices.add(CaptureNotice(.lost)))
    var count = 0
    notices.take(at: 1) { _ in count += 1 }
    #expect(count == NoticeRecords.countMax && notices.add(CaptureNotice(.lost)))
  }
}
