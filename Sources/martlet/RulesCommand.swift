// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import MartletRules

/// `martlet rules`: every rule with its priority, tags and place.
struct RulesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules", abstract: "List every rule with its priority, tags and source.")

  @OptionGroup var rules: RuleOptions

  @Option(help: "text, or json for programs.")
  var format = OutputFormat.text

  func run() throws {
    let ruleset = try rules.compile()
    switch format {
    case .text: write(Self.table(ruleset.rules), to: STDOUT_FILENO)
    case .json: write(ruleset.json + "\n", to: STDOUT_FILENO)
    }
  }

  private static func table(_ rules: [Rule]) -> String {
    let rows = rules.map { rule in
      [
        rule.name, rule.priority.name, state(rule), rule.tags.joined(separator: ","),
        "\(rule.location.path):\(rule.location.line)",
      ].map(DiagnosticRenderer.printable)
    }
    let widths = (0..<4).map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      zip(row, widths).map { $0.padding(to: $1) }.joined(separator: "  ") + "  \(row[4])\n"
    }.joined()
  }
}

extension RulesCommand {
  private static func state(_ rule: Rule) -> String {
    rule.isEnabled ? rule.liveCoverage.extent == .none ? "never fires" : "enabled" : "disabled"
  }
}

extension String {
  fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
