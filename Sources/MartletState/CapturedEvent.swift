// SPDX-License-Identifier: Apache-2.0

import CMartletABI
public import MartletEvents

/// An event with all of the state that rules and alerts may ask about it, by value: the state goes on changing, this does
/// not. Only what is known of its container is looked up anew, by `SystemState.context(of:)`.
///
/// A state in small: the record, the process with its ancestors and the others that the event names, the names of its
/// addresses, the model that the process opened last, the host. Texts of programs never change and are shared with the
/// processes that run them.
public final class CapturedEvent {
  /// Up to when its container is waited for.
  public let deadlineNanoseconds: UInt64
  /// Bytes that it keeps, shared ones included.
  public let byteCount: Int
  let container: ContainerIndex
  let containerGeneration: UInt32
  public let record: EventRecord
  private let recordMemory: UnsafeMutableRawBufferPointer
  private let processes: UnsafeMutableBufferPointer<Process>
  private let bucket: UnsafeMutablePointer<Int32>
  private let containers: UnsafeMutableBufferPointer<Container>
  /// The acting process among `processes`.
  private let actor: Int
  private let texts: UnsafeMutableBufferPointer<UInt8>
  private let content: UnsafeMutablePointer<StateContent>

  /// The place of its container among `containers`, behind those that every table has.
  private static let containerPlace = ContainerTable.reservedCount

  /// `slots`: the stand-in's, up to `actor` the acting process, its ancestors, and others. `found`: places in `slots` that
  /// are found by their ids.
  fileprivate init(
    _ original: EventRecord, _ state: StateView, slots: [Int32], actor: Int, ancestorCount: Int, found: [Int],
    addresses: [IPAddress], network: UInt32
  ) {
    self.actor = actor
    recordMemory = .allocate(byteCount: original.bytes.count, alignment: MemoryLayout<UInt64>.alignment)
    recordMemory.copyMemory(from: original.bytes)
    guard let record = EventRecord(UnsafeRawBufferPointer(recordMemory)) else {
      preconditionFailure("the copy of a record is no record")
    }
    self.record = record

    processes = .allocate(capacity: slots.count)
    var imageByteCount = 0
    for (place, slot) in slots.enumerated() {
      let hasParent = place >= actor && place < actor + ancestorCount
      let parent = hasParent ? ProcessReference(slot: Int32(place + 1), generation: 0) : .gone
      let known = place < actor ? Process() : (state.processes.slots + Int(slot)).pointee
      let process = known.captured(below: parent)
      if let image = process.image {
        ProcessImage.hold(image)
        imageByteCount += image.pointee.byteCount
      }
      processes.initializeElement(at: place, to: process)
    }
    bucket = .allocate(capacity: 1)
    bucket.initialize(to: -1)
    for place in found {
      processes[place].nextInBucket = bucket.pointee
      bucket.pointee = Int32(place)
    }

    container = (state.processes.slots + Int(slots[actor])).pointee.container
    let known = state.containers[Int(container.rawValue)]
    containerGeneration = known.generation
    deadlineNanoseconds = known.awaitedUntilNanoseconds
    let names = [known.id, known.podUID, known.unifiedCgroup, known.legacyCgroup, state.hostname]
    texts = .allocate(capacity: names.reduce(0) { $0 + ($1?.count ?? 0) })
    containers = .allocate(capacity: Self.containerPlace + 1)
    var end = 0
    for place in 0..<Self.containerPlace {
      containers.initializeElement(at: place, to: state.containers[place].captured(in: nil, &end))
    }
    containers.initializeElement(at: Self.containerPlace, to: known.captured(in: texts, &end))
    processes[actor].container =
      container.rawValue < Self.containerPlace ? container : ContainerIndex(rawValue: Int32(Self.containerPlace))

    content = .allocate(capacity: 1)
    content.initialize(to: state.content.pointee)
    content.pointee.isCaptured = true
    content.pointee.hostname = texts.keep(state.hostname, &end)
    let modelOpen = processes[actor].modelOpen
    content.pointee.modelOpens = ModelOpenLookup(copying: state.modelOpens, modelOpen)
    if modelOpen.place >= 0 { processes[actor].modelOpen.place = 0 }
    content.pointee.names = NameLookup(copying: state.names, of: addresses, in: network, at: record.timeNanoseconds)
    guard let slots = processes.baseAddress, let containers = containers.baseAddress else {
      preconditionFailure("a captured event has no process")
    }
    content.pointee.processes = ProcessLookup(slots: slots, buckets: bucket, bucketMask: 0)
    content.pointee.containers = containers
    let nameCount = addresses.reduce(0) { $0 + state.names.count(of: $1, in: network, at: original.timeNanoseconds) }
    byteCount =
      recordMemory.count + processes.count * MemoryLayout<Process>.stride + imageByteCount + texts.count
      + NameLookup.byteCount(nameCount) + state.modelOpens.byteCount(of: modelOpen) + Self.fixedByteCount
  }

