// SPDX-License-Identifier: Apache-2.0

import CMeasure
import Glibc
import MartletAgent
import MartletEvents
import MartletMatching
import MartletRules

/// Measures the way of an event through the parts, and prints a table; with `--values` a line for each figure instead,
/// for comparing.
///
/// usage: martlet-bench [--falco FOLDER] [--recording FILE]… [--rounds N] [--corpus NAME] [--only STAGE] [--values]
/// [--scaling] [--check]
@main
struct Bench {
  private var falcoFolder: String?
  private var recordings: [String] = []
  private var rounds = 7
  private var printsValues = false
  /// The one corpus to run; nil for all.
  private var corpusName: String?
  /// The one stage to run, for a profiler; nil for all, what planning takes and the costs by kind of event.
  private var only: String?
  private var showsScaling = false
  private var checks = false

  static func main() throws {
    var bench = Bench()
    var arguments = CommandLine.arguments.dropFirst()
    while let argument = arguments.popFirst() {
      switch argument {
      case "--falco": bench.falcoFolder = arguments.popFirst()
      case "--recording": bench.recordings += arguments.popFirst().map { [$0] } ?? []
      case "--rounds": bench.rounds = max(1, arguments.popFirst().flatMap { Int($0) } ?? bench.rounds)
      case "--corpus": bench.corpusName = arguments.popFirst()
      case "--only": bench.only = arguments.popFirst()
      case "--values": bench.printsValues = true
      case "--check": bench.checks = true
      case "--scaling": bench.showsScaling = true
      default:
        print("unknown argument '\(argument)'")
        exit(2)
      }
    }
    try bench.run()
  }

  private func run() throws {
    let suites = try RuleSuite.all(falcoFolder: falcoFolder)
    if showsScaling { return ScalingReport(base: suites[suites.count - 2].ruleset).run() }
    let corpora = [Corpus.mix(), try Corpus.demo()] + (try recordings.map { try Corpus.recording($0) })
    if checks { return check(corpora, suites) }
    if only == nil { try measurePlanning(suites) }
    for corpus in corpora where corpusName == nil || corpusName == corpus.name { measure(corpus, suites) }
  }

  private func check(_ corpora: [Corpus], _ suites: [RuleSuite]) {
    var problems: [String] = []
    for corpus in corpora {
      for suite in suites { problems += Check(corpus: corpus, suite: suite).run() }
    }
    for problem in problems { print("error: \(problem)") }
    guard problems.isEmpty else { exit(1) }
    print("the matcher agrees with the reference; no allocation on events without a match")
  }

  private func measurePlanning(_ suites: [RuleSuite]) throws {
    if let falcoFolder {
      let sources = try RuleFiles.read([falcoFolder])
      let spent = Self.leastNanoseconds(of: 3) { _ = Ruleset.compile(sources, .forMatching) }
      report("compile Falco's files", Double(spent) / 1e6, "ms")
    }
    for suite in suites {
      let spent = Self.leastNanoseconds(of: 3) { _ = MatchPlanner.plan(suite.ruleset) }
      report("plan \(suite.name) rules", Double(spent) / 1e6, "ms")
    }
  }

  static func leastNanoseconds(of count: Int, _ body: () -> Void) -> UInt64 {
    var least = UInt64.max
    for _ in 0..<count {
      let start = measure_thread_nanoseconds()
      body()
      least = min(least, measure_thread_nanoseconds() - start)
    }
    return least
  }

  private func measure(_ corpus: Corpus, _ suites: [RuleSuite]) {
    var stages: [(name: String, run: () -> Pass)] = [
      ("decode", Stage.decode.prepared(for: corpus)), ("state", Stage.state.prepared(for: corpus)),
    ]
    for suite in suites { stages.append(("match \(suite.name)", Stage.match(suite.ruleset).prepared(for: corpus))) }
    for suite in suites {
      stages.append(("match \(suite.name), rules timed", Stage.timedMatch(suite.ruleset).prepared(for: corpus)))
    }
    for suite in suites {
      stages.append(("bytes to JSON \(suite.name)", Stage.pipeline(suite.ruleset).prepared(for: corpus)))
    }
    if let only { stages.removeAll { $0.name != only } }
    var passes = [[Pass]](repeating: [], count: stages.count)
    // One round warms up; then in turn, so that what else the machine does hits all alike.
    for round in 0...rounds {
      for (index, stage) in stages.enumerated() {
        let pass = stage.run()
        if round > 0 { passes[index].append(pass) }
      }
    }
    let least = passes.map { Double($0.map(\.nanoseconds).min() ?? 0) }
    let middle = passes.map { passes in Double(passes.map(\.nanoseconds).sorted()[passes.count / 2]) }
    for (index, stage) in stages.enumerated() {
      // Matching is what it adds to decoding and state.
      let isMatching = only == nil && index >= 2 && index < 2 + 2 * suites.count
      let count = Double(!isMatching ? corpus.records.count : corpus.matchedCount)
      let base = isMatching ? (least[1], middle[1]) : (0, 0)
      report(
        "\(corpus.name): \(stage.name)", (least[index] - base.0) / count, "ns an event",
        detail: "median \(((middle[index] - base.1) / count).rounded1), allocations "
          + "\((Double(passes[index].last?.allocations ?? 0) / count * 1000).rounded1) in 1000 events, "
          + "\(passes[index].last?.checksum ?? 0)")
    }
    guard only == nil else { return }
    for suite in suites {
      let costs = KindCosts(corpus, suite.ruleset, passes: 3)
      for kind in EventKind.allCases {
        guard let nanoseconds = costs.nanoseconds(kind) else { continue }
        report("\(corpus.name): match \(suite.name), \(kind.name)", nanoseconds, "ns an event")
      }
    }
  }

  private func report(_ name: String, _ value: Double, _ unit: String, detail: String = "") {
    if printsValues { return print("\(name)\t\(value)\t\(unit)") }
    let padding = String(repeating: " ", count: max(1, 46 - name.count))
    let number = value.rounded1
    print(
      name + padding + String(repeating: " ", count: max(0, 10 - number.count)) + number + " " + unit + "  " + detail)
  }
}

extension Double {
  /// With one digit behind the point.
  var rounded1: String {
    let tenths = Int((self * 10).rounded())
    return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
  }
}
