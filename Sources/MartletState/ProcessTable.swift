// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Finds processes by id: the part of the table that reading needs, free to copy.
struct ProcessLookup {
  let slots: UnsafeMutablePointer<Process>
  let buckets: UnsafeMutablePointer<Int32>
  let bucketMask: UInt32

  func bucket(of processID: UInt32) -> Int {
    Int((processID &* 0x9E37_79B1) >> 7 & bucketMask)
  }

  /// The newest entry with this id, whatever its start; -1 for none.
  func find(_ processID: UInt32) -> Int32 {
    find(processID, startNanoseconds: 0)
  }

  /// /proc tells a start in hundredths of a second, the kernel side in nanoseconds: a process that was read from /proc
  /// has to be known again. An id is not used again so soon: the kernel goes through all others first.
  static let startToleranceNanoseconds: UInt64 = 10_000_000

  /// The entry for this very process; -1 for none. A start of 0 stands for an unknown one.
  func find(_ processID: UInt32, startNanoseconds: UInt64) -> Int32 {
    var slot = buckets[bucket(of: processID)]
    while slot >= 0 {
      let process = slots + Int(slot)
      if process.pointee.processID == processID {
        let known = process.pointee.startNanoseconds
        let distance = known > startNanoseconds ? known - startNanoseconds : startNanoseconds - known
        if distance < Self.startToleranceNanoseconds || startNanoseconds == 0 { return slot }
      }
      slot = process.pointee.nextInBucket
    }
    return -1
  }

  /// The parent's slot, looked up anew where it came later than the child; -1 for none.
  func parent(of slot: Int32) -> Int32 {
    let process = slots + Int(slot)
    let reference = process.pointee.parent
    if reference.slot >= 0 {
      return slots[Int(reference.slot)].generation == reference.generation ? reference.slot : -1
    }
    guard process.pointee.parentID != 0, process.pointee.parentID != process.pointee.processID else { return -1 }
    return find(process.pointee.parentID, startNanoseconds: process.pointee.parentStartNanoseconds)
  }
}

/// All processes by id: slots that never move, a hash chain per bucket, and ended processes in order of their end.
///
/// An ended process stays as long as an entry has it as its parent, so that lineage outlives parents; the oldest
/// ended ones go first when there are too many. Slot 0 is not in the table: it stands in for a process that found
/// no room.
struct ProcessTable: ~Copyable {
  static let overflowSlot: Int32 = 0

  let slots: UnsafeMutablePointer<Process>
  /// How many entries are in each container, by container index.
  let processCountByContainer: UnsafeMutablePointer<Int32>
  let lookup: ProcessLookup
  private let capacity: Int
  private let exitedCountMax: Int
  private var freeSlots: [Int32] = []
  private var usedSlotCount: Int32 = 1
  private var oldestExited: Int32 = -1
  private var newestExited: Int32 = -1
  private(set) var count = 0
  private(set) var exitedCount = 0
  private(set) var evictedCount: UInt64 = 0
  private(set) var imageByteCount = 0
  /// Images that were shortened afterwards, to make room for newer ones.
  private(set) var shortenedImageCount: UInt64 = 0
  private let imageByteCountMax: Int
  /// Entries that have, or had, a long image, in the order in which they got it; from `firstLong` on.
  private var longImages: [Int32] = []
  private var firstLong = 0
  /// Counts up whenever something changes that rules may ask about somebody's ancestors: see `ActingProcess`.
  private(set) var lineageEpoch: UInt64 = 0
  /// A process has a parent that was not known when it was linked: any newcomer may be the one.
  private var hasUnknownParents = false

  init(limits: StateLimits) {
    precondition(limits.processCountMax >= 16, "a process table needs room for 16 processes")
    capacity = limits.processCountMax + 1
    exitedCountMax = min(limits.exitedProcessCountMax, limits.processCountMax)
    imageByteCountMax = limits.imageByteCountMax
    // Untouched pages of the slots cost nothing, so the limit can be generous.
    slots = .allocate(capacity: capacity)
    slots.initialize(to: Process())
    let containerCount = limits.containerCountMax + ContainerTable.reservedCount
    processCountByContainer = .allocate(capacity: containerCount)
    processCountByContainer.initialize(repeating: 0, count: containerCount)
    var bucketCount = 16
    while bucketCount < capacity { bucketCount *= 2 }
    let buckets = UnsafeMutablePointer<Int32>.allocate(capacity: bucketCount)
    buckets.initialize(repeating: -1, count: bucketCount)
    lookup = ProcessLookup(slots: slots, buckets: buckets, bucketMask: UInt32(bucketCount - 1))
  }

