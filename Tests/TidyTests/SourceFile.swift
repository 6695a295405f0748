// SPDX-License-Identifier: Apache-2.0

import Foundation

/// One file of the source tree: what every check is given.
struct SourceFile: Sendable {
  enum Language {
    case swift, c, script, rules, other
  }

  /// Relative to the top of the repository, with forward slashes.
  let path: String
  let text: String

  var components: [String] { path.split(separator: "/").map(String.init) }
  var name: String { components.last ?? path }

  /// The SwiftPM target, for files below `Sources`.
  var target: String? { components.first == "Sources" && components.count > 2 ? components[1] : nil }
  var isTest: Bool { components.first == "Tests" }

  var language: Language {
    switch name.split(separator: ".").last {
    case "swift": .swift
    case "c", "h": .c
    case "sh", "py": .script
    case "yaml", "yml": components.first == "rules" ? .rules : .other
    default: text.hasPrefix("#!") || name == "Makefile" ? .script : .other
    }
  }

  /// The code with comments and literals blanked, line by line as in the file.
  var code: String {
    switch language {
    case .swift: CodeText.blanked(text, language: .swift)
    case .c: CodeText.blanked(text, language: .c)
    default: text
    }
  }

  var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
}

/// One place that breaks the style guide. A check gives these as values; an empty list is a tidy file.
struct Finding: Hashable, CustomStringConvertible {
  let path: String
  let line: Int
  let message: String

  var description: String { "\(path):\(line): \(message)" }
}

/// The files of this repository that people write, found from this file's own place.
enum SourceTree {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Everything below the folders that hold text, hidden ones included; what building makes lies elsewhere.
  static let files: [SourceFile] = {
    let folders = ["Sources", "Tests", "bpf", "rules", "deploy", ".ci"]
    return (folders.flatMap(paths(below:)) + topLevelFiles).sorted().compactMap { path in
      // A compiler wrote it.
      guard !path.hasSuffix(".pb.swift") else { return nil }
      // Recordings, models and other fixtures are not text; nothing here speaks about them.
      guard let text = try? String(contentsOf: root.appendingPathComponent(path), encoding: .utf8) else { return nil }
      return SourceFile(path: path, text: text)
    }
  }()

  /// Names directly in the top folder.
  static let topLevel = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []

  private static var topLevelFiles: [String] {
    topLevel.filter { name in
      var isFolder: ObjCBool = false
      let exists = FileManager.default.fileExists(
        atPath: root.appendingPathComponent(name).path, isDirectory: &isFolder)
      // Resolved versions and the pointer a linked checkout keeps are written by tools.
      return exists && !isFolder.boolValue && ![".git", "Package.resolved"].contains(name)
    }
  }

  private static func paths(below folder: String) -> [String] {
    let all = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)
    return (all?.allObjects as? [String] ?? [])
      .map { "\(folder)/\($0)" }
      .filter { path in !path.split(separator: "/").contains { $0.hasPrefix(".build") || $0 == "__pycache__" } }
  }
}
