// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import MartletEvents

/// A place among the opens of models, and which of its occupants is meant.
struct ModelOpenReference {
  var place: Int32
  var generation: UInt32

  static let none = ModelOpenReference(place: -1, generation: 0)
}

/// That a process opened a model.
struct ModelOpen {
  var generation: UInt32 = 0
  var timeNanoseconds: UInt64 = 0
  var isPickleCapable = false
  /// By a process in no container: no matter for containers that it starts, as an engine does that unpacks an image.
  var isOnHost = false
  var pathByteCount: Int32 = 0
  /// The process that opened it; others that come from it only share it.
  var owner = ProcessReference.none
}

/// The part that reading needs, free to copy.
struct ModelOpenLookup {
  let opens: UnsafeMutablePointer<ModelOpen>
  let paths: UnsafeMutablePointer<UInt8>

  static let pathByteCountMax = 4096

  init(capacity: Int) {
    opens = .allocate(capacity: capacity)
    opens.initialize(repeating: ModelOpen(), count: capacity)
    // Pages that no path was ever put into cost nothing.
    paths = .allocate(capacity: capacity * Self.pathByteCountMax)
  }

  /// Nil for none, and for one that had to make room.
  func find(_ reference: ModelOpenReference) -> UnsafeMutablePointer<ModelOpen>? {
    guard reference.place >= 0 else { return nil }
    let open = opens + Int(reference.place)
    return open.pointee.generation == reference.generation ? open : nil
  }

  /// The open that a reference means, in memory of its own, which `deallocate` gives back: the reference means it there, too,
  /// once its place is 0. Of a reference to nothing, nothing.
  init(copying opens: ModelOpenLookup, _ reference: ModelOpenReference) {
    let open = opens.find(reference)
    let path = open == nil ? .empty : opens.path(of: reference)
    self.opens = .allocate(capacity: 1)
    self.opens.initialize(to: open?.pointee ?? ModelOpen())
    paths = .allocate(capacity: path.count)
    paths.update(from: path.start, count: path.count)
  }

  func deallocate() {
    opens.deallocate()
    paths.deallocate()
  }

  /// Of a copy.
  func byteCount(of reference: ModelOpenReference) -> Int {
    MemoryLayout<ModelOpen>.stride + (find(reference) == nil ? 0 : path(of: reference).count)
  }

  func path(of reference: ModelOpenReference) -> ByteView {
    let count = opens[Int(reference.place)].pathByteCount
    return ByteView(start: paths + Int(reference.place) * Self.pathByteCountMax, count: Int(count))
  }
}

/// Which model a process opened last, for what it does next: the opens of all processes in a ring, the oldest of which
/// makes room.
///
/// A pickle-capable one is not displaced by another for a minute: what a pickle runs could open a harmless model first.
struct ModelOpens: ~Copyable {
  static let pickleNanoseconds: UInt64 = 60_000_000_000

  let lookup: ModelOpenLookup
  private(set) var evictedCount: UInt64 = 0
  private let capacity: Int
  private var next: Int32 = 0

  init(limits: StateLimits) {
    precondition(limits.modelOpenCountMax >= 1, "there is room for one open of a model")
    capacity = limits.modelOpenCountMax
    lookup = ModelOpenLookup(capacity: capacity)
  }

  deinit { lookup.deallocate() }

  /// Takes in an open that the kernel side told with the file's state: it is a model's, or of a watched file.
  mutating func note(_ record: EventRecord, by slot: Int32, _ processes: borrowing ProcessTable) {
    let part = record.open.pointee
    let isRead = part.file_mode & 1 != 0
    guard part.result >= 0, isRead, part.path.length_bytes > 0 else { return }
    let path = record.bytes(part.path)
    let format = ModelFormat(path: path) ?? ModelFormat(path: record.bytes(part.name))
    guard format != nil || ClaimedDigest.digits(in: path) != nil else { return }
    let isPickleCapable = format?.isPickleCapable ?? false
    let process = processes.slots + Int(slot)
    let time = record.timeNanoseconds
    let isOnHost = process.pointee.container == .host
    if let last = lookup.find(process.pointee.modelOpen), last.pointee.isPickleCapable, !isPickleCapable,
      isOnHost || !last.pointee.isOnHost, time < last.pointee.timeNanoseconds &+ Self.pickleNanoseconds
    {
      return
    }
    let place = place(of: slot, process.pointee, at: time)
    let kept = path.slice(from: path.count - ModelOpenLookup.pathByteCountMax, to: path.count)
    (lookup.paths + Int(place) * ModelOpenLookup.pathByteCountMax).update(from: kept.start, count: kept.count)
    let open = lookup.opens + Int(place)
    open.pointee.timeNanoseconds = time
    open.pointee.isPickleCapable = isPickleCapable
    open.pointee.isOnHost = isOnHost
    open.pointee.pathByteCount = Int32(kept.count)
    open.pointee.owner = ProcessReference(slot: slot, generation: process.pointee.generation)
    process.pointee.modelOpen = ModelOpenReference(place: place, generation: open.pointee.generation)
  }

  /// The process's own place, or the next one.
  private mutating func place(of slot: Int32, _ process: Process, at time: UInt64) -> Int32 {
    if let last = lookup.find(process.modelOpen), last.pointee.owner.slot == slot,
      last.pointee.owner.generation == process.generation
    {
      return process.modelOpen.place
    }
    let place = next
    next = (next + 1) % Int32(capacity)
    let open = lookup.opens + Int(place)
    if open.pointee.generation != 0, time < open.pointee.timeNanoseconds &+ Self.pickleNanoseconds {
      evictedCount += 1
    }
    open.pointee.generation &+= 1
    if open.pointee.generation == 0 { open.pointee.generation = 1 }
    return place
  }

  /// Its bytes say more than its name.
  func correct(by record: EventRecord, _ slot: Int32, _ processes: borrowing ProcessTable) {
    let reference = processes.slots[Int(slot)].modelOpen
    let part = record.model.pointee
    guard let open = lookup.find(reference), part.format.length_bytes > 0,
      lookup.path(of: reference) == record.bytes(part.path)
    else { return }
    open.pointee.isPickleCapable = part.facts & UInt32(MARTLET_MODEL_PICKLE_CAPABLE) != 0
  }
}
