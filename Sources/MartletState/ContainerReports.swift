// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import MartletEvents

/// What runtimes said about containers: a copy of the last record about each, by the container's id.
///
/// Records may come before the container's first process and after its last one, and from a runtime that lies: their
/// number and their bytes are bounded. The one that went unused for longest makes room; one whose container has had no
/// process for a while goes on its own.
struct ContainerReports: ~Copyable {
  private struct Entry {
    let memory: UnsafeMutableRawBufferPointer
    let record: EventRecord
    /// When there last was a process in the container, as far as ticks tell; at first when the record came.
    var usedNanoseconds: UInt64
    /// Of the places in the container table that show it.
    var places: [ContainerIndex] = []
  }

  private let countMax: Int
  private let byteCountMax: Int
  private var entries: [[UInt8]: Entry] = [:]
  private(set) var byteCount = 0
  private(set) var evictedCount: UInt64 = 0
  private(set) var forgottenCount: UInt64 = 0

  /// How long a container without processes is remembered: its first process may come later than its record.
  static let restNanoseconds: UInt64 = 60_000_000_000

  init(limits: StateLimits) {
    countMax = max(limits.containerReportCountMax, 1)
    byteCountMax = max(limits.containerReportByteCountMax, Int(MARTLET_RECORD_BYTES_MAX))
  }

  deinit {
    for entry in entries.values { entry.memory.deallocate() }
  }

  var count: Int { entries.count }

  /// Whether a runtime said something about a container with this id, in whichever pod.
  func knows(_ id: [UInt8]) -> Bool { entries[id] != nil }

  /// Keeps a copy of the record in place of what was known. `containers` no longer show what went.
  mutating func keep(_ record: EventRecord, in containers: UnsafeMutablePointer<Container>) {
    let id = record.bytes(record.container.pointee.id).array
    guard !id.isEmpty else { return }
    remove(id, in: containers)
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
    entries[id] = Entry(memory: memory, record: copy, usedNanoseconds: record.timeNanoseconds)
  }

  /// What is known of a container, for this place in the table. Nil where the runtime has it in another pod than its
  /// cgroup: whoever may make cgroups can name one after a container of somebody else.
  mutating func show(
    _ id: [UInt8], podUID: ByteView?, in place: ContainerIndex, of containers: UnsafeMutablePointer<Container>
  ) -> EventRecord? {
    guard let entry = entries[id] else { return nil }
    if let podUID, podUID != entry.record.bytes(entry.record.container.pointee.pod_uid) { return nil }
    // Others may have moved in since.
    let others = entry.places.filter { $0 != place && containers[Int($0.rawValue)].shows(entry.record) }
    entries[id]?.places = others + [place]
    return entry.record
  }

  /// As time goes by: forgets those whose container has had no process for long.
  mutating func rest(
    at time: UInt64, in containers: UnsafeMutablePointer<Container>, processCounts: UnsafeMutablePointer<Int32>
  ) {
    var gone: [[UInt8]] = []
    for (id, entry) in entries {
      let isUsed = entry.places.contains {
        processCounts[Int($0.rawValue)] > 0 && containers[Int($0.rawValue)].shows(entry.record)
      }
      if isUsed {
        entries[id]?.usedNanoseconds = time
      } else if time > entry.usedNanoseconds, time - entry.usedNanoseconds > Self.restNanoseconds {
        gone.append(id)
      }
    }
    for id in gone {
      remove(id, in: containers)
      forgottenCount += 1
    }
  }

  /// The order of a dictionary is no order: of those that are equally old, the one with the least id.
  private func leastUsed() -> [UInt8]? {
    entries.min {
      $0.value.usedNanoseconds != $1.value.usedNanoseconds
        ? $0.value.usedNanoseconds < $1.value.usedNanoseconds : $0.key.lexicographicallyPrecedes($1.key)
    }?.key
  }

  private mutating func remove(_ id: [UInt8], in containers: UnsafeMutablePointer<Container>) {
    guard let entry = entries.removeValue(forKey: id) else { return }
    for place in entry.places where containers[Int(place.rawValue)].shows(entry.record) {
      containers[Int(place.rawValue)].report = nil
    }
    byteCount -= entry.memory.count
    entry.memory.deallocate()
  }
}
