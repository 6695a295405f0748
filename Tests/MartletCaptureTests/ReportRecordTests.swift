// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import MartletEvents
import Testing

@testable import MartletCapture

@Suite("Reports on their way")
struct ReportRecordTests {
  @Test("each becomes a record that reads back, once")
  func records() {
    let reports = ReportRecords()
    for number in 0..<ReportRecords.countMax {
      var report = ContainerReport(id: Array("id-\(number)".utf8))
      report.name = Array("name-\(number)".utf8)
      reports.add(report)
    }
    var names: [String] = []
    reports.take(at: 100) { bytes in
      guard let record = EventRecord(bytes), record.kind == .container, record.timeNanoseconds == 100 else { return }
      names.append(record.bytes(record.container.pointee.name).string)
    }
    #expect(names == (0..<ReportRecords.countMax).map { "name-\($0)" })
    reports.take(at: 101) { _ in Issue.record("told twice") }
    reports.add(ContainerReport(id: [1]))
    var count = 0
    reports.take(at: 102) { _ in count += 1 }
    #expect(count == 1)
  }
}
