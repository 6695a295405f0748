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

        {"evt.type": "openat", "fd.num": 3, "fd.typechar": "f", "evt.is_open_read": true, "fd.name": "/etc/shadow", \
      "container.id": "4f1c9e0b2a77"}

      Of a damaged file everything before the damage is replayed. Exit status: 0, or 1 where the file is damaged or \
      alerts could not be written, which a reader that has gone is no case of.
      """)

  @Argument(
    help: ArgumentHelp("Recording or event lines; - for stdin.", valueName: "file"), completion: .file())
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
    try statistics.check()
    let (summary, failure) = Replay(try rules.compileEnabled(), explainsAlerts: alerts.explain).run(input)
    close(with: summary)
    try statistics.write(summary)
    if let failure { report(failure.messages, help: failure.help) }
    if failure != nil || summary.alertsFailed > 0 { throw ExitStatus.failure }
  }
}
