// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import MartletAgent
import MartletEvents
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

  @Flag(help: "Also say what of each rule runs in the kernel, and what keeps the rest from it.")
  var plan = false

  @Option(
    help: ArgumentHelp("Explain what a code such as R0101 means, and check nothing.", valueName: "code"),
    completion: .list(DiagnosticCode.allCases.map(\.rawValue)))
  var explain: String?

  @OptionGroup var choices: RuleChoices

  func validate() throws {
    let jobCount = [!paths.isEmpty, condition != nil, explain != nil].count { $0 }
    guard jobCount != 1 else { return }
    throw ValidationError(
      jobCount == 0 ? "name a rule file, or a condition" : "check files, or a condition, or explain a code: one of them"
    )
  }

  func run() throws {
    if let explain { return try Self.explain(explain) }
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
      let planned = plan ? compilation.ruleset.map { FilterPlanText($0).text } : nil
      write(renderer.render(shown) + folded + (planned ?? "") + summary(compilation, sources) + "\n", to: STDOUT_FILENO)
    case .json:
      let results = Ruleset.loadResults(sources, options)
      let json = LoadResult.json(results, compilation.diagnostics) { json in
        guard plan, let ruleset = compilation.ruleset else { return }
        json.key("plan")
        FilterPlanText(ruleset).write(to: &json)
      }
      write(json + "\n", to: STDOUT_FILENO)
    }
    if compilation.ruleset == nil { throw ExitStatus.rulesInvalid }
  }

  /// A page about a code.
  private static func explain(_ text: String) throws {
    guard let code = DiagnosticCode(rawValue: text.uppercased()) else {
      report(["there is no code '\(text)'"], help: ["codes are those in brackets in diagnostics, such as R0101"])
      throw ExitStatus.usage
    }
    write("\(code.rawValue): \(code.title) (\(code.severity.rawValue))\n\n\(code.explanation)\n", to: STDOUT_FILENO)
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
