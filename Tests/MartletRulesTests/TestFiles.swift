// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

/// Reads files of the test bundle and, where they are there, of Falco's own rules beside the package.
enum TestFiles {
  static let fixtures = directory("Fixtures")

  static func directory(_ name: String, file: String = #filePath) -> String {
    file.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/" + name
  }

  /// Falco's rule files are not part of this repository.
  static let upstreamRules: [String] = {
    let folder = directory("../../../shared/upstream/falco-rules")
    let other = directory("../../../../shared/upstream/falco-rules")
    return [folder, other].flatMap { folder in
      names(in: folder).filter { $0.hasSuffix(".yaml") }.map { folder + "/" + $0 }
    }
  }()

  static let needsUpstream = ConditionTrait.enabled(
    if: !upstreamRules.isEmpty, "Falco's rule files are not in shared/upstream/falco-rules beside the package")

  static func names(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  static func bytes(_ path: String) -> [UInt8] {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&buffer, 1, buffer.count, file)
      guard count > 0 else { return bytes }
      bytes += buffer[..<count]
    }
  }

  static func write(_ text: String, to path: String) {
    guard let file = fopen(path, "w") else { return }
    defer { fclose(file) }
    fputs(text, file)
  }
}
