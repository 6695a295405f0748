// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import MartletAgent

/// `martlet demo`: see what alerts look like, anywhere.
struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Replay a small recording that the binary carries: no root, no set-up.",
    discussion: """
      In the recording somebody opens a shell in a container, reads /etc/shadow, connects to an unknown address and
      opens a model. With the bundled rules each gives an alert; try your own with -r. Exit status: 0, or 1
      where alerts could not be written.
      """)

  @OptionGroup var rules: RuleOptions
  @OptionGroup var alerts: AlertOptions
  @OptionGroup var statistics: StatisticsOptions

  func run() throws {
    try Demo.withRecording {
      try ReplayCommand.replay(.memory($0, name: "the bundled recording"), rules, alerts, statistics)
    }
  }
}
