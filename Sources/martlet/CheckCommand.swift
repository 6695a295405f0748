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
      "Rule files and folders, loaded in order; 'bundled' for the rules in this binary. With --condition their macros "
        + "and lists are what it may name.", valueName: "path"),
    completion: .file(extensions: ["yaml", "yml"]))
  var paths: [String] = []

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Check one condition instead of rules.", valueName: "expr"))
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
    if explain != nil {
      guard paths.isEmpty, condition == nil, format == .text, !plan, choices.areNone else {
        throw ValidationError("'--explain' goes alone: nothing is checked, and there is only text")
      }
    } else if condition != nil {
      guard !plan, choices.areNone else {
        throw ValidationError(
          "with '--condition' there are no rules to plan or to choose from: check a rule file instead")
      }
    } else if paths.isEmpty {
      throw ValidationError("name a rule file, or a condition")
    }
  }

  private func sources() throws -> [SourceFile] {
    try RuleRefusal.endsCommand { () throws(RuleRefusal) in try RuleOptions.read(paths) }
  }

  func run() throws {
    if let explain { return try Self.explain(explain) }
    if let condition {
      return try ConditionReport.run(condition, among: paths.isEmpty ? [] : sources(), format)
    }
    let options = choices.compileOptions()
    if format == .json, case let unreadable = RuleOptions.unreadable(paths), !unreadable.isEmpty {
      write(LoadResult.json(unreadable, []) + "\n", to: STDOUT_FILENO)
      throw ExitStatus.rulesInvalid
    }
    let sources = try sources()
    let compilation = Ruleset.compile(sources, options)
    switch format {
    case .text:
      let (shown, folded) = Self.folding(compilation.diagnostics)
      let renderer = DiagnosticRenderer(sources: sources + options.sources, isColored: wantsColor(STDOUT_FILENO))
      let planned = plan ? compilation.ruleset.map { FilterPlanText($0).text + Self.neverFiring($0) } : nil
      write(renderer.render(shown) + folded + (planned ?? "") + summary(compilation, sources) + "\n", to: STDOUT_FILENO)
    case .json:
      let results = Ruleset.loadResults(sources, options)
      let json = LoadResult.json(results, compilation.diagnostics) { json in
        guard let ruleset = compilation.ruleset else { return }
        if plan {
          json.key("plan")
          FilterPlanText(ruleset).write(to: &json)
        }
        json.object("rules") { json in
          json.member("disabled", Int64(ruleset.rules.count { !$0.isEnabled }))
          json.member("enabled", Int64(ruleset.rules.count(where: \.isEnabled)))
        }
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

  /// A line of the plan.
  private static func neverFiring(_ ruleset: Ruleset) -> String {
    let names = ruleset.neverFiring.map { "'\($0.name)'" }
    return names.isEmpty ? "" : "never fires: \(DiagnosticRenderer.printable(names.joined(separator: ", ")))\n"
  }

  private func summary(_ compilation: Compilation, _ sources: [SourceFile]) -> String {
    let isIdle = compilation.ruleset.map { !$0.rules.contains(where: \.isEnabled) } ?? false
    let counts = Dictionary(grouping: compilation.diagnostics, by: \.severity).mapValues(\.count)
    var found = [
      Self.count(counts[.error] ?? 0, "error"), Self.count((counts[.warning] ?? 0) + (isIdle ? 1 : 0), "warning"),
    ]
    if let notes = counts[.note] { found.append(Self.count(notes, "note")) }
    if let ruleset = compilation.ruleset { found.insert(Self.count(ruleset.rules), at: 0) }
    let warning = isIdle ? "warning: no rule is enabled: 'run' would not start with these\n" : ""
    return warning + "\(Self.count(sources.count, "file")): \(found.joined(separator: ", "))"
  }

  private static func count(_ rules: [Rule]) -> String {
    let disabledCount = rules.count { !$0.isEnabled }
    guard disabledCount > 0 else { return count(rules.count, "rule") }
    let disabled = rules.count == 1 ? "disabled" : "\(disabledCount) of them disabled"
    return "\(count(rules.count, "rule")), \(disabled)"
  }

  static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json
}
