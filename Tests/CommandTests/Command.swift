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

/// A folder that is gone when it is let go.
final class TestFolder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and gives its path.
  func write(_ name: String, _ text: String) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
    return path + "/" + name
  }
}

/// What this machine needs before the kernel can be watched.
enum KernelSupport {
  /// Nil when it can.
  static let missing: String? = {
    if geteuid() != 0 { return "needs root" }
    return FileManager.default.isReadableFile(atPath: "/sys/kernel/btf/vmlinux")
      ? nil : "needs a kernel with type information (/sys/kernel/btf/vmlinux)"
  }()

  static var isAvailable: Bool { missing == nil }
}
