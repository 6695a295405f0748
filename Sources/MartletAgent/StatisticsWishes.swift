// SPDX-License-Identifier: Apache-2.0

import Glibc
import Logging
import ServiceLifecycle
import UnixSignals

/// Writes the statistics of a watch that goes on, whenever SIGUSR1 asks for them.
struct StatisticsWishes: Service {
  let path: String?
  let watch: NodeWatch
  let logger: Logger

  /// Until wishes are listened to, neither signal is to end the agent; the second one means nothing to it.
  static func ignoreSignals() {
    signal(SIGUSR1, SIG_IGN)
    signal(SIGUSR2, SIG_IGN)
  }

  func run() async throws {
    let wishes = await UnixSignalsSequence(trapping: .sigusr1)
    await cancelWhenGracefulShutdown {
      for await _ in wishes { await write() }
    }
  }

  private func write() async {
    guard let path else { return logger.notice("there is no file to write statistics to: '--stats FILE' names one") }
    guard let summary = await watch.summaryNow() else { return }
    do {
      try StatisticsFile.write(summary, to: path)
      logger.notice("the statistics so far were written to '\(path)'")
    } catch {
      logger.error("\(error)")
    }
  }
}
