// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// All of many texts that a text begins with: a trie, laid out as a sorted list.
///
/// Of the texts in order, those that `text` begins with are the last one that is not behind it, or that one's own
/// prefixes in the list, and so on; so one binary search and a chain of links find them. Room grows with the number of
/// texts, not with their bytes.
struct PrefixIndex {
  /// Of the longest text.
  let byteCountMax: Int
  private let entries: UnsafeBufferPointer<Entry>
  private let places: UnsafeBufferPointer<UInt32>
  /// For each first byte where its texts begin; one more for the end.
  private let starts: UnsafeBufferPointer<UInt32>

  private struct Entry {
    var text: ByteView
    /// The longest other entry that this one begins with; -1 for none.
    var parent: Int32
    var first: UInt32
    var count: UInt32
  }

  /// None of them is empty.
  init(_ items: [(text: ByteView, place: UInt32)], in arena: PlanArena) {
    let sorted = items.sorted { $0.text.compare($1.text) < 0 }
    var entries: [Entry] = []
    // The entries that the current one begins with, the longest last.
    var chain: [Int32] = []
    for (index, item) in sorted.enumerated() {
      if let last = entries.last, last.text == item.text {
        entries[entries.count - 1].count += 1
        continue
      }
      while let last = chain.last, !item.text.hasPrefix(entries[Int(last)].text) { chain.removeLast() }
      entries.append(Entry(text: item.text, parent: chain.last ?? -1, first: UInt32(index), count: 1))
      chain.append(Int32(entries.count - 1))
    }
    var starts = [UInt32](repeating: UInt32(entries.count), count: 257)
    for (index, entry) in entries.enumerated().reversed() { starts[Int(entry.text[0])] = UInt32(index) }
    for byte in (0..<256).reversed() { starts[byte] = min(starts[byte], starts[byte + 1]) }
    self.entries = arena.keep(entries)
    places = arena.keep(sorted.map(\.place))
    self.starts = arena.keep(starts)
    byteCountMax = entries.map(\.text.count).max() ?? 0
  }

  func collect(_ text: ByteView, into found: inout PlaceList) {
    guard text.count > 0 else { return }
    // The first entry behind `text`; one with another first byte has no part in it.
    var low = Int(starts[Int(text[0])])
    let first = low
    var high = Int(starts[Int(text[0]) + 1])
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].text.compare(text) <= 0 { low = middle + 1 } else { high = middle }
    }
    guard low > first else { return }
    var index = Int32(low - 1)
    while index >= 0 {
      let entry = entries[Int(index)]
      if text.hasPrefix(entry.text) {
        for place in Int(entry.first)..<Int(entry.first + entry.count) { found.append(places[place]) }
      }
      index = entry.parent
    }
  }
}
