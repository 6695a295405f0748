// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import MartletAgent

/// `martlet alive`: for probes that can only run a command.
struct AliveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alive",
    abstract: "Tell whether an agent with --heartbeat FILE is still going round.",
    discussion: "Exit status: 0 if its last round ended a short while ago, 1 if not.")

  @Argument(
    help: ArgumentHelp("The file that 'martlet run --heartbeat' was given.", valueName: "file"), completion: .file())
  var file: String

  @Option(help: ArgumentHelp("How long ago the last round may have ended.", valueName: "seconds"))
  var maxAge = 10

  func run() throws {
    do {
      let age = try Heartbeat.ageSeconds(ofFile: file)
      // A clock that was set back, or a file that something else has touched: nothing is known of the agent.
      guard age.magnitude > max(0, maxAge) else { return }
      report([
        age > 0
          ? "the last round of the agent ended \(age) seconds ago"
          : "the heartbeat is \(age.magnitude) seconds ahead of the clock"
      ])
    } catch {
      report(["\(error)"])
    }
    throw ExitStatus.failure
  }
}
