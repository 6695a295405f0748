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
    discussion: """
      Diagnostics go to stdout. Exit status: 0 without errors, 3 with errors. As JSON one object: what Falco would
      report for each file ('falco_load_results'), and beside it all that Martlet has to say ('martlet').
      """)

  @Argument(
    help: ArgumentHelp(
      "Rule files and folders, loaded in order; 'bundled' for the rules in this binary.", valueName: "path"),
    completion: .file(extensions: ["yaml", "yml"]))
  var paths: [String] = []

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Check one condition instead of files.", valueName: "expr"))
  var condition: String?

  @Option(help: "text, or json for programs.")
  var format = OutputFormat.text

  @OptionGroup var choices: RuleChoices

  func validate() throws {
    guard paths.isEmpty == (condition == nil) else { return }
    throw ValidationError(paths.isEmpty ? "name a rule file, or a condition" : "check files or a condition, not both")
  }

  func run() throws {
    if let condition { return try ConditionReport.run(condition, format) }
    let options = try choices.compileOptions()
    if format == .json, case let unreadable = RuleOptions.unreadable(paths), !unreadable.isEmpty {
      write(LoadResult.json(unreadable, []) + "\n", to: STDOUT_FILENO)
      throw ExitStatus.rulesInvalid
    }
    let sources = try RuleOptions.read(paths)
    let compilation = Ruleset.compile(sources, options)
    switch format {
    case .text:
      let (shown, folded) = Self.folding(compilation.diagnostics)
      let renderer = DiagnosticRenderer(sources: sources, isColored: wantsColor(STDOUT_FILENO))
      write(renderer.render(shown) + folded + summary(compilation, sources) + "\n", to: STDOUT_FILENO)
    case .json:
      let results = Ruleset.loadResults(sources, options)
      write(LoadResult.json(results, compilation.diagnostics) + "\n", to: STDOUT_FILENO)
    }
    if compilation.ruleset == nil { throw ExitStatus.rulesInvalid }
  }

  private static let unusedCountMax = 3

  /// Rule files for everybody bring macros and lists for everybody: many unused ones are one line.
  private static func folding(_ diagnostics: [Diagnostic]) -> (shown: [Diagnostic], folded: String) {
    let unused: Set<DiagnosticCode> = [.unusedMacro, .unusedList]
    let count = diagnostics.count { unused.contains($0.code) }
    guard count > unusedCountMax else { return (diagnostics, "") }
    let shown = diagnostics.filter { !unused.contains($0.code) }
    return (shown, "note: \(count) macros and lists are not used by any rule; '--format json' names them\n")
  }

  private func summary(_ compilation: Compilation, _ sources: [SourceFile]) -> String {
    let counts = Dictionary(grouping: compilation.diagnostics, by: \.severity).mapValues(\.count)
    var found = [count(counts[.error] ?? 0, "error"), count(counts[.warning] ?? 0, "warning")]
    if let notes = counts[.note] { found.append(count(notes, "note")) }
    if let ruleset = compilation.ruleset { found.insert(count(ruleset.rules.count, "rule"), at: 0) }
    return "\(count(sources.count, "file")): \(found.joined(separator: ", "))"
  }

  private func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json
}
