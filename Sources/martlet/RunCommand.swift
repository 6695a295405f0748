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
      SIGTERM, and when nobody reads the alerts any more. SIGHUP reads the rules again: what is known of processes
      stays, no event is lost between the old rules and the new ones, and rules with errors change nothing. SIGUSR1
      writes the statistics so far to the file of '--stats'. Exit status: 0 after SIGINT or SIGTERM, 1 where it could not
      watch, alerts or a recording could not be written, or nobody read the alerts any more.
      MARTLET_HOSTNAME in the environment names the node where the host name does not, as in a pod. MARTLET_CGROUP names
      the cgroup below which connections are asked about: a path, 'none', or 'root', which is what it is without.
      MARTLET_RESOLVERS has addresses of resolvers, with commas between, that are believed about names beside those of
      /etc/resolv.conf. MARTLET_RUNTIMES stands in for '--runtime'.
      """)

  @OptionGroup var rules: RuleOptions
  @OptionGroup var alerts: AlertOptions
  @OptionGroup var statistics: StatisticsOptions
  @OptionGroup var capture: CaptureOptions
  @OptionGroup(title: "Models") var models: ModelOptions

  @Flag(help: "Reload the rules, as on SIGHUP, a few seconds after their files were changed.")
  var watchRules = false

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

  @Flag(
    help: """
      Let the kernel mark what it would drop because no rule can match it, and count the alerts that come of it all the \
      same: there should be none, and status 1 says that there were. Costs what a filter saves. Not with --record.
      """)
  var checkFilter = false

  @Option(help: "The least severe log messages to show.")
  var logLevel = Agent.LogLevel.info

  private static let recordingByteCountMax: UInt64 = 1 << 30

  func validate() throws {
    if checkFilter && record != nil {
      throw ValidationError("'--check-filter' and '--record' exclude each other: nothing is dropped from a recording.")
    }
    if watchRules && rules.filePaths.isEmpty {
      throw ValidationError("'--watch-rules' has no file to look at: give one with '-r PATH'")
    }
  }

  func run() async throws {
    try statistics.check()
    let reload = Agent.RuleReload(watchedPaths: watchRules ? rules.filePaths : []) {
      [rules] () throws(Agent.RuleReload.Refusal) in try rules.compileAgain()
    }
    let ruleset = try rules.compileEnabled()
    let recording = record.map { Agent.Recording(path: $0, byteCountMax: Self.recordingByteCountMax) }
    try await reporting {
      let agent = Agent(
        logLevel: logLevel, ringBudgetBytes: capture.ringBudgetBytes, runtimes: capture.runtimes,
        nameWaitSeconds: capture.nameWait, models: try await models.verification(Agent.logger(logLevel)))
      let summary = try await agent.watch(
        ruleset, explainsAlerts: alerts.explain, checksFilter: checkFilter, reload: reload, recording: recording,
        heartbeatPath: heartbeat, statisticsPath: statistics.stats)
      close(with: summary)
      try statistics.write(summary)
      guard summary.pipeline.markedMatched == 0 else {
        throw Agent.Failure(["the kernel's filter would have dropped events that rules match"])
      }
      if summary.isIncomplete { throw ExitStatus.failure }
    }
  }
}

extension Agent.LogLevel: ExpressibleByArgument {}
