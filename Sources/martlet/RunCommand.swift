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
      SIGTERM, and when nobody reads the alerts any more.
      """)

  @OptionGroup var rules: RuleOptions

  @Option(
    help: ArgumentHelp("Write what was seen, matched and lost to this file at the end, as JSON.", valueName: "file"),
    completion: .file())
  var stats: String?

  @Option(help: "The least severe log messages to show.")
  var logLevel = Agent.LogLevel.info

  func run() async throws {
    let agent = Agent(try rules.compile(), logLevel: logLevel)
    let summary: RunSummary
    do {
      summary = try await agent.watch()
    } catch {
      report(error.messages, help: error.help)
      throw ExitStatus.failure
    }
    write("martlet: \(summary.line)\n", to: STDERR_FILENO)
    try writeStatistics(summary)
  }

  private func writeStatistics(_ summary: RunSummary) throws {
    guard let stats else { return }
    do {
      try StatisticsFile.write(summary, to: stats)
    } catch {
      report(["cannot write statistics to '\(stats)': \(error)"])
      throw ExitStatus.failure
    }
  }
}

extension Agent.LogLevel: ExpressibleByArgument {}
