// SPDX-License-Identifier: Apache-2.0

import CMartletABI
public import MartletEvents

/// What a context reads of the state. In one place for the whole run, so that a context is small.
struct StateContent {
  var processes: ProcessLookup
  var containers: UnsafeMutablePointer<Container>
  var names: NameLookup
  var modelOpens: ModelOpenLookup
  var lineageEpoch: UInt64 = 0
  var hostname: ByteView
  var asked: AwaitedNames = []
  /// Of one event alone: see `CapturedEvent`.
  var isCaptured = false
  var realtimeOffsetNanoseconds: Int64 = 0
  var eventNumber: UInt64 = 0
  var streamIdentity = StableHash()
  let scratch: ContextScratch
}

/// The state as a context reads it: free to copy, void after the next `apply`.
struct StateView {
  let content: UnsafePointer<StateContent>

  var processes: ProcessLookup { content.pointee.processes }
  var containers: UnsafeMutablePointer<Container> { content.pointee.containers }
  var names: NameLookup { content.pointee.names }
  var modelOpens: ModelOpenLookup { content.pointee.modelOpens }
  var lineageEpoch: UInt64 { content.pointee.lineageEpoch }
  var hostname: ByteView { content.pointee.hostname }
  var asked: AwaitedNames { content.pointee.asked }
  var realtimeOffsetNanoseconds: Int64 { content.pointee.realtimeOffsetNanoseconds }
  var eventNumber: UInt64 { content.pointee.eventNumber }
  var streamIdentity: StableHash { content.pointee.streamIdentity }
}

/// Where texts are put together that no record and no process holds whole. One for the whole run, used again for
/// every event.
struct ContextScratch {
  let rawName: UnsafeMutablePointer<UInt8>
  let name: UnsafeMutablePointer<UInt8>
  /// Texts of a few dozen bytes at most: see `ContextText`.
  let time: UnsafeMutablePointer<UInt8>
  /// Texts of any length, one behind the other: see `ContextText`.
  let texts: UnsafeMutablePointer<UInt8>
  let ancestors: UnsafeMutablePointer<Int32>

  /// Both forms of a moment, and each with its own end.
  static let timeByteCount = TimeText.timeOfDayByteCount + 2 * (TimeText.dateTimeByteCount + 5)
  private static let nameByteCount = PathText.byteCountMax(
    directory: Int(MARTLET_RECORD_BYTES_MAX), name: Int(MARTLET_RECORD_BYTES_MAX))

  init() {
    rawName = .allocate(capacity: Self.nameByteCount)
    name = .allocate(capacity: Self.nameByteCount)
    time = .allocate(capacity: Self.timeByteCount)
    texts = .allocate(capacity: ContextText.byteCountMax * 2)
    ancestors = .allocate(capacity: SystemState.lineageDepthMax)
  }

  func deallocate() {
    rawName.deallocate()
    name.deallocate()
    time.deallocate()
    texts.deallocate()
    ancestors.deallocate()
  }
}

/// One event and everything that a rule may ask about it.
///
/// Fields are extracted when asked for; what takes work (an assembled path, the chain of ancestors) is kept for the
/// next question. No allocation, no reference count. Holds until the next `apply` of the state that made it.
public struct EventContext {
  /// Nil for a notice, and for a given event that is of no captured type, or of none.
  public let type: EventType?
  let record: EventRecord?
  let slot: Int32
  let state: StateView?
  private let given: Unmanaged<GivenEvent>?
  /// Which name `fd.name`, `fd.directory` and `fd.filename` speak of.
  public var pathView = PathView.spelled
  var spelledName: ByteView?
  var rawName: ByteView?
  /// Where the next text of any length begins.
  var textCount = 0
  private var lineageCount = -1

  init(record: EventRecord, type: EventType?, slot: Int32, state: StateView) {
    self.record = record
    self.type = type
    self.slot = slot
    self.state = state
    given = nil
  }

  /// The caller keeps `event` alive as long as the context is used.
  public init(_ event: GivenEvent) {
    type = event.type
    record = nil
    slot = 0
    state = nil
    given = Unmanaged.passUnretained(event)
  }

