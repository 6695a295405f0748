// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A folder for a test's files, gone when it is let go.
public final class TestFolder {
  public let path = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-\(UUID().uuidString)").path

  public init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and gives its path.
  public func write(_ name: String, _ text: String) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
    return path + "/" + name
  }
}

/// The checkout that these tests were built from.
public enum Repository {
  public static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

  public static func path(_ relative: String) -> String { root + "/" + relative }
}
