// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import MartletAgent

/// Where the statistics of a run go.
struct StatisticsOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Write what was seen, matched and lost to this file at the end, as JSON; 'martlet run' also on SIGUSR1.",
      valueName: "file"),
    completion: .file())
  var stats: String?

  /// At the start: at the end it is too late to find that there is no place for them.
  func check() throws {
    try reportingFailure { path throws(StatisticsFile.Failure) in try StatisticsFile.check(path) }
  }

  func write(_ summary: RunSummary) throws {
    try reportingFailure { path throws(StatisticsFile.Failure) in try StatisticsFile.write(summary, to: path) }
  }

  private func reportingFailure(_ body: (String) throws(StatisticsFile.Failure) -> Void) throws {
    guard let stats else { return }
    do {
      try body(stats)
    } catch {
      report(["\(error)"], help: ["'--stats' names a file, in a folder that may be written to"])
      throw ExitStatus.failure
    }
  }
}

/// The closing line on stderr.
func close(with summary: RunSummary) {
  write("martlet: \(summary.line)\n", to: STDERR_FILENO)
}

/// Turns what keeps the agent from going on into messages and status 1.
func reporting(_ body: () async throws -> Void) async throws {
  do {
    try await body()
  } catch let failure as Agent.Failure {
    report(failure.messages, help: failure.help)
    throw ExitStatus.failure
  }
}
