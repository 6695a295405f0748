// SPDX-License-Identifier: Apache-2.0

/// Leads rule files through all stages.
struct Compiler {
  let sources: [SourceFile]

  mutating func compile() -> Compilation {
    Compilation(ruleset: Ruleset(rules: []), diagnostics: [])
  }
}
