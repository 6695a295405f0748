// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import Logging
import MartletAgent
import MartletAlerts
import MartletCapture
import MartletState
import ServiceLifecycle
import UnixSignals

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

  enum LogLevel: String, ExpressibleByArgument, CaseIterable {
    case debug, info, notice, warning, error
  }

  @Option(help: "The least severe log messages to show.")
  var logLevel = LogLevel.info

  func run() async throws {
    LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
    var logger = Logger(label: "martlet")
    logger.logLevel = Logger.Level(rawValue: logLevel.rawValue) ?? .info
    let ruleset = try rules.compile()
    try checkRequirements()
    let watch = NodeWatch(
      ruleset, source: try openSource(), output: DescriptorOutput(descriptor: STDOUT_FILENO), limits: StateLimits(),
      logger: logger)
    var configuration = ServiceGroupConfiguration(
      services: [.init(service: watch, successTerminationBehavior: .gracefullyShutdownGroup)],
      gracefulShutdownSignals: [.sigint, .sigterm], logger: logger)
    configuration.maximumGracefulShutdownDuration = .seconds(5)
    do {
      try await ServiceGroup(configuration: configuration).run()
    } catch {
      report("\(error)")
      throw ExitStatus.failure
    }
    if let summary = watch.summary { try close(with: summary) }
  }

  private func close(with summary: RunSummary) throws {
    write("martlet: \(summary.line)\n", to: STDERR_FILENO)
    guard let stats else { return }
    do {
      try StatisticsFile.write(summary, to: stats)
    } catch {
      report("cannot write statistics to '\(stats)': \(error)")
      throw ExitStatus.failure
    }
  }

  private func checkRequirements() throws {
    let missing = CaptureRequirements.check()
    guard !missing.isEmpty else { return }
    for requirement in missing { report(requirement.description, help: [requirement.remedy]) }
    throw ExitStatus.failure
  }

  private func openSource() throws -> KernelSource {
    do {
      return try KernelSource(configuration: CaptureConfiguration())
    } catch {
      report("\(error)")
      throw ExitStatus.failure
    }
  }
}
