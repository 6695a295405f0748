// SPDX-License-Identifier: Apache-2.0

import Glibc
import Logging
import MartletAlerts
import MartletCapture
public import MartletRules
import MartletState
import ServiceLifecycle
import UnixSignals

/// The agent on a node: starts what runs side by side, and ends it in order.
public struct Agent {
  /// The least severe log messages to show on stderr.
  public enum LogLevel: String, CaseIterable, Sendable {
    case debug, info, notice, warning, error
  }

  /// Why it cannot watch, and what to do about it.
  public struct Failure: Error {
    public let messages: [String]
    /// Remedies, each a sentence for the person who started the agent.
    public let help: [String]
  }

  private let ruleset: Ruleset
  private let logger: Logger

  public init(_ ruleset: Ruleset, logLevel: LogLevel = .info) {
    self.ruleset = ruleset
    var logger = Logger(label: "martlet") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = Logger.Level(rawValue: logLevel.rawValue) ?? .info
    self.logger = logger
  }

  /// How long a component may take to end before it is left behind.
  private static let shutdownSecondsMax: Int64 = 5

  /// Watches until SIGINT, SIGTERM or the end of whoever reads standard output.
  public func watch() async throws(Failure) -> RunSummary {
    let missing = CaptureRequirements.check()
    guard missing.isEmpty else {
      throw Failure(messages: missing.map(\.description), help: missing.map(\.remedy))
    }
    do {
      let watch = NodeWatch(
        ruleset, source: try KernelSource(configuration: CaptureConfiguration()),
        output: DescriptorOutput(descriptor: STDOUT_FILENO), limits: StateLimits(), logger: logger)
      var configuration = ServiceGroupConfiguration(
        services: [.init(service: watch, successTerminationBehavior: .gracefullyShutdownGroup)],
        gracefulShutdownSignals: [.sigint, .sigterm], logger: logger)
      configuration.maximumGracefulShutdownDuration = .seconds(Self.shutdownSecondsMax)
      try await ServiceGroup(configuration: configuration).run()
      return watch.summary ?? RunSummary()
    } catch {
      throw Failure(messages: ["\(error)"], help: [])
    }
  }
}
