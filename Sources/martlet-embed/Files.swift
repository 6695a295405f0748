// SPDX-License-Identifier: Apache-2.0

import Glibc

func readFile(_ path: String) throws -> [UInt8] {
  guard let file = fopen(path, "rb") else { throw EmbedError(operation: "open", path: path) }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = fread(&chunk, 1, chunk.count, file)
    if count == 0 { break }
    bytes += chunk[..<count]
  }
  guard ferror(file) == 0 else { throw EmbedError(operation: "read", path: path) }
  return bytes
}

func writeFile(_ path: String, _ text: String) throws {
  guard let file = fopen(path, "wb") else { throw EmbedError(operation: "create", path: path) }
  let bytes = Array(text.utf8)
  let written = fwrite(bytes, 1, bytes.count, file)
  guard fclose(file) == 0, written == bytes.count else { throw EmbedError(operation: "write", path: path) }
}

/// Paths of all files below a folder that ends in a slash, relative to it, in order.
func files(below root: String, at inner: String = "") throws -> [String] {
  guard let folder = opendir(root + inner) else { throw EmbedError(operation: "list", path: root + inner) }
  defer { closedir(folder) }
  var found: [String] = []
  while let entry = readdir(folder) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if name.hasPrefix(".") { continue }
    if entry.pointee.d_type == DT_DIR {
      found += try files(below: root, at: inner + name + "/")
    } else {
      found.append(inner + name)
    }
  }
  return found.sorted()
}
