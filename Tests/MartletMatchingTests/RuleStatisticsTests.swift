// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletMatching
import MartletRules
import MartletState
import Testing

@Suite("Rules are told what they did")
struct RuleStatisticsTests {
  @Test("how often a rule was judged, held and was timed")
  func counts() {
    var engines = Engines([
      .test(.processName, .equal(.text(Array("sh".utf8)))),
      // Nothing that the search looks at: judged on every event that comes so far.
      .test(.transformed(.toLower, [.field(FieldReference(.fdName))], selector: nil), .equal(.text(Array("/a".utf8)))),
    ])
    for index in 0..<300 {
      let name = index % 3 == 0 ? "sh" : "cat"
      let path = index % 2 == 0 ? "/A" : "/B"
      _ = engines.match(GivenEvent(.openat, [.init(.processName): .text(name), .init(.fdName): .text(path)]))
    }
    let statistics = engines.ruleStatistics
    #expect(statistics.map(\.rule.rawValue) == [0, 1])
    #expect(statistics.map(\.evaluationCount) == [100, 200])
    #expect(statistics.map(\.matchCount) == [100, 100])
    #expect(statistics.map(\.timedCount) == [2, 4])
    #expect(statistics.map(\.timedNanoseconds) == [0, 0])
  }

  @Test("the cost of all evaluations is that of the timed ones, times as many")
  func cost() {
    var statistics = RuleStatistics.none
    #expect(statistics.nanoseconds == 0)
    (statistics.evaluationCount, statistics.timedCount, statistics.timedNanoseconds) = (640, 10, 2000)
    #expect(statistics.nanoseconds == 128_000)
  }
}

extension RuleStatistics {
  fileprivate static var none: RuleStatistics {
    var engines = Engines([.test(.processName, .exists)])
    _ = engines.match(GivenEvent(.openat, [:]))
    return engines.ruleStatistics[0]
  }
}
