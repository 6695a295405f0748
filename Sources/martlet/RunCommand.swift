// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
import Glibc
public import MartletAgent

/// `martlet run`: watch this node.
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Watch this node.",
    discussion: """
      Alerts go to stdout, one JSON object a line; logs and the closing summary go to stderr. Ends on SIGINT, on
      SIGTERM, and when nobody reads the alerts any more. MARTLET_HOSTNAME in the environment names the node where the
      host name does not, as in a pod. MARTLET_CGROUP names the cgroup below which connections are asked about: a path,
      'none', or 'root', which is what it is without.
      """)

  @OptionGroup var rules: RuleOptions
  @OptionGroup var alerts: AlertOptions
  @OptionGroup var statistics: StatisticsOptions
  @OptionGroup var capture: CaptureOptions

  @Option(
    help: ArgumentHelp(
      "Save all events to this file as well, up to a gibibyte: 'martlet replay' gives the same alerts again.",
      valueName: "file"),
    completion: .file())
  var record: String?

  @Option(
    help: ArgumentHelp(
      "Touch this file every second while the watch goes round; see 'martlet alive'.", valueName: "file"),
    completion: .file())
  var heartbeat: String?

  @Option(help: "The least severe log messages to show.")
  var logLevel = Agent.LogLevel.info

  private static let recordingByteCountMax: UInt64 = 1 << 30

  func run() async throws {
    let ruleset = try rules.compileEnabled()
    let recording = record.map { Agent.Recording(path: $0, byteCountMax: Self.recordingByteCountMax) }
    try await reporting {
      let summary = try await Agent(logLevel: logLevel, ringBudgetBytes: capture.ringBudgetBytes).watch(
        ruleset, explainsAlerts: alerts.explain, recording: recording, heartbeatPath: heartbeat)
      close(with: summary)
      try statistics.write(summary)
    }
  }
}

extension Agent.LogLevel: ExpressibleByArgument {}
