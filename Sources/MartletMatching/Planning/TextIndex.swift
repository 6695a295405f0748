// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Finds which of many tests a text passes, in time that hardly grows with their number.
///
/// Tests are known by their place among those of their facet. Trivial: its memory is the plan's.
struct TextIndex {
  /// Pass for any text: `exists`, `contains ""`.
  private let always: UnsafeBufferPointer<UInt32>
  private let exact: ExactIndex?
  private let prefixes: PrefixIndex?
  private let suffixes: PrefixIndex?
  private let parts: PartIndex?
  private let partsIgnoringCase: PartIndex?
  private let folders: FolderIndex?
  private let regexes: RegexIndex?
  /// Globs and what else has to be tried by itself.
  private let others: UnsafeBufferPointer<Other>

  struct Other {
    var place: UInt32
    var test: AtomTest
  }

  init(_ tests: [Other], in arena: PlanArena) {
    var always: [UInt32] = []
    var exact: [(text: ByteView, place: UInt32)] = []
    var prefixes: [(text: ByteView, place: UInt32)] = []
    var suffixes: [(text: ByteView, place: UInt32)] = []
    var parts: [(text: ByteView, place: UInt32)] = []
    var partsIgnoringCase: [(text: ByteView, place: UInt32)] = []
    var folders: [(text: ByteView, place: UInt32)] = []
    var regexes: [RegexIndex.Member] = []
    var others: [Other] = []
    for test in tests {
      switch test.test {
      case .exists: always.append(test.place)
      case .equal(.text(let text)): exact.append((text, test.place))
      case .isInTexts(let set): for text in set.texts { exact.append((text, test.place)) }
      case .isAny(let constants):
        for case .text(let text) in constants { exact.append((text, test.place)) }
      case .startsWith(let text), .endsWith(let text), .contains(let text), .containsIgnoringCase(let text):
        guard text.count > 0 else {
          always.append(test.place)
          continue
        }
        switch test.test {
        case .startsWith: prefixes.append((text, test.place))
        case .endsWith: suffixes.append((text.reversed(in: arena), test.place))
        case .contains where text.count >= PartIndex.byteCountMin: parts.append((text, test.place))
        case .containsIgnoringCase where text.count >= PartIndex.byteCountMin:
          partsIgnoringCase.append((text, test.place))
        default: others.append(test)
        }
      case .isPathBelow(let prefixes):
        var globs: [PlannedConstant] = []
        for case .text(let prefix) in prefixes {
          if Glob.isPlain(prefix) { folders.append((prefix, test.place)) } else { globs.append(.text(prefix)) }
        }
        if !globs.isEmpty { others.append(Other(place: test.place, test: .isPathBelow(arena.keep(globs)))) }
      case .regex(let expression?): regexes.append(RegexIndex.Member(expression: expression, place: test.place))
      default: others.append(test)
      }
    }
    self.always = arena.keep(always)
    self.exact = exact.isEmpty ? nil : ExactIndex(exact, in: arena)
    self.prefixes = prefixes.isEmpty ? nil : PrefixIndex(prefixes, in: arena)
    self.suffixes = suffixes.isEmpty ? nil : PrefixIndex(suffixes, in: arena)
    self.parts = parts.isEmpty ? nil : PartIndex(parts, in: arena)
    self.partsIgnoringCase = partsIgnoringCase.isEmpty ? nil : PartIndex(partsIgnoringCase, in: arena)
    self.folders = folders.isEmpty ? nil : FolderIndex(folders, in: arena)
    self.regexes = regexes.isEmpty ? nil : RegexIndex(regexes, in: arena)
    self.others = arena.keep(others)
  }

  /// Adds the places of the tests that `text` passes, in no order, some maybe more than once.
  func collect(_ text: ByteView, into found: inout PlaceList) {
    for place in always { found.append(place) }
    exact?.collect(text, into: &found)
    prefixes?.collect(text, into: &found)
    if let suffixes {
      let tail = text.slice(from: text.count - suffixes.byteCountMax, to: text.count)
      suffixes.collect(found.reversed(tail), into: &found)
    }
    parts?.collect(text, into: &found)
    if let partsIgnoringCase { partsIgnoringCase.collect(found.lowercased(text), into: &found) }
    folders?.collect(text, into: &found)
    regexes?.collect(text, into: &found)
    for other in others where other.test.holds(.text(text)) == .isTrue { found.append(other.place) }
  }
}

