// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import MartletAgent
import MartletEvents
import MartletRules

/// `martlet match`: try one condition on saved events.
struct MatchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "match",
    abstract: "Try one condition on each event of a recording or of event lines.",
    discussion: """
      Prints 'true' or 'false' for each event; 'unknown' where it depends on a value given as {"$pending": true}. Macros
      and lists are not known here: name fields. Needs neither root nor a kernel.

        echo '{"evt.type": "execve", "proc.name": "bash"}' | martlet match 'proc.name in (sh, bash)'

      With --explain, the condition's tree follows each answer: '*' marks the parts that decide. Exit status: 0, or 3
      where the condition has errors.
      """)

  @Argument(help: "The condition, in the language of rules.")
  var condition: String

  @Argument(
    help: ArgumentHelp("Recording or event lines; - for stdin.", valueName: "events"),
    completion: .file())
  var events = "-"

  @Flag(help: "Show every part of the condition with its value.")
  var explain = false

  func run() throws {
    let check = ConditionCheck(forMatching: Array(condition.utf8))
    let renderer = DiagnosticRenderer(sources: [check.source], isColored: wantsColor(STDERR_FILENO))
    write(renderer.render(check.diagnostics), to: STDERR_FILENO)
    guard let condition = check.condition else { throw ExitStatus.rulesInvalid }
    var match = ConditionMatch(condition, explains: explain)
    var lines = ""
    defer { write(lines, to: STDOUT_FILENO) }
    do {
      try match.run(events) { outcome in
        lines += "\(outcome.truth.name)\n"
        if let explanation = outcome.explanation { lines += explanation }
        if lines.utf8.count > Self.bufferedBytesMax {
          write(lines, to: STDOUT_FILENO)
          lines = ""
        }
        return true
      }
    } catch {
      report(["\(error)"], help: ["event lines are JSON objects, one a line: {\"evt.type\": \"openat\"}"])
      throw ExitStatus.failure
    }
  }

  /// A pipe of answers is not written line by line.
  private static let bufferedBytesMax = 64 << 10
}

extension Truth {
  fileprivate var name: String {
    switch self {
    case .isFalse: "false"
    case .isTrue: "true"
    case .isUnknown: "unknown"
    }
  }
}