  deinit {
    for slot in 0..<Int(usedSlotCount) {
      if let image = slots[slot].image { releaseWithoutCounting(image) }
    }
    slots.deallocate()
    processCountByContainer.deallocate()
    lookup.buckets.deallocate()
  }

  /// A fresh entry, first in its chain; nil when every slot holds a living process.
  mutating func insert(_ processID: UInt32, startNanoseconds: UInt64) -> Int32? {
    guard let slot = takeSlot() else { return nil }
    if hasUnknownParents { lineageEpoch &+= 1 }
    let generation = slots[Int(slot)].generation &+ 1
    let isListed = slots[Int(slot)].isListedAsLong
    slots[Int(slot)] = Process()
    slots[Int(slot)].generation = generation
    slots[Int(slot)].isListedAsLong = isListed
    slots[Int(slot)].processID = processID
    slots[Int(slot)].startNanoseconds = startNanoseconds
    let index = lookup.bucket(of: processID)
    slots[Int(slot)].nextInBucket = lookup.buckets[index]
    lookup.buckets[index] = slot
    processCountByContainer[Int(ContainerIndex.host.rawValue)] += 1
    count += 1
    return slot
  }

  /// Marks the process as ended; the entry goes at once if no child is known.
  mutating func exit(_ slot: Int32) {
    guard !slots[Int(slot)].isExited else { return }
    slots[Int(slot)].isExited = true
    slots[Int(slot)].olderExited = newestExited
    if newestExited >= 0 { slots[Int(newestExited)].newerExited = slot } else { oldestExited = slot }
    newestExited = slot
    exitedCount += 1
    if slots[Int(slot)].childCount == 0 {
      remove(slot)
    } else if exitedCount > exitedCountMax {
      evictOldestExited()
    }
  }

  /// Rules see something else of the process from now on.
  mutating func noteChange(of slot: Int32) {
    slots[Int(slot)].version &+= 1
    if slots[Int(slot)].childCount > 0 { lineageEpoch &+= 1 }
  }

  /// An ended parent that had no other child goes. Whoever changes the parent of a process with children notes it.
  mutating func setParent(of slot: Int32, to parent: Int32) {
    let old = slots[Int(slot)].parent
    if parent >= 0, parent != slot {
      slots[Int(parent)].childCount += 1
      releaseParent(of: slot)
      slots[Int(slot)].parent = ProcessReference(slot: parent, generation: slots[Int(parent)].generation)
    } else {
      releaseParent(of: slot)
      if slots[Int(slot)].parentID != 0 { hasUnknownParents = true }
    }
    guard old.slot >= 0, slots[Int(old.slot)].generation == old.generation else { return }
    if slots[Int(old.slot)].isExited, slots[Int(old.slot)].childCount == 0 { remove(old.slot) }
  }

  /// Cuts the chain of ancestors behind the `count`-th: nobody looks further up.
  mutating func cutLineage(of slot: Int32, behind count: Int) {
    var top = slot
    for _ in 0..<count {
      let reference = slots[Int(top)].parent
      guard reference.slot >= 0, slots[Int(reference.slot)].generation == reference.generation else { return }
      top = reference.slot
    }
    slots[Int(top)].parentID = 0
    setParent(of: top, to: -1)
    noteChange(of: top)
  }

  mutating func setContainer(of slot: Int32, to container: ContainerIndex) {
    if slot != Self.overflowSlot {
      processCountByContainer[Int(slots[Int(slot)].container.rawValue)] -= 1
      processCountByContainer[Int(container.rawValue)] += 1
    }
    slots[Int(slot)].container = container
  }

  /// Takes over the caller's count of `image`.
  mutating func setImage(of slot: Int32, to image: ProcessImage.Reference) {
    if let old = slots[Int(slot)].image { release(old) }
    slots[Int(slot)].image = image
    imageByteCount += image.pointee.byteCount
    listIfLong(slot)
  }

  /// Whether an image of this size finds room, if need be after the oldest long ones have been cut down to their paths:
  /// who starts many programs with long arguments, and keeps them, takes nothing from those that start later.
  mutating func makeRoom(for byteCount: Int) -> Bool {
    while imageByteCount + byteCount > imageByteCountMax, firstLong < longImages.count {
      let slot = longImages[firstLong]
      firstLong += 1
      slots[Int(slot)].isListedAsLong = false
      guard let image = slots[Int(slot)].image, isLong(image) else { continue }
      setImage(of: slot, to: ProcessImage.makeShort(from: image))
      shortenedImageCount += 1
      noteChange(of: slot)
    }
    return imageByteCount + byteCount <= imageByteCountMax
  }

  private func isLong(_ image: ProcessImage.Reference) -> Bool {
    image.pointee.hasArguments && image.pointee.byteCount > imageByteCountMax / 16_384
  }

