// SPDX-License-Identifier: Apache-2.0

import Testing

/// The style guide, applied to every file of this repository.
///
/// Each check is a function of a file's path and text; that it finds what it should is shown in suites of its own.
@Suite("the tree is tidy")
struct TidyTests {
  static let checks: [(name: String, check: @Sendable (SourceFile) -> [Finding])] = [
    ("names its licence first", TextChecks.license),
    ("has at most \(TextChecks.linesMax) lines", TextChecks.length),
    ("has functions of at most \(TextChecks.functionLinesMax) lines", TextChecks.functionLength),
    ("promises nothing", TextChecks.promises),
    ("speaks of the project alone", TextChecks.workplace),
    ("says by its name what it holds", TextChecks.name),
    ("imports what its layer may", { ImportMap.check($0) }),
    ("keeps the core pure", CodeChecks.purity),
    ("does not trap in silence", CodeChecks.traps),
    ("defines a rule, macro or list", TreeChecks.rules),
  ]

  @Test("every file", arguments: checks.map(\.name))
  func file(name: String) throws {
    let check = try #require(Self.checks.first { $0.name == name }).check
    for finding in SourceTree.files.flatMap(check) {
      Issue.record("\(finding)")
    }
  }

  @Test("the top level holds what it should and nothing else")
  func topLevel() {
    #expect(TreeChecks.topLevel(SourceTree.topLevel) == [])
  }

  @Test("the tree that is checked is this repository, whole")
  func treeIsFound() {
    let paths = Set(SourceTree.files.map(\.path))
    let known = [
      "Package.swift", "Makefile", ".ci/run", "Sources/MartletEvents/EventRecord.swift", "bpf/include/martlet_event.h",
      "Tests/TidyTests/TidyTests.swift",
    ]
    #expect(paths.isSuperset(of: known))
    #expect(!paths.contains { $0.contains(".build") })
    #expect(SourceTree.files.filter { $0.target != nil }.count > 10)
  }
}
