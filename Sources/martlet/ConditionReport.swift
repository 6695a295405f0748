// SPDX-License-Identifier: Apache-2.0

import Glibc
import MartletAgent
import MartletRules

/// `martlet check --condition`: what one condition means, or what is wrong with it. `files` have its macros and lists.
enum ConditionReport {
  /// Ends the command with status 3 where the condition has errors.
  static func run(_ condition: String, among files: [SourceFile], _ format: OutputFormat) throws {
    let check = ConditionCheck(
      Array(condition.utf8), among: files, regexProblem: CompileOptions.forMatching.regexProblem)
    switch format {
    case .json: write(check.json + "\n", to: STDOUT_FILENO)
    case .text: write(text(check, files), to: STDOUT_FILENO)
    }
    if check.condition == nil { throw ExitStatus.rulesInvalid }
  }

  private static func text(_ check: ConditionCheck, _ files: [SourceFile]) -> String {
    let renderer = DiagnosticRenderer(sources: [check.source] + files, isColored: wantsColor(STDOUT_FILENO))
    guard check.condition != nil, let canonical = check.canonical else { return renderer.render(check.diagnostics) }
    let events = check.events.isEmpty ? "none" : check.events.joined(separator: " ")
    return renderer.render(check.diagnostics) + "condition: \(canonical)\nevents: \(events)\n"
  }
}
