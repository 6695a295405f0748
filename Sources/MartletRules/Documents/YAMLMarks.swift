// SPDX-License-Identifier: Apache-2.0

import Yams

/// Turns the lines and columns of Yams into offsets. It counts characters, and to YAML 1.1 three more of them end a
/// line than to editors: NEL, LS and PS.
struct YAMLMarks: Sendable {
  private let index: LineIndex
  private let lineStarts: [Int]

  init(_ index: LineIndex) {
    self.index = index
    let bytes = index.bytes
    let others = bytes.indices.compactMap { offset in Self.otherBreak(in: bytes, at: offset).map { offset + $0 } }
    lineStarts = others.isEmpty ? index.lineStarts : (index.lineStarts + others).sorted()
  }

  func offset(of mark: Mark) -> Int {
    guard mark.line >= 1 else { return 0 }
    guard mark.line <= lineStarts.count else { return index.bytes.count }
    return index.offset(mark.column - 1, charactersBehind: lineStarts[mark.line - 1])
  }

  /// How long the line break here is, if it is one of the three.
  private static func otherBreak(in bytes: [UInt8], at offset: Int) -> Int? {
    switch bytes[offset] {
    case 0xc2: bytes.byte(at: offset + 1) == 0x85 ? 2 : nil
    case 0xe2:
      bytes.byte(at: offset + 1) == 0x80 && (bytes.byte(at: offset + 2) ?? 0) & 0xfe == 0xa8 ? 3 : nil
    default: nil
    }
  }
}