  var scratch: ContextScratch? { state?.content.pointee.scratch }

  /// Whether the event was given as values.
  public var isGiven: Bool { given != nil }

  /// CLOCK_REALTIME, in nanoseconds since 1970; 0 before the stream told the clock.
  public var realtimeNanoseconds: Int64 {
    if case .unsigned(let time)? = given?.takeUnretainedValue().value(of: .eventRawTime) {
      return Int64(truncatingIfNeeded: time)
    }
    guard let record, let state else { return 0 }
    return Int64(bitPattern: record.timeNanoseconds) &+ state.realtimeOffsetNanoseconds
  }

  public var hostname: ByteView {
    if case .text(let name)? = given?.takeUnretainedValue().value(of: .eventHostname) { return name }
    return state?.hostname ?? .empty
  }

  /// The same for the same event of the same stream, however often it is replayed, and for no other: from the node, the
  /// stream's beginning and the event's number in it.
  public var identity: StableHash {
    var hash = state?.streamIdentity ?? StableHash()
    if let state { hash.combine(state.eventNumber) }
    if let given { hash.combine(given.takeUnretainedValue().place) }
    return hash
  }

  /// A successful open of something with a path, whose resolved path is another than the spelled one.
  public var hasOtherPathView: Bool {
    mutating get {
      guard type?.kind == .open else { return false }
      if let given = given?.takeUnretainedValue() {
        guard case .text(let resolved) = given.value(of: .fdRealPath) else { return false }
        guard case .text(let spelled) = given.value(of: .fdName) else { return true }
        return spelled != resolved
      }
      guard let resolved = resolvedPath else { return false }
      guard let spelled = spelledPath() else { return true }
      return spelled != resolved
    }
  }

  /// The value of a field, or the one of its values that the selector picks.
  public mutating func value(of field: Field, at selector: FieldSelector = .whole) -> FieldValue {
    if let given { return givenValue(given.takeUnretainedValue(), field, selector) }
    return extract(field, at: selector)
  }

  /// The value of a field with the argument that a rule gives it.
  public mutating func value(of field: Field, _ argument: FieldArgument) -> FieldValue {
    argument.withSelector { value(of: field, at: $0) }
  }

  /// How many ancestors are known for a field of theirs given without index, the process itself not counted.
  public mutating func ancestorCount(for field: Field) -> Int {
    if let given { return max(given.takeUnretainedValue().valueCount(of: field) - 1, 0) }
    return lineage()
  }

  /// How many values a list has, and how many names one thing.
  public func listCount(of field: Field) -> Int {
    given?.takeUnretainedValue().valueCount(of: field) ?? nameCount(of: field)
  }

  private func givenValue(_ event: GivenEvent, _ field: Field, _ selector: FieldSelector) -> FieldValue {
    if pathView == .resolved, case .text(let path) = event.value(of: .fdRealPath) {
      switch field {
      case .fdName: return .text(path)
      case .fdDirectory: return .text(PathText.directory(of: path))
      case .fdFilename: return .text(PathText.filename(of: path))
      default: break
      }
    }
    return event.value(of: field, at: selector)
  }

  // MARK: - Ancestors

  /// Slot of the n-th ancestor, 0 for the process itself; -1 where the chain is shorter.
  mutating func ancestor(_ index: Int) -> Int32 {
    if index == 0 { return slot }
    guard let scratch, index > 0, index <= lineage() else { return -1 }
    return scratch.ancestors[index - 1]
  }

  /// Walks the chain once an event.
  mutating func lineage() -> Int {
    if lineageCount >= 0 { return lineageCount }
    guard let state, let scratch else { return 0 }
    var count = 0
    var slot = state.processes.parent(of: self.slot)
    while slot >= 0, count < SystemState.lineageDepthMax {
      scratch.ancestors[count] = slot
      count += 1
      slot = state.processes.parent(of: slot)
    }
    lineageCount = count
    return count
  }
}
