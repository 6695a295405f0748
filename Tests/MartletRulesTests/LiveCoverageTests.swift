// SPDX-License-Identifier: Apache-2.0

import MartletRules
import Testing

@Suite("What rules get on live events")
struct LiveCoverageTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let condition: String
    let extent: LiveCoverage.Extent
    let missing: [String]

    init(_ condition: String, _ extent: LiveCoverage.Extent, _ missing: [String] = []) {
      self.condition = condition
      self.extent = extent
      self.missing = missing
    }

    var testDescription: String { condition }
  }

  @Test(
    "a field that is missing makes its predicate fail, and the rule be as much as is left of it",
    arguments: [
      Case("evt.type = open and proc.name = cat", .full),
      Case("evt.type = open and evt.buffer contains x", .none, ["evt.buffer"]),
      Case("evt.type = open and not evt.buffer contains x", .partial, ["evt.buffer"]),
      Case("evt.type = open and (proc.name = cat or evt.buffer contains x)", .partial, ["evt.buffer"]),
      Case(
        "evt.type = open and not (not evt.buffer contains x or not evt.buflen > 1)", .none,
        ["evt.buffer", "evt.buflen"]),
      Case("evt.type = write and proc.name = cat", .none),
      Case("evt.type in (write, open) and proc.name = cat", .full),
    ])
  func extent(_ given: Case) throws {
    let result = compile(rule(given.condition))
    let coverage = try #require(result.ruleset?.rules.first?.liveCoverage)
    #expect(coverage.extent == given.extent)
    #expect(coverage.missingInCondition == given.missing)
  }

  private struct Row: Hashable {
    let rule: String
    let extent: String
    let missing: [String]
  }

  /// The tables of UpstreamRules.md.
  private static let rows: [Row] = {
    let path = TestFiles.directory("../../Sources/MartletCapture/MartletCapture.docc/UpstreamRules.md")
    return TestFiles.bytes(path).text.split(separator: "\n").compactMap { line in
      let cells = line.split(separator: "|").map { $0.split(separator: " ").joined(separator: " ") }
      guard cells.count == 3, LiveCoverage.Extent(rawValue: cells[1]) != nil else { return nil }
      let missing = cells[2].split { "`, ".contains($0) }.map(String.init)
      return Row(rule: cells[0], extent: cells[1], missing: missing)
    }
  }()

  @Test("of Falco's rules those are not seen in full that the tables list", TestFiles.needsUpstream)
  func upstream() throws {
    // The order in which they are used: the two others build upon the first.
    let sources = TestFiles.upstreamRules.sorted { ($0.count, $0) < ($1.count, $1) }.map {
      SourceFile(path: $0, bytes: TestFiles.bytes($0))
    }
    let rules = try #require(Ruleset.compile(sources).ruleset).rules
    #expect(rules.count == 93)
    let found = rules.filter { $0.liveCoverage.extent != .full }.map {
      Row(rule: $0.name, extent: $0.liveCoverage.extent.rawValue, missing: $0.liveCoverage.missingInCondition)
    }
    #expect(Self.rows.count == Set(Self.rows).count)
    for row in Set(found).symmetricDifference(Self.rows).sorted(by: { $0.rule < $1.rule }) {
      Issue.record("\(found.contains(row) ? "not in the tables" : "only in the tables"): \(row)")
    }
  }
}
