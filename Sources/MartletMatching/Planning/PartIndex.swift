// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// All of many texts that stand somewhere in a text, found in one pass over it.
///
/// Each text is known by three bytes in a row that it has and, if it can be, no other. A bit for each three bytes that
/// any text is known by, hashed, sends nearly every place of the text on to the next; the few others are compared. Where
/// all texts are longer, each is known by several such threes, one behind the other, and only every second, third or
/// fourth place is looked at. Room grows with the number of texts, not with their bytes as an automaton's.
struct PartIndex {
  /// Shorter texts have no three bytes.
  static let byteCountMin = 3

  private let marks: UnsafeBufferPointer<UInt64>
  private let shift: UInt32
  /// From one place that is looked at to the next.
  private let step: Int
  /// By hash of the three bytes: the first entry, plus one.
  private let heads: UnsafeBufferPointer<UInt32>
  private let entries: UnsafeBufferPointer<Entry>

  private struct Entry {
    var text: ByteView
    /// Where in it the three bytes stand.
    var offset: UInt32
    var place: UInt32
    /// The next with the same hash, plus one.
    var next: UInt32
  }

  init(_ items: [(text: ByteView, place: UInt32)], in arena: PlanArena) {
    let step = min(4, (items.map(\.text.count).min() ?? Self.byteCountMin) - Self.byteCountMin + 1)
    var bitCount: UInt32 = 10
    while 1 << bitCount < items.count * step * 32, bitCount < 22 { bitCount += 1 }
    let shift = 32 - bitCount
    var marks = [UInt64](repeating: 0, count: (1 << Int(bitCount)) / 64)
    var heads = [UInt32](repeating: 0, count: 1 << Int(bitCount))
    var entries: [Entry] = []
    var useCounts: [UInt32: Int] = [:]
    for (text, place) in items {
      func useCount(_ first: Int) -> Int {
        (first..<(first + step)).reduce(0) { $0 + useCounts[Self.key(text, $1), default: 0] }
      }
      let first = (0...(text.count - Self.byteCountMin + 1 - step)).min { useCount($0) < useCount($1) } ?? 0
      for offset in first..<(first + step) {
        let key = Self.key(text, offset)
        useCounts[key, default: 0] += 1
        let hash = Int(Self.hash(key, shift))
        marks[hash / 64] |= 1 << UInt64(hash % 64)
        entries.append(Entry(text: text, offset: UInt32(offset), place: place, next: heads[hash]))
        heads[hash] = UInt32(entries.count)
      }
    }
    self.marks = arena.keep(marks)
    self.heads = arena.keep(heads)
    self.entries = arena.keep(entries)
    self.shift = shift
    self.step = step
  }

  func collect(_ text: ByteView, into found: inout PlaceList) {
    var index = 0
    while index + Self.byteCountMin <= text.count {
      let hash = Int(Self.hash(Self.key(text, index), shift))
      if marks[hash / 64] >> UInt64(hash % 64) & 1 != 0 { compare(text, index, heads[hash], into: &found) }
      index += step
    }
  }

  private func compare(_ text: ByteView, _ index: Int, _ head: UInt32, into found: inout PlaceList) {
    var next = head
    while next != 0 {
      let entry = entries[Int(next) - 1]
      let start = index - Int(entry.offset)
      if start >= 0, text.slice(from: start, to: start + entry.text.count) == entry.text { found.append(entry.place) }
      next = entry.next
    }
  }

  @inline(__always)
  private static func key(_ text: ByteView, _ offset: Int) -> UInt32 {
    UInt32(text[offset]) | UInt32(text[offset + 1]) << 8 | UInt32(text[offset + 2]) << 16
  }

  @inline(__always)
  private static func hash(_ key: UInt32, _ shift: UInt32) -> UInt32 { (key &* 0x9E37_79B1) >> shift }
}
