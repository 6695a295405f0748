// SPDX-License-Identifier: Apache-2.0

import MartletAgent
import MartletAlerts
import MartletEvents
import MartletRules
import MartletState
import MartletTesting
import Testing

/// A recording may come from anybody. Whatever stands in its records, the pipeline counts or judges it, and goes on.
@Suite("Hostile records")
struct HostileRecordTests {
  private let small = StateLimits(
    processCountMax: 16, exitedProcessCountMax: 4, imageByteCountMax: 4096, cgroupCountMax: 4, containerCountMax: 2,
    containerReportCountMax: 2)

  private func originals() -> [TestRecord] {
    var shell = TestProcess(7, "/bin/sh", arguments: ["-c", "x"])
    shell.cgroupID = 9
    let cat = shell.child(8, "/bin/cat", arguments: ["/etc/shadow"])
    let id = String(repeating: "ab", count: 32)
    var report = ContainerReport(id: Array(id.utf8))
    report.name = Array("web".utf8)
    report.labels = [.init(key: Array("app".utf8), value: Array("web".utf8))]
    return [
      Event.host("node", nodeID: "n"), Event.inquiry(.begun(waitNanoseconds: 1 << 30)), Event.cgroup(1, "/"),
      Event.container(cgroup: 9, containerID: id, podUID: "0f4d2a1e-90ab-4cde-8f01-23456789abcd"),
      Event.seed(TestProcess(1, "/sbin/init")), Event.exec(shell), Event.fork(cat, by: shell),
      Event.exec(cat),
      Event.open("../etc/shadow", resolved: "/etc/shadow", below: "/tmp", by: cat),
      Event.inquiry(.unanswered(id: Array(id.utf8))), Event.report(report),
      Event.open("/x", by: cat, result: -2), Event.connect(to: "203.0.113.7", port: 443, by: cat), Event.exit(cat),
      Event.resolvers(["10.96.0.10"]), Event.answer("a.example", ["203.0.113.7"], network: 0),
      Event.connect(to: "203.0.113.7", port: 443, by: cat), Event.tick(),
    ]
  }

  @Test("random damage to the records of a stream never traps, and every record is accounted for", arguments: 1...8)
  func damaged(seed: Int) throws {
    let ruleset = try #require(Ruleset.compile(BundledRules.sources).ruleset)
    var pipeline = Pipeline(ruleset, limits: small)
    var alerts = AlertBuffer()
    var generator = SeededGenerator(seed: UInt64(seed))
    let numbers: [UInt32] = [0, 1, 7, 8, 9, 80, 160, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]
    var count: UInt64 = 0
    for _ in 0..<400 {
      let records = originals()
      for record in records where Bool.random(using: &generator) {
        for _ in 0...Int.random(in: 0...2, using: &generator) {
          // The length and the kind stay mostly whole, or hardly a record would come through.
          let offset = Int.random(in: 2..<(record.bytes.count / 4), using: &generator) * 4
          let number = numbers[Int.random(in: numbers.indices, using: &generator)]
          record.bytes.storeBytes(of: number, toByteOffset: offset, as: UInt32.self)
        }
      }
      withBatch(records) { batch in
        var next = 0
        while next < batch.count {
          next = pipeline.process(batch, from: next, into: &alerts)
          alerts.removeAll()
        }
      }
      count += UInt64(records.count)
    }
    let counters = pipeline.counters
    #expect(counters.eventCount + counters.malformed == count)
    #expect(counters.malformed > 0 && counters.matched > 0)
    let state = pipeline.stateStatistics
    #expect(state.processCount <= 16 && state.cgroupCount <= 4 && state.containerCount <= 2)
    #expect(state.containerReportCount <= 2)
    pipeline.endWaits()
    withBatch([]) { batch in _ = pipeline.process(batch, from: 0, into: &alerts) }
    let waits = pipeline.waitStatistics
    #expect(waits.held == waits.released + waits.timedOut + waits.pushedOut + waits.cutOff && waits.held > 0)
  }
}
