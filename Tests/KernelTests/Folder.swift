// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

/// A folder of its own below /tmp, removed at the end.
final class Folder {
  let path: String

  init() throws {
    var template = Array("/tmp/martlet-test-XXXXXX".utf8CString)
    let made = mkdtemp(&template).map { String(cString: $0) }
    path = try #require(made)
  }

  deinit { remove(path) }

  func file(_ name: String, _ text: String = "text") throws -> String {
    let file = try #require(fopen("\(path)/\(name)", "we"))
    fputs(text, file)
    fclose(file)
    return "\(path)/\(name)"
  }

  func folder(_ name: String) -> String {
    mkdir("\(path)/\(name)", 0o755)
    return "\(path)/\(name)"
  }

  func link(_ name: String, to target: String) -> String {
    symlink(target, "\(path)/\(name)")
    return "\(path)/\(name)"
  }

  /// Only what tests make is here: folders, files, links.
  private func remove(_ path: String) {
    guard unlink(path) != 0 else { return }
    if let folder = opendir(path) {
      while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != "." && name != ".." { remove("\(path)/\(name)") }
      }
      closedir(folder)
    }
    rmdir(path)
  }
}
