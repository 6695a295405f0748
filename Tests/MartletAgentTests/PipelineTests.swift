// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import MartletAgent
import MartletAlerts
import MartletEvents
import MartletRules
import MartletTesting
import Testing

@Suite("Pipeline")
struct PipelineTests {
  private func pipeline() throws -> Pipeline {
    let compilation = Ruleset.compile([
      SourceFile(
        path: "any.yaml",
        text: """
          - rule: Any open
            desc: d
            condition: evt.type = openat
            output: opened %fd.name
            priority: DEBUG
          """)
    ])
    return Pipeline(try #require(compilation.ruleset))
  }

  @Test("every record is accounted for")
  func counters() throws {
    var pipeline = try pipeline()
    var alerts = AlertBuffer()
    let process = TestProcess(7)
    let broken = Event.open("/x", by: process)
    broken.bytes.storeBytes(of: 9999, toByteOffset: 0, as: UInt32.self)
    let records = [
      Event.host("n"), Event.cgroup(1, "/"), Event.seed(process), Event.exec(process), Event.open("/x", by: process),
      broken, Event.connect(to: "10.0.0.1", port: 1, by: process), Event.exit(process), Event.tick(),
      Event.notice(.lost, count: 3),
    ]
    withBatch(records) { batch in #expect(pipeline.process(batch, from: 0, into: &alerts) == batch.count) }
    let counters = pipeline.counters
    #expect(counters.malformed == 1 && counters.eventCount == 9)
    #expect(counters.matched == 1 && counters.notMatched == 2 && counters.undecided == 0)
    #expect(counters.count(of: .exec) == 1 && counters.count(of: .open) == 1 && counters.count(of: .fork) == 0)
    // What was matched, and the notice.
    #expect(alerts.alertCount == 2)
  }

  @Test("what the filter marked as unwanted is counted, and what rules match of it")
  func marked() throws {
    var pipeline = try pipeline()
    var alerts = AlertBuffer()
    let process = TestProcess(7)
    let records = [
      Event.open("/x", by: process), Event.open("/y", by: process),
      Event.connect(to: "10.0.0.1", port: 1, by: process),
    ]
    let flags = try #require(MemoryLayout<martlet_record>.offset(of: \.flags))
    for record in records.dropFirst() {
      record.bytes.storeBytes(of: MARTLET_FLAG_UNWANTED, toByteOffset: flags, as: UInt32.self)
    }
    withBatch(records) { batch in _ = pipeline.process(batch, from: 0, into: &alerts) }
    #expect(pipeline.counters.marked == 2 && pipeline.counters.markedMatched == 1)
    #expect(pipeline.counters.matched == 2 && alerts.alertCount == 2)
    // Marked for other rules than those that are in force now.
    pipeline.disregardMarks(before: .max)
    withBatch(records) { batch in _ = pipeline.process(batch, from: 0, into: &alerts) }
    #expect(pipeline.counters.marked == 2 && pipeline.counters.matched == 4)
  }

  @Test("a full buffer stops the batch, which then goes on where it stopped")
  func resumes() throws {
    var pipeline = try pipeline()
    var alerts = AlertBuffer()
    let name = "/" + String(repeating: "x", count: 4000)
    let records = (0..<100).map { _ in Event.open(name, by: TestProcess(7)) }
    var rounds = 0
    var alertCount = 0
    withBatch(records) { batch in
      var next = 0
      while next < batch.count {
        let before = next
        next = pipeline.process(batch, from: next, into: &alerts)
        #expect(next > before)
        alertCount += alerts.alertCount
        alerts.removeAll()
        rounds += 1
      }
    }
    #expect(rounds > 1 && alertCount == 100 && pipeline.counters.matched == 100)
  }

  @Test("the same records give the same bytes")
  func deterministic() throws {
    let process = TestProcess(7)
    let records = [Event.host("n", realtimeOffset: 5), Event.exec(process), Event.open("/x", by: process, at: 77)]
    var outputs: Set<[UInt8]> = []
    for _ in 0..<3 {
      var pipeline = try pipeline()
      var alerts = AlertBuffer()
      withBatch(records) { batch in _ = pipeline.process(batch, from: 0, into: &alerts) }
      outputs.insert(alerts.bytes)
    }
    #expect(outputs.count == 1 && outputs.first?.isEmpty == false)
  }
}
