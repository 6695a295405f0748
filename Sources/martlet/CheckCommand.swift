// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import MartletAgent
import MartletRules

/// `martlet check`: compile rules and say what is wrong with them.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Compile rules and explain what is wrong with them.",
    discussion: "Diagnostics go to stdout. Exit status: 0 without errors, 3 with errors.")

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text, json
  }

  @Argument(
    help: ArgumentHelp(
      "Rule files and folders, loaded in order; 'bundled' for the rules in this binary.", valueName: "path"),
    completion: .file(extensions: ["yaml", "yml"]))
  var paths: [String] = []

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Check one condition instead of files.", valueName: "expr"))
  var condition: String?

  @Option(help: "text, or json for programs.")
  var format = Format.text

  func validate() throws {
    guard paths.isEmpty == (condition == nil) else { return }
    throw ValidationError(paths.isEmpty ? "name a rule file, or a condition" : "check files or a condition, not both")
  }

  func run() throws {
    if let condition { return try ConditionReport.run(condition, format) }
    let sources = try RuleOptions.read(paths)
    let compilation = Ruleset.compileForMatching(sources)
    switch format {
    case .text:
      let renderer = DiagnosticRenderer(sources: sources, isColored: wantsColor(STDOUT_FILENO))
      write(renderer.render(compilation.diagnostics) + summary(compilation, sources) + "\n", to: STDOUT_FILENO)
    case .json:
      // One diagnostic a line, as the agent's alerts are.
      write(compilation.diagnostics.map { $0.json + "\n" }.joined(), to: STDOUT_FILENO)
    }
    if compilation.ruleset == nil { throw ExitStatus.rulesInvalid }
  }

  private func summary(_ compilation: Compilation, _ sources: [SourceFile]) -> String {
    let errorCount = compilation.diagnostics.count { $0.severity == .error }
    let warningCount = compilation.diagnostics.count - errorCount
    let files = count(sources.count, "file")
    let found = "\(count(errorCount, "error")), \(count(warningCount, "warning"))"
    guard let ruleset = compilation.ruleset else { return "\(files): \(found)" }
    return "\(files): \(count(ruleset.rules.count, "rule")), \(found)"
  }

  private func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
