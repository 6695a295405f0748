// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import MartletModels

/// `martlet read-models`: what a watch runs to read models with. Not for people.
struct ReadModelsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "read-models", shouldDisplay: false)

  @Argument var bytesPerSecondMax: UInt64

  func run() { HashService(socket: STDIN_FILENO, bytesPerSecondMax: bytesPerSecondMax).run() }
}
