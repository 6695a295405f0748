// SPDX-License-Identifier: Apache-2.0

/// What holds for names and for rule files.
enum TreeChecks {
  static let topLevel: Set = [
    "Package.swift", "Sources", "Tests", "bpf", "rules", "deploy", "README.md", "Makefile", "LICENSE", "CHANGELOG.md",
    "CONTRIBUTING.md", "SECURITY.md",
  ]

  /// The top level is what a newcomer reads first: it stays as short as it is. Names with a dot, and what SwiftPM
  /// writes, do not count.
  static func topLevel(_ names: [String]) -> [Finding] {
    names.filter { !topLevel.contains($0) && !$0.hasPrefix(".") && $0 != "Package.resolved" }.sorted().map {
      Finding(path: $0, line: 1, message: "does not belong on the top level")
    }
  }

  /// A rule file that defines nothing is a file somebody broke. Rule tests have a form of their own.
  static func rules(_ file: SourceFile) -> [Finding] {
    guard file.language == .rules, !file.path.hasPrefix("rules/tests/") else { return [] }
    let defines = file.lines.contains { $0.prefixMatch(of: /-\s+(?:rule|macro|list):\s*\S/) != nil }
    return defines ? [] : [Finding(path: file.path, line: 1, message: "has no rule, macro or list")]
  }
}
