// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import MartletRules

/// `martlet rules`: every rule with its priority, tags and place.
struct RulesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules", abstract: "List every rule with its priority, tags and source.")

  @OptionGroup var rules: RuleOptions

  func run() throws {
    let ruleset = try rules.compile()
    let lines = ruleset.rules.map { rule in
      let state = rule.isEnabled ? "" : " (disabled)"
      return """
        \(rule.name)\(state)
            \(rule.priority.name) · \(rule.tags.joined(separator: ", ")) · \(rule.location)
            \(rule.description.trimmed)
        """
    }
    write(lines.joined(separator: "\n") + "\n", to: STDOUT_FILENO)
  }
}

extension String {
  fileprivate var trimmed: Substring {
    guard let end = lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return self[...end]
  }
}
