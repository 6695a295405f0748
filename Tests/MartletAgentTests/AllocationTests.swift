// SPDX-License-Identifier: Apache-2.0

import CMeasure
import MartletAgent
import MartletCapture
import MartletEvents
import MartletMatching
import MartletRules
import MartletState
import MartletTesting
import Testing

@Suite("Memory for events")
struct AllocationTests {
  @Test("a match costs none, once what the events are like has been seen")
  func matching() throws {
    let records = try Self.recordedEvents()
    let ruleset = try #require(Ruleset.compile(BundledRules.sources, .forMatching).ruleset)
    let before = measure_allocation_count()
    var state = SystemState()
    var matcher = Matcher(MatchPlanner.plan(ruleset))
    // Making these takes some, so the counter counts.
    #expect(measure_allocation_count() > before)
    var matched = 0
    var unmatched = 0
    var allocations: UInt64 = 0
    for pass in 0..<4 {
      for bytes in records {
        try bytes.withUnsafeBytes { bytes in
          let record = try #require(EventRecord(bytes))
          guard var context = state.apply(record), record.kind.isMatched else { return }
          let before = measure_allocation_count()
          let result = matcher.match(&context)
          guard pass == 3 else { return }
          if result == .none { unmatched += 1 } else { matched += 1 }
          allocations += measure_allocation_count() - before
        }
      }
    }
    #expect(unmatched > 10 && matched > 0)
    #expect(allocations == 0)
  }

  private static func recordedEvents() throws -> [[UInt8]] {
    var records: [[UInt8]] = []
    try Demo.withRecording { bytes in
      let source = try RecordingSource(bytes: bytes, name: "demo")
      while try source.next({ batch in records += batch.records.map { Array($0) } }) {}
    }
    return records
  }
}