extension ByteView {
  fileprivate func reversed(in arena: PlanArena) -> ByteView { arena.keep(Array(array.reversed())) }
}

/// Places that were found, and room for the forms of a text that finding them takes. Grows to the largest and stays.
struct PlaceList: ~Copyable {
  private(set) var places = GrowingBuffer<UInt32>()
  private var text = GrowingBuffer<UInt8>()

  var count: Int { places.count }

  mutating func removeAll() { places.removeAll() }

  mutating func append(_ place: UInt32) { places.append(place) }

  /// Sorted, each once.
  mutating func normalise() {
    guard places.count > 1 else { return }
    var sorted = places.elements
    sorted.sort()
    var kept = 1
    for index in 1..<places.count where places[index] != places[kept - 1] {
      places[kept] = places[index]
      kept += 1
    }
    places.removeLast(places.count - kept)
  }

  /// Holds until the next form is asked for.
  mutating func reversed(_ bytes: ByteView) -> ByteView {
    text.removeAll()
    for index in 0..<bytes.count { text.append(bytes[bytes.count - 1 - index]) }
    return text.view
  }

  /// ASCII letters only. Holds until the next form is asked for.
  mutating func lowercased(_ bytes: ByteView) -> ByteView {
    text.removeAll()
    for index in 0..<bytes.count { text.append(ASCII.lowercased(bytes[index])) }
    return text.view
  }
}

extension GrowingBuffer where Element == UInt8 {
  fileprivate var view: ByteView {
    elements.baseAddress.map { ByteView(start: $0, count: count) } ?? .empty
  }
}

/// Texts that lead to places: open addressing over entries, at most half full.
struct ExactIndex {
  private let slots: UnsafeBufferPointer<UInt32>
  private let entries: UnsafeBufferPointer<Entry>
  private let places: UnsafeBufferPointer<UInt32>
  private let lengthMin: Int
  private let lengthMax: Int

  private struct Entry {
    var text: ByteView
    var hash: UInt64
    var first: UInt32
    var count: UInt32
  }

  init(_ items: [(text: ByteView, place: UInt32)], in arena: PlanArena) {
    let sorted = items.sorted { ($0.text.compare($1.text), $0.place) < ($1.text.compare($0.text), $1.place) }
    var entries: [Entry] = []
    for (index, item) in sorted.enumerated() {
      if let last = entries.last, last.text == item.text {
        entries[entries.count - 1].count += 1
      } else {
        entries.append(Entry(text: item.text, hash: item.text.quickHash, first: UInt32(index), count: 1))
      }
    }
    var slotCount = 8
    while slotCount < entries.count * 2 { slotCount *= 2 }
    var slots = [UInt32](repeating: 0, count: slotCount)
    for (index, entry) in entries.enumerated() {
      var slot = Int(truncatingIfNeeded: entry.hash) & (slotCount - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slotCount - 1) }
      slots[slot] = UInt32(index) + 1
    }
    self.slots = arena.keep(slots)
    self.entries = arena.keep(entries)
    places = arena.keep(sorted.map(\.place))
    lengthMin = entries.map(\.text.count).min() ?? 0
    lengthMax = entries.map(\.text.count).max() ?? -1
  }

  func collect(_ text: ByteView, into found: inout PlaceList) {
    guard text.count >= lengthMin, text.count <= lengthMax else { return }
    let hash = text.quickHash
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] != 0 {
      let entry = entries[Int(slots[slot]) - 1]
      if entry.hash == hash, entry.text == text {
        for index in Int(entry.first)..<Int(entry.first + entry.count) { found.append(places[index]) }
        return
      }
      slot = (slot + 1) & (slots.count - 1)
    }
  }
}
