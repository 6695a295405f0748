// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Which of a facet's atoms hold on an event, as a number: the same number for the same atoms.
///
/// Most events have the finding `none`, which needs no more than that.
struct Finding: Equatable, BitwiseCopyable {
  var rawValue: UInt32

  /// No atom of the facet holds; the value is missing, or passes no test.
  static let none = Finding(rawValue: 0)
  /// The value is pending: every atom of the facet is unknown.
  static let pending = Finding(rawValue: 1)
}

/// Numbers lists of atoms. All facets share it: an entry tells which facet it is about.
struct FindingTable: ~Copyable {
  private struct Entry: BitwiseCopyable {
    var hash: UInt64
    var facet: UInt32
    var first: UInt32
    var count: UInt32
  }

  private var entries = GrowingBuffer<Entry>()
  private var places = GrowingBuffer<UInt32>()
  /// Open addressing, at most half full: a finding, 0 for none.
  private var slots: UnsafeMutableBufferPointer<UInt32>

  init() {
    slots = .allocate(capacity: 256)
    slots.initialize(repeating: 0)
    removeAll()
  }

  deinit { slots.deallocate() }

  /// Room that findings take, in places.
  var size: Int { places.count + entries.count }

  mutating func removeAll() {
    entries.removeAll()
    places.removeAll()
    slots.update(repeating: 0)
    // The numbers of those that are always there.
    for _ in 0...1 { entries.append(Entry(hash: 0, facet: .max, first: 0, count: 0)) }
  }

  /// The finding that just these atoms hold: `list` is sorted, each once.
  mutating func finding(_ facet: Int, _ list: borrowing PlaceList) -> Finding {
    guard list.count > 0 else { return .none }
    var hash = UInt64(facet) &+ 1
    for index in 0..<list.count {
      let product = (hash ^ UInt64(list.places[index])).multipliedFullWidth(by: 0xd6e8_feb8_6659_fd93)
      hash = product.high ^ product.low
    }
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] != 0 {
      if isEntry(Int(slots[slot]), hash, facet, list) { return Finding(rawValue: slots[slot]) }
      slot = (slot + 1) & (slots.count - 1)
    }
    let finding = UInt32(entries.count)
    entries.append(
      Entry(hash: hash, facet: UInt32(facet), first: UInt32(places.count), count: UInt32(list.count)))
    for index in 0..<list.count { places.append(list.places[index]) }
    slots[slot] = finding
    if entries.count * 2 > slots.count { grow() }
    return Finding(rawValue: finding)
  }

  /// Whether the atom at `place` of the finding's facet holds.
  func truth(of place: UInt32, in finding: Finding) -> Truth {
    if finding == .pending { return .isUnknown }
    let entry = entries[Int(finding.rawValue)]
    var low = Int(entry.first)
    var high = low + Int(entry.count)
    while low < high {
      let middle = (low + high) / 2
      if places[middle] < place { low = middle + 1 } else { high = middle }
    }
    return Truth(low < Int(entry.first + entry.count) && places[low] == place)
  }

  private func isEntry(_ index: Int, _ hash: UInt64, _ facet: Int, _ list: borrowing PlaceList) -> Bool {
    let entry = entries[index]
    guard entry.hash == hash, entry.facet == UInt32(facet), Int(entry.count) == list.count else { return false }
    for place in 0..<list.count where places[Int(entry.first) + place] != list.places[place] { return false }
    return true
  }

  private mutating func grow() {
    let slotCount = slots.count * 2
    slots.deallocate()
    slots = .allocate(capacity: slotCount)
    slots.initialize(repeating: 0)
    for index in 2..<entries.count {
      var slot = Int(truncatingIfNeeded: entries[index].hash) & (slotCount - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slotCount - 1) }
      slots[slot] = UInt32(index)
    }
  }
}
