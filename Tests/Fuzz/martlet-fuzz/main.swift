// SPDX-License-Identifier: Apache-2.0

import CMartletFuzz
import Glibc
import MartletRules

// Feeds libFuzzer's inputs to what reads text of strangers. The first byte says which reader; whatever comes out, it must
// come, in bounded time, with diagnostics that lie inside the text.
let status = martlet_fuzz(CommandLine.argc, CommandLine.unsafeArgv) { start, count in
  guard let start, count > 0 else { return 0 }
  let text = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
  switch start[0] % 3 {
  case 0: readCondition(text)
  case 1: readRules(text)
  default: readRuleTests(text)
  }
  return 0
}
if status < 0 {
  print("this build has no libFuzzer: use 'make fuzz'")
  exit(1)
}
exit(status)

func readCondition(_ text: [UInt8]) {
  let check = ConditionCheck(text)
  verify(check.diagnostics, in: text)
  guard check.condition != nil, let canonical = check.canonical else { return }
  precondition(!canonical.isEmpty, "a condition prints as nothing")
}

func readRules(_ text: [UInt8]) {
  let compilation = Ruleset.compile([SourceFile(path: "fuzz.yaml", bytes: text)])
  precondition((compilation.ruleset == nil) == compilation.hasErrors, "no rule set and no error, or both")
  verify(compilation.diagnostics, in: text)
}

func readRuleTests(_ text: [UInt8]) {
  verify(RuleTest.read([SourceFile(path: "fuzz.yaml", bytes: text)], ruleNames: ["rule"]).diagnostics, in: text)
}

func verify(_ diagnostics: [Diagnostic], in text: [UInt8]) {
  for diagnostic in diagnostics {
    let offsets = diagnostic.primary.span.offsets
    precondition(offsets.lowerBound >= 0 && offsets.upperBound <= text.count, "a diagnostic points outside of the text")
  }
}
