// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import MartletEvents
import Testing

@testable import MartletCapture

@Suite("Answers on their way")
struct AnswerRecordTests {
  @Test("each becomes a record that reads back, once")
  func records() {
    let answers = AnswerRecords()
    for number in 0..<AnswerRecords.countMax {
      var report = ContainerReport(id: Array("id-\(number)".utf8))
      report.name = Array("name-\(number)".utf8)
      answers.add(ContainerAnswer.report(report))
    }
    var names: [String] = []
    answers.take(at: 100) { bytes in
      guard let record = EventRecord(bytes), record.kind == .container, record.timeNanoseconds == 100 else { return }
      names.append(record.bytes(record.container.pointee.name).string)
    }
    #expect(names == (0..<AnswerRecords.countMax).map { "name-\($0)" })
    answers.take(at: 101) { _ in Issue.record("told twice") }
    answers.add(ContainerAnswer.unanswered(id: [1]))
    var steps: [InquiryStep?] = []
    answers.take(at: 102) { bytes in steps.append(EventRecord(bytes).flatMap { InquiryStep($0) }) }
    #expect(steps == [.unanswered(id: [1])])
  }

  @Test("what is asked from the start on is a record each")
  func begun() {
    let made = MadeRecords()
    let steps: [InquiryStep] = [.usersBegun(waitNanoseconds: 1_000_000_000), .begun(waitNanoseconds: 2_000_000_000)]
    let records = made.inquiries(steps, at: 7).map { EventRecord($0) }
    #expect(records.map { $0.flatMap { InquiryStep($0) } } == steps)
    #expect(records.allSatisfy { $0?.timeNanoseconds == 7 })
    withExtendedLifetime(made) {}
  }
}
