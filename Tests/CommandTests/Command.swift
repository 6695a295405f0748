// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation

/// The built command, run to its end.
enum Command {
  static var path: String { get throws { try AgentBinary.path() } }

  /// `prefix` is a command that runs another: `setpriv`.
  static func run(_ arguments: [String], behind prefix: [String] = []) throws -> Finished {
    try Child.run(prefix + [path] + arguments)
  }

  static func shell(_ command: String) throws { _ = try Child.run(["/bin/sh", "-c", command]) }
}
