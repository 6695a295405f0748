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
    guard path.count > 1 else { return true }
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