  /// An entry is listed once, whoever it stands for.
  private mutating func listIfLong(_ slot: Int32) {
    guard slot != Self.overflowSlot, !slots[Int(slot)].isListedAsLong, let image = slots[Int(slot)].image, isLong(image)
    else { return }
    slots[Int(slot)].isListedAsLong = true
    if firstLong > longImages.count / 2 {
      longImages.removeFirst(firstLong)
      firstLong = 0
    }
    longImages.append(slot)
  }

  /// Empties the stand-in of its last occupant's image.
  mutating func clearOverflow() {
    if let image = slots[Int(Self.overflowSlot)].image { release(image) }
    slots[Int(Self.overflowSlot)] = Process()
  }

  mutating func shareImage(from source: Int32, with slot: Int32) {
    guard let image = slots[Int(source)].image else { return }
    if let old = slots[Int(slot)].image { release(old) }
    image.pointee.referenceCount += 1
    slots[Int(slot)].image = image
    listIfLong(slot)
  }

  /// The cgroups of all entries, in the v2 hierarchy and in the v1 one.
  func cgroupsInUse() -> (unified: Set<UInt64>, legacy: Set<UInt64>) {
    var result: (unified: Set<UInt64>, legacy: Set<UInt64>) = ([], [])
    for slot in 1..<Int(usedSlotCount) where slots[slot].processID != 0 {
      result.unified.insert(slots[slot].cgroupID)
      result.legacy.insert(slots[slot].cgroupV1ID)
    }
    return result
  }

  // MARK: - Slots

  private mutating func takeSlot() -> Int32? {
    if let slot = freeSlots.popLast() { return slot }
    if Int(usedSlotCount) < capacity {
      slots[Int(usedSlotCount)] = Process()
      usedSlotCount += 1
      return usedSlotCount - 1
    }
    guard oldestExited >= 0 else { return nil }
    evictOldestExited()
    return freeSlots.popLast()
  }

  private mutating func evictOldestExited() {
    evictedCount += 1
    remove(oldestExited)
  }

  /// Removes an ended entry, and with it ended ancestors that no entry needs any more.
  private mutating func remove(_ first: Int32) {
    var slot = first
    while slot >= 0 {
      if slots[Int(slot)].childCount > 0 || hasUnknownParents { lineageEpoch &+= 1 }
      let parent = slots[Int(slot)].parent
      let isParentCurrent = parent.slot >= 0 && slots[Int(parent.slot)].generation == parent.generation
      releaseParent(of: slot)
      unlinkFromExited(slot)
      unlinkFromBucket(slot)
      processCountByContainer[Int(slots[Int(slot)].container.rawValue)] -= 1
      if let image = slots[Int(slot)].image { release(image) }
      slots[Int(slot)].image = nil
      slots[Int(slot)].processID = 0
      // A new generation, so that children's references to this entry are void from now on.
      slots[Int(slot)].generation &+= 1
      freeSlots.append(slot)
      count -= 1
      guard isParentCurrent, slots[Int(parent.slot)].isExited, slots[Int(parent.slot)].childCount == 0 else { return }
      slot = parent.slot
    }
  }

  private mutating func releaseParent(of slot: Int32) {
    let parent = slots[Int(slot)].parent
    if parent.slot >= 0, slots[Int(parent.slot)].generation == parent.generation {
      slots[Int(parent.slot)].childCount -= 1
    }
    slots[Int(slot)].parent = .none
  }

  private mutating func unlinkFromExited(_ slot: Int32) {
    let older = slots[Int(slot)].olderExited
    let newer = slots[Int(slot)].newerExited
    if older >= 0 { slots[Int(older)].newerExited = newer } else { oldestExited = newer }
    if newer >= 0 { slots[Int(newer)].olderExited = older } else { newestExited = older }
    exitedCount -= 1
  }

  private mutating func unlinkFromBucket(_ slot: Int32) {
    let index = lookup.bucket(of: slots[Int(slot)].processID)
    if lookup.buckets[index] == slot {
      lookup.buckets[index] = slots[Int(slot)].nextInBucket
      return
    }
    var previous = lookup.buckets[index]
    while previous >= 0, slots[Int(previous)].nextInBucket != slot { previous = slots[Int(previous)].nextInBucket }
    precondition(previous >= 0, "a process entry is missing from its hash chain")
    slots[Int(previous)].nextInBucket = slots[Int(slot)].nextInBucket
  }

  private mutating func release(_ image: ProcessImage.Reference) {
    if image.pointee.referenceCount == 1 { imageByteCount -= image.pointee.byteCount }
    releaseWithoutCounting(image)
  }

  private func releaseWithoutCounting(_ image: ProcessImage.Reference) {
    image.pointee.referenceCount -= 1
    ProcessImage.freeIfUnused(image)
  }
}
