// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import MartletEvents

/// What was told about containers: a copy of the last record about each.
///
/// Records may come before the container's first process and after its last one, and from somebody who lies: their number
/// and their bytes are bounded. The one that went unused for longest makes room; one whose container has had no process
/// for a while goes on its own. That of the host, whose key is empty, stays.
struct ContainerRecords: ~Copyable {
  private struct Entry {
    let memory: UnsafeMutableRawBufferPointer
    let record: EventRecord
    /// When there last was a process in the container, as far as ticks tell; at first when the record came.
    var usedNanoseconds: UInt64
    /// Of the places in the container table that show it.
    var places: [ContainerIndex] = []
  }

  /// Where a container shows its record.
  private let member: WritableKeyPath<Container, EventRecord?>
  private let countMax: Int
  private let byteCountMax: Int
  private var entries: [[UInt8]: Entry] = [:]
  private(set) var byteCount = 0
  private(set) var evictedCount: UInt64 = 0
  private(set) var forgottenCount: UInt64 = 0

  /// How long a container without processes is remembered: its first process may come later than its record.
  static let restNanoseconds: UInt64 = 60_000_000_000

  init(_ member: WritableKeyPath<Container, EventRecord?>, countMax: Int, byteCountMax: Int) {
    self.member = member
    self.countMax = max(countMax, 1)
    self.byteCountMax = max(byteCountMax, Int(MARTLET_RECORD_BYTES_MAX))
  }

  deinit {
    for entry in entries.values { entry.memory.deallocate() }
  }

  var count: Int { entries.count }

  /// Whether a runtime said something about a container with this id, in whichever pod.
  func knows(_ id: [UInt8]) -> Bool { entries[id] != nil }

  /// Keeps a copy of the record in place of what was known. `containers` no longer show what went.
  mutating func keep(_ record: EventRecord, as key: [UInt8], in containers: UnsafeMutablePointer<Container>) {
    remove(key, in: containers)
    while entries.count >= countMax || byteCount + record.bytes.count > byteCountMax, let oldest = leastUsed() {
      remove(oldest, in: containers)
      evictedCount += 1
    }
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: record.bytes.count, alignment: MemoryLayout<UInt64>.alignment)
    memory.copyMemory(from: record.bytes)
    guard let copy = EventRecord(UnsafeRawBufferPointer(memory)) else {
      preconditionFailure("the copy of a record is no record")
    }
    byteCount += memory.count
    entries[key] = Entry(memory: memory, record: copy, usedNanoseconds: record.timeNanoseconds)
  }

  /// What is known under a key, for this place in the table. Nil where it is not right for it.
  mutating func show(
    _ key: [UInt8], in place: ContainerIndex, of containers: UnsafeMutablePointer<Container>,
    ifRight isRight: (EventRecord) -> Bool = { _ in true }
  ) -> EventRecord? {
    guard let entry = entries[key], isRight(entry.record) else { return nil }
    // Others may have moved in since.
    let others = entry.places.filter { $0 != place && shows(entry.record, in: $0, of: containers) }
    entries[key]?.places = others + [place]
    return entry.record
  }

  private func shows(
    _ record: EventRecord, in place: ContainerIndex, of containers: UnsafeMutablePointer<Container>
  ) -> Bool {
    containers[Int(place.rawValue)][keyPath: member]?.bytes.baseAddress == record.bytes.baseAddress
  }

  /// As time goes by: forgets those whose container has had no process for long.
  mutating func rest(
    at time: UInt64, in containers: UnsafeMutablePointer<Container>, processCounts: UnsafeMutablePointer<Int32>
  ) {
    var gone: [[UInt8]] = []
    for (key, entry) in entries {
      let isUsed =
        key.isEmpty
        || entry.places.contains {
          processCounts[Int($0.rawValue)] > 0 && shows(entry.record, in: $0, of: containers)
        }
      if isUsed {
        entries[key]?.usedNanoseconds = time
      } else if time > entry.usedNanoseconds, time - entry.usedNanoseconds > Self.restNanoseconds {
        gone.append(key)
      }
    }
    for key in gone {
      remove(key, in: containers)
      forgottenCount += 1
    }
  }

  /// The order of a dictionary is no order: of those that are equally old, the one with the least key.
  private func leastUsed() -> [UInt8]? {
    entries.lazy.filter { !$0.key.isEmpty }.min {
      $0.value.usedNanoseconds != $1.value.usedNanoseconds
        ? $0.value.usedNanoseconds < $1.value.usedNanoseconds : $0.key.lexicographicallyPrecedes($1.key)
    }?.key
  }

  private mutating func remove(_ key: [UInt8], in containers: UnsafeMutablePointer<Container>) {
    guard let entry = entries.removeValue(forKey: key) else { return }
    for place in entry.places where shows(entry.record, in: place, of: containers) {
      containers[Int(place.rawValue)][keyPath: member] = nil
    }
    byteCount -= entry.memory.count
    entry.memory.deallocate()
  }
}
