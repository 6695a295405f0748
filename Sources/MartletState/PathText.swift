// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Text operations on paths: no file system is asked.
enum PathText {
  /// Bytes that `makeAbsolute` and `normalise` write at most for these inputs.
  static func byteCountMax(directory: Int, name: Int) -> Int { directory + name + 2 }

  /// The name below `directory`, or itself if absolute; runs of `/` become one, `.` and `..` stay.
  ///
  /// `destination` holds `byteCountMax(directory:name:)` bytes.
  static func makeAbsolute(
    _ name: ByteView, below directory: ByteView, at destination: UnsafeMutablePointer<UInt8>
  ) -> ByteView {
    let slash = UInt8(ascii: "/")
    var count = 0
    // The usual case: a plain name in a plain folder, copied at once.
    if isNormal(directory), directory.count > 1, isPlain(name) {
      destination.update(from: directory.start, count: directory.count)
      destination[directory.count] = slash
      (destination + directory.count + 1).update(from: name.start, count: name.count)
      return ByteView(start: destination, count: directory.count + 1 + name.count)
    }
    func append(_ text: ByteView) {
      for index in 0..<text.count {
        if text[index] == slash && count > 0 && destination[count - 1] == slash { continue }
        destination[count] = text[index]
        count += 1
      }
    }
    if name.isEmpty || name[0] != slash {
      append(directory)
      if count > 0 && destination[count - 1] != slash {
        destination[count] = slash
        count += 1
      }
    }
    append(name)
    if count > 1 && destination[count - 1] == slash { count -= 1 }
    return ByteView(start: destination, count: count)
  }

  /// Whether a relative name has nothing to take out: no empty component, and none that begins with a dot.
  private static func isPlain(_ name: ByteView) -> Bool {
    guard name.count > 0, name[0] != UInt8(ascii: "/"), name[0] != UInt8(ascii: "."),
      name[name.count - 1] != UInt8(ascii: "/")
    else { return false }
    return !hasDotOrSlashBehindSlash(name)
  }

  /// Takes out `.` and resolves `..` against the text, as Falco does for `fd.name`. `path` has no empty components.
  static func normalise(_ path: ByteView, at destination: UnsafeMutablePointer<UInt8>) -> ByteView {
    let slash = UInt8(ascii: "/")
    var count = 0
    var position = 0
    while position < path.count {
      let rest = path.slice(from: position + 1, to: path.count)
      let end = position + 1 + (rest.firstIndex(of: slash) ?? rest.count)
      let component = path.slice(from: position + 1, to: end)
      position = end
      if component == "." || component.isEmpty { continue }
      if component == ".." {
        while count > 0 {
          count -= 1
          if destination[count] == slash { break }
        }
        continue
      }
      destination[count] = slash
      (destination + count + 1).update(from: component.start, count: component.count)
      count += component.count + 1
    }
    if count == 0 {
      destination[0] = slash
      count = 1
    }
    return ByteView(start: destination, count: count)
  }

  /// Whether the text is absolute and would come out of the two functions above unchanged.
  static func isNormal(_ path: ByteView) -> Bool {
    let slash = UInt8(ascii: "/")
    guard path.count > 0, path[0] == slash else { return false }
    guard path.count > 1, hasDotOrSlashBehindSlash(path) else {
      return path.count == 1 || path[path.count - 1] != slash
    }
    var start = 1
    while start <= path.count {
      let rest = path.slice(from: start, to: path.count)
      let length = rest.firstIndex(of: slash) ?? rest.count
      // Empty, `.` and `..` are the components that a normal path does not have.
      if length == 0 { return false }
      if length <= 2, rest[0] == UInt8(ascii: "."), length == 1 || rest[1] == UInt8(ascii: ".") { return false }
      start += length + 1
    }
    return path[path.count - 1] != slash
  }

  /// Whether a component is empty, other than the last, or begins with a dot: most paths have none, and every open asks,
  /// so eight bytes are looked at at once.
  private static func hasDotOrSlashBehindSlash(_ path: ByteView) -> Bool {
    let bytes = UnsafeRawPointer(path.start)
    var index = 0
    var isBehindSlash: UInt64 = 0
    while index + 8 <= path.count {
      let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
      let slashes = marks(of: UInt8(ascii: "/"), in: word)
      let dots = marks(of: UInt8(ascii: "."), in: word)
      if (slashes << 8 | isBehindSlash) & (slashes | dots) != 0 { return true }
      isBehindSlash = slashes >> 56
      index += 8
    }
    while index < path.count {
      let byte = path[index]
      if isBehindSlash != 0, byte == UInt8(ascii: "/") || byte == UInt8(ascii: ".") { return true }
      isBehindSlash = byte == UInt8(ascii: "/") ? 1 : 0
      index += 1
    }
    return false
  }

  /// The highest bit of every byte of `word` that is `byte`.
  @inline(__always)
  private static func marks(of byte: UInt8, in word: UInt64) -> UInt64 {
    let low: UInt64 = 0x7f7f_7f7f_7f7f_7f7f
    let difference = word ^ (UInt64(byte) &* 0x0101_0101_0101_0101)
    return ~(((difference & low) &+ low) | difference | low)
  }

  /// Up to the last slash, without it; `/` for a name directly below the root.
  static func directory(of path: ByteView) -> ByteView {
    guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { return .empty }
    return path.slice(from: 0, to: max(slash, 1))
  }

  /// What stands after the last slash.
  static func filename(of path: ByteView) -> ByteView {
    guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { return path }
    return path.slice(from: slash + 1, to: path.count)
  }
}
