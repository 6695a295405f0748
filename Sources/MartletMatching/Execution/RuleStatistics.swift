// SPDX-License-Identifier: Apache-2.0

public import MartletRules

/// What a rule has had to do with the events so far.
public struct RuleStatistics: Equatable, Sendable {
  public var rule: RuleID
  /// How often its condition was judged: not on events that the search ruled it out for, nor behind an earlier match.
  public var evaluationCount: UInt64
  /// How often it held.
  public var matchCount: UInt64
  /// Of its evaluations those that were timed, and what these took.
  public var timedCount: UInt64
  public var timedNanoseconds: UInt64

  /// What all its evaluations took, as the timed ones tell; 0 while there is none.
  public var nanoseconds: UInt64 {
    timedCount > 0 ? UInt64(Double(timedNanoseconds) / Double(timedCount) * Double(evaluationCount)) : 0
  }
}

/// Counts what rules do, and times one evaluation in many.
struct RuleTallies: ~Copyable {
  private struct Tally: BitwiseCopyable {
    var evaluationCount: UInt64 = 0
    var matchCount: UInt64 = 0
    var timedCount: UInt64 = 0
    var timedNanoseconds: UInt64 = 0
  }

  private let tallies: UnsafeMutableBufferPointer<Tally>
  private let clock: Matcher.Clock?

  /// Reading the clock twice takes about as long as an evaluation. The first of each rule is timed, too.
  static let timingInterval: UInt64 = 64

  init(ruleCount: Int, clock: Matcher.Clock?) {
    self.clock = clock
    tallies = .allocate(capacity: ruleCount)
    tallies.initialize(repeating: Tally())
  }

  deinit { tallies.deallocate() }

  /// Before the rule is judged: when that began if it is timed, or else 0.
  @inline(__always)
  func begin(_ rule: Int) -> UInt64 {
    let count = tallies[rule].evaluationCount
    tallies[rule].evaluationCount = count &+ 1
    guard let clock, count % Self.timingInterval == 0 else { return 0 }
    return clock()
  }

  @inline(__always)
  func end(_ rule: Int, _ start: UInt64, hasMatched: Bool) {
    if hasMatched { tallies[rule].matchCount &+= 1 }
    guard start > 0, let clock else { return }
    tallies[rule].timedCount &+= 1
    tallies[rule].timedNanoseconds &+= clock() &- start
  }

  func statistics(of rule: Int, as id: RuleID) -> RuleStatistics {
    let tally = tallies[rule]
    return RuleStatistics(
      rule: id, evaluationCount: tally.evaluationCount, matchCount: tally.matchCount, timedCount: tally.timedCount,
      timedNanoseconds: tally.timedNanoseconds)
  }
}
