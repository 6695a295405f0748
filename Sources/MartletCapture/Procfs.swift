// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Small reads from /proc.
enum Procfs {
  /// A file's bytes, up to `limit` of them. Nil when it cannot be read.
  static func bytes(_ path: String, limit: Int = 65_536) -> [UInt8]? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var isWhole = true
    let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
      while count < limit {
        let step = read(file, buffer.baseAddress.map { $0 + count }, limit - count)
        if step < 0 { isWhole = false }
        if step <= 0 { break }
        count += step
      }
    }
    return isWhole ? bytes : nil
  }

  static func text(_ path: String) -> String? {
    bytes(path).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Where a link points. Nil when it cannot be read.
  static func link(_ path: String) -> [UInt8]? {
    var length = -1
    let target = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
      length = buffer.withMemoryRebound(to: CChar.self) { text in
        text.baseAddress.map { readlink(path, $0, text.count) } ?? -1
      }
      count = max(length, 0)
    }
    return length < 0 ? nil : target
  }

  /// The entries of a folder that are numbers. Nil when it cannot be read.
  static func numbers(in path: String) -> [pid_t]? {
    guard let folder = opendir(path) else { return nil }
    defer { closedir(folder) }
    var found: [pid_t] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if let number = pid_t(name) { found.append(number) }
    }
    return found
  }
}
