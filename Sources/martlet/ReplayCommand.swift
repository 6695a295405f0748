// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import MartletAgent

/// `martlet replay`: run rules over a recording or event lines.
struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Run rules over a recording or event lines.",
    discussion: """
      Needs neither root nor a kernel, and gives the same alerts every time. Event lines are JSON objects, one a line:
      {"evt.type": "openat", "fd.name": "/etc/shadow", "proc.name": "cat"}. Of a damaged file everything before the
      damage is replayed; the exit status is 1.
      """)

  @Argument(
    help: ArgumentHelp("Recording or event lines; - for event lines on stdin.", valueName: "file"), completion: .file())
  var file: String

  @OptionGroup var rules: RuleOptions
  @OptionGroup var alerts: AlertOptions
  @OptionGroup var statistics: StatisticsOptions

  func run() throws {
    try Self.replay(.file(file), rules, alerts, statistics)
  }

  static func replay(
    _ input: Replay.Input, _ rules: RuleOptions, _ alerts: AlertOptions, _ statistics: StatisticsOptions
  ) throws {
    let (summary, failure) = Replay(try rules.compileEnabled(), explainsAlerts: alerts.explain).run(input)
    close(with: summary)
    try statistics.write(summary)
    guard let failure else { return }
    report(failure.messages, help: failure.help)
    throw ExitStatus.failure
  }
}