  /// Of what each has, whatever the event, and of what keeps all that together, roughly.
  private static let fixedByteCount =
    MemoryLayout<StateContent>.stride + (containerPlace + 1) * MemoryLayout<Container>.stride + 256

  deinit {
    for process in processes { if let image = process.image { ProcessImage.letGo(image) } }
    content.pointee.names.deallocate()
    content.pointee.modelOpens.deallocate()
    content.deallocate()
    containers.deallocate()
    texts.deallocate()
    bucket.deallocate()
    processes.deallocate()
    recordMemory.deallocate()
  }

  /// The event, in a container of which is known what is known of this one.
  func context(showing container: Container?) -> EventContext {
    containers[Self.containerPlace].showFacts(of: container)
    return EventContext(record: record, type: record.type, slot: Int32(actor), state: StateView(content: content))
  }
}

extension EventContext {
  /// The event with all that may be asked about it; nil for one that was given as values. Allocates.
  public mutating func capture() -> CapturedEvent? {
    guard let record, let state, let scratch else { return nil }
    let ancestorCount = lineage()
    var slots = slot == ProcessTable.overflowSlot ? [slot] : [ProcessTable.overflowSlot, slot]
    let actor = slots.count - 1
    for index in 0..<ancestorCount { slots.append(scratch.ancestors[index]) }
    var found: [Int] = []
    for id in namedProcesses(record) where id != 0 {
      let slot = state.processes.find(id)
      guard slot >= 0 else { continue }
      let place = slots[actor...].firstIndex(of: slot) ?? slots.count
      if place == slots.count { slots.append(slot) }
      if !found.contains(place) { found.append(place) }
    }
    var addresses: [IPAddress] = []
    var network: UInt32 = 0
    if record.kind == .connect {
      let part = record.connect.pointee
      network = part.network_namespace
      for field in [Field.fdLocalName, .fdRemoteName] {
        if let address = namedAddress(field, part), !addresses.contains(address) { addresses.append(address) }
      }
    }
    return CapturedEvent(
      record, state, slots: slots, actor: actor, ancestorCount: ancestorCount, found: found, addresses: addresses,
      network: network)
  }

  /// Ids by which fields of the event look for processes.
  private func namedProcesses(_ record: EventRecord) -> [UInt32] {
    var ids = [process.pointee.sessionID, process.pointee.processGroupID]
    switch record.kind {
    case .exec:
      let part = record.process.pointee
      ids += [part.parent_id, part.process_group_id, part.namespace_process_group_id]
    case .call:
      guard let type else { break }
      for parameter in CallParameter.all(of: type) {
        guard case .process = parameter.form, case .signed(let number) = rawValue(of: parameter, record) else {
          continue
        }
        ids += UInt32(exactly: number).map { [$0] } ?? []
      }
    default: break
    }
    return ids
  }
}

extension ProcessReference {
  /// To a process that was known and is no more; of captured ones, to one that nobody knows.
  fileprivate static let gone = ProcessReference(slot: 0, generation: .max)
}

extension Process {
  /// As it is among captured ones.
  fileprivate func captured(below parent: ProcessReference) -> Process {
    var copy = self
    copy.generation = 0
    copy.parent = parent
    copy.nextInBucket = -1
    copy.container = .host
    return copy
  }
}

extension Container {
  /// What its cgroup's name tells, with the texts in `memory`, or where they are for as long as any table lives.
  fileprivate func captured(in memory: UnsafeMutableBufferPointer<UInt8>?, _ end: inout Int) -> Container {
    let id = memory?.keep(id, &end) ?? id
    func kept(_ text: ByteView?) -> ByteView? { text.map { memory?.keep($0, &end) ?? $0 } }
    return Container(
      id: id, shortID: id.slice(from: 0, to: shortID.count), type: type, podUID: kept(podUID),
      unifiedCgroup: kept(unifiedCgroup), legacyCgroup: kept(legacyCgroup))
  }
}

extension UnsafeMutableBufferPointer<UInt8> {
  /// A copy of the text behind what was kept before.
  fileprivate func keep(_ text: ByteView, _ end: inout Int) -> ByteView {
    precondition(end + text.count <= count, "a captured event's memory is too small for its texts")
    guard let baseAddress, text.count > 0 else { return .empty }
    let start = baseAddress + end
    start.update(from: text.start, count: text.count)
    end += text.count
    return ByteView(start: start, count: text.count)
  }
}
