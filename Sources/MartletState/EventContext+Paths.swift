// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import MartletEvents

/// The two names of an opened file.
extension EventContext {
  /// As the kernel resolved it. Nil for a failed open and for what has no path in the process's view.
  var resolvedPath: ByteView? {
    guard let record, record.kind == .open else { return nil }
    let part = record.open.pointee
    let hasPath = part.path.length_bytes > 0 && part.file_flags & UInt32(MARTLET_FILE_MEMFD) == 0
    return hasPath ? record.bytes(part.path) : nil
  }

  /// As the program spelled it, absolute, with `.` and `..` left in. Nil where the string could not be read.
  mutating func rawPath() -> ByteView? {
    if let rawName { return rawName }
    guard let record, let scratch, record.kind == .open else { return nil }
    let part = record.open.pointee
    // Calls that take no name show the file's own; so does a name that was not in memory.
    guard part.name.length_bytes > 0 else {
      guard part.result >= 0, part.path.length_bytes > 0 else { return nil }
      return record.bytes(part.path)
    }
    let name = record.bytes(part.name)
    let isPlain = PathText.isNormal(name)
    let whole =
      isPlain ? name : PathText.makeAbsolute(name, below: record.bytes(part.directory), at: scratch.rawName)
    rawName = whole
    if isPlain { spelledName = whole }
    return whole
  }

  /// `fd.name` in the spelled view: absolute, `.` and `..` taken out of the text.
  mutating func spelledPath() -> ByteView? {
    if let spelledName { return spelledName }
    guard let raw = rawPath(), let scratch else { return nil }
    if let spelledName { return spelledName }
    // A relative name whose directory is not known stays as it is: there is nothing to take `..` against.
    guard raw.count > 0, raw[0] == UInt8(ascii: "/") else { return raw }
    let name = PathText.isNormal(raw) ? raw : PathText.normalise(raw, at: scratch.name)
    spelledName = name
    return name
  }

  /// What `fd.name` is in the current view.
  mutating func viewedPath() -> ByteView? {
    if pathView == .resolved, let resolved = resolvedPath { return resolved }
    return spelledPath()
  }
}
