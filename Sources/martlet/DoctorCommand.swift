// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import MartletAgent

/// `martlet doctor`: what this node supports.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Tell what this node supports, and prove it.",
    discussion: """
      Loads and attaches the probe for a moment, acts once for each hook and looks whether it was seen; what runs already
      is left alone. Without the privileges for that it says which are missing. MARTLET_CGROUP and MARTLET_RUNTIMES count as they
      do for 'martlet run'.

      Exit status: 0 if everything that the agent cannot do without is proven to work, 1 if not.
      """)

  @Option(help: "How to print it.")
  var format = Format.text

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case text, json
  }

  func run() throws {
    let doctor = Doctor(runtimes: CaptureOptions.runtimesOfEnvironment)
    write(format == .json ? doctor.json : doctor.text, to: STDOUT_FILENO)
    guard doctor.isWell else { throw ExitStatus.failure }
  }
}
