// SPDX-License-Identifier: Apache-2.0

import MartletRules
import Testing

/// Compiles texts as files a.yaml, b.yaml, …
func compile(_ texts: String..., limits: Limits = Limits()) -> Compilation {
  var options = CompileOptions()
  options.limits = limits
  return compile(texts, options)
}

func compile(_ texts: [String], _ options: CompileOptions) -> Compilation {
  Ruleset.compile(sourceFiles(texts), options)
}

/// Files a.yaml, b.yaml, …
func sourceFiles(_ texts: [String]) -> [SourceFile] {
  zip(["a", "b", "c", "d"], texts).map { SourceFile(path: "\($0).yaml", text: $1) }
}

/// A rule item with a condition and an output.
func rule(_ condition: String, name: String = "R", output: String = "x", extra: String = "") -> String {
  """
  - rule: \(name)
    desc: D
    condition: >
      \(condition)
    output: "\(output)"
    priority: NOTICE
  \(extra)

  """
}

/// The one rule with this condition; diagnostics that are errors fail the test.
func compiledRule(_ condition: String, before: String = "", output: String = "x") throws -> Rule {
  let result = compile(before + "\n" + rule(condition, output: output))
  let errors = result.diagnostics.filter { $0.severity == .error }
  #expect(errors.map(\.message) == [])
  return try #require(result.ruleset?.rules.last)
}

/// "R0101 2:5 unknown field …" for each diagnostic.
func summary(_ result: Compilation) -> [String] {
  result.diagnostics.map { "\($0.code.rawValue) \($0.primary.span.line):\($0.primary.span.column) \($0.message)" }
}
