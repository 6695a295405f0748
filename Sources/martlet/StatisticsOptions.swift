// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import MartletAgent

/// Where the statistics of a run go.
struct StatisticsOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Write what was seen, matched and lost to this file at the end, as JSON.", valueName: "file"),
    completion: .file())
  var stats: String?

  func write(_ summary: RunSummary) throws {
    guard let stats else { return }
    do {
      try StatisticsFile.write(summary, to: stats)
    } catch {
      report(["cannot write statistics to '\(stats)': \(error)"])
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
