// SPDX-License-Identifier: Apache-2.0

import CMeasure
import MartletEvents
import MartletMatching
import MartletState

/// What has to hold whatever the machine: the matcher says what the reference says, and asks for no memory on events
/// that no rule matches.
struct Check {
  /// Passes after which a matcher knows a corpus.
  private static let warmUpCount = 3

  let corpus: Corpus
  let suite: RuleSuite

  /// Problems, in words; none if all is well.
  func run() -> [String] {
    disagreements() + allocations()
  }

  private func disagreements() -> [String] {
    var state = SystemState()
    var first = Matcher(MatchPlanner.plan(suite.ruleset))
    var all = Matcher(MatchPlanner.plan(suite.ruleset))
    let reference = ReferenceEvaluator(suite.ruleset)
    var count = 0
    for bytes in corpus.records {
      guard let record = EventRecord(bytes), var context = state.apply(record), record.kind.isMatched else { continue }
      let expected = reference.matches(&context)
      var results: [MatchResult] = []
      all.matchAll(&context) { result, _ in results.append(result) }
      if first.match(&context) != expected.first ?? .none || results != expected { count += 1 }
    }
    return count == 0 ? [] : ["\(corpus.name), \(suite.name) rules: the reference disagrees on \(count) events"]
  }

  private func allocations() -> [String] {
    var state = SystemState()
    var matcher = Matcher(MatchPlanner.plan(suite.ruleset))
    var count: UInt64 = 0
    for pass in 0...Self.warmUpCount {
      for bytes in corpus.records {
        guard let record = EventRecord(bytes), var context = state.apply(record), record.kind.isMatched else {
          continue
        }
        let before = measure_allocation_count()
        let result = matcher.match(&context)
        if pass == Self.warmUpCount, result == .none { count += measure_allocation_count() - before }
      }
    }
    return count == 0 ? [] : ["\(corpus.name), \(suite.name) rules: \(count) allocations on events without a match"]
  }
}
