// SPDX-License-Identifier: Apache-2.0

/// Finds the line and column of a byte in one file.
struct LineIndex: Sendable {
  let path: String
  let bytes: [UInt8]
  /// Offset of each line's first byte. `\n`, `\r\n` and a lone `\r` end a line.
  let lineStarts: [Int]
  /// Characters before every `stride`-th byte: a file may be one line of megabytes, and many places in it are asked for.
  private let checkpoints: [Int]

  private static let stride = 256

  init(_ source: SourceFile) {
    path = source.path
    bytes = source.bytes
    var lineStarts = [0]
    var checkpoints: [Int] = []
    var characters = 0
    for (offset, byte) in source.bytes.enumerated() {
      if offset % Self.stride == 0 { checkpoints.append(characters) }
      if byte & 0xc0 != 0x80 { characters += 1 }
      let isBreak = byte == .newline || (byte == .carriageReturn && source.bytes.byte(at: offset + 1) != .newline)
      if isBreak { lineStarts.append(offset + 1) }
    }
    checkpoints.append(characters)
    self.lineStarts = lineStarts
    self.checkpoints = checkpoints
  }

  /// Index in `lineStarts` of the line that holds `offset`.
  func lineIndex(of offset: Int) -> Int {
    var low = 0
    var high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    return low
  }

  func location(of offset: Int) -> SourceLocation {
    let offset = min(max(offset, 0), bytes.count)
    let line = lineIndex(of: offset)
    let column = characters(before: offset) - characters(before: lineStarts[line])
    return SourceLocation(path: path, line: line + 1, column: column + 1, offset: offset)
  }

  func span(of range: Range<Int>) -> SourceSpan {
    SourceSpan(start: location(of: range.lowerBound), end: location(of: range.upperBound))
  }

  /// Offset of the character at a line and column that both count from 1; clamped to the line.
  func offset(line: Int, column: Int) -> Int {
    guard line >= 1, line <= lineStarts.count else { return line < 1 ? 0 : bytes.count }
    let end = line < lineStarts.count ? lineStarts[line] : bytes.count
    return min(offset(column - 1, charactersBehind: lineStarts[line - 1]), end)
  }

  /// The offset so many characters behind `start`, which is the first byte of one.
  func offset(_ count: Int, charactersBehind start: Int) -> Int {
    let wanted = characters(before: start) + max(count, 0)
    // The last checkpoint that has no more than these before it.
    var low = 0
    var high = checkpoints.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if checkpoints[middle] <= wanted { low = middle } else { high = middle }
    }
    var offset = min(low * Self.stride, bytes.count)
    var left = wanted - checkpoints[low]
    while offset < bytes.count {
      if bytes[offset] & 0xc0 != 0x80 {
        if left == 0 { break }
        left -= 1
      }
      offset += 1
    }
    return offset
  }

  /// The bytes of a line that counts from 1, its break left out.
  func line(_ number: Int) -> ArraySlice<UInt8> {
    guard number >= 1, number <= lineStarts.count else { return [] }
    let start = lineStarts[number - 1]
    var end = number < lineStarts.count ? lineStarts[number] : bytes.count
    while end > start, bytes[end - 1] == .newline || bytes[end - 1] == .carriageReturn { end -= 1 }
    return bytes[start..<end]
  }

  private func characters(before offset: Int) -> Int {
    let checkpoint = offset / Self.stride
    var count = checkpoints[min(checkpoint, checkpoints.count - 1)]
    let start = min(checkpoint * Self.stride, bytes.count)
    for index in start..<max(start, offset) where bytes[index] & 0xc0 != 0x80 { count += 1 }
    return count
  }
}
