// SPDX-License-Identifier: Apache-2.0

public import MartletMatching
public import MartletState

/// Events that wait for what a runtime says about their container: because a rule cannot be decided without it, or because
/// the alert would lack it.
///
/// One queue for both, in the order in which events came. What need not wait any longer becomes due, in that order too, and
/// is taken out one by one. Values in, values out: who holds an event decides, when it is due, what becomes of it.
public struct HeldEvents {
  /// How much may wait at a time. What came first has to go when there is more.
  public struct Limits: Sendable {
    public var eventCountMax: Int
    public var byteCountMax: Int

    public init(eventCountMax: Int = 4096, byteCountMax: Int = 8 << 20) {
      self.eventCountMax = eventCountMax
      self.byteCountMax = byteCountMax
    }
  }

  /// What became of those that had to wait: held = released + timedOut + pushedOut + cutOff + those that still wait.
  public struct Statistics: Equatable, Sendable {
    public var held: UInt64 = 0
    /// Their container's runtime spoke, or nobody knew the container.
    public var released: UInt64 = 0
    /// Nobody spoke in time.
    public var timedOut: UInt64 = 0
    /// They made room for others.
    public var pushedOut: UInt64 = 0
    /// The stream ended, or the rules were exchanged.
    public var cutOff: UInt64 = 0

    public init() {}
  }

  public struct Entry {
    public let event: CapturedEvent
    /// What rules made of it when it came; none for a notice.
    public let results: [MatchResult]
    /// Whether the kernel's filter would have dropped it.
    public let isMarked: Bool

    public init(_ event: CapturedEvent, results: [MatchResult], isMarked: Bool) {
      self.event = event
      self.results = results
      self.isMarked = isMarked
    }
  }

  private let limits: Limits
  private var waiting = Queue()
  private var due = Queue()
  /// Of those that wait.
  public private(set) var byteCount = 0
  /// The first time at which one of them has waited for long enough; the end of time if none waits.
  public private(set) var deadlineNanoseconds = UInt64.max
  public private(set) var statistics = Statistics()

  public init(limits: Limits = Limits()) { self.limits = limits }

  /// How many wait.
  public var count: Int { waiting.count }
  /// How many need not wait any longer.
  public private(set) var dueCount = 0

  public mutating func hold(_ entry: Entry) {
    statistics.held += 1
    waiting.append(entry)
    byteCount += entry.event.byteCount
    deadlineNanoseconds = min(deadlineNanoseconds, entry.event.deadlineNanoseconds)
    while waiting.count > limits.eventCountMax || byteCount > limits.byteCountMax, let first = waiting.popFirst() {
      byteCount -= first.event.byteCount
      statistics.pushedOut += 1
      makeDue(first)
    }
  }

  /// Those have waited for long enough whose deadline this is or was.
  public mutating func expire(at time: UInt64) {
    statistics.timedOut += move { $0.event.deadlineNanoseconds <= time }
  }

  /// Those need not wait any longer whose container is not awaited.
  public mutating func release(unless isAwaited: (CapturedEvent) -> Bool) {
    statistics.released += move { !isAwaited($0.event) }
  }

  /// Nobody waits any longer.
  public mutating func cutOff() { statistics.cutOff += move { _ in true } }

  /// The next one that is due.
  public mutating func popDue() -> Entry? {
    let entry = due.popFirst()
    dueCount = due.count
    return entry
  }

  private mutating func makeDue(_ entry: Entry) {
    due.append(entry)
    dueCount = due.count
  }

  /// How many of them became due. Looks at each: for what happens once a container, not once an event.
  private mutating func move(where isDue: (Entry) -> Bool) -> UInt64 {
    let before = waiting.count
    var rest = Queue()
    byteCount = 0
    deadlineNanoseconds = .max
    while let entry = waiting.popFirst() {
      if isDue(entry) {
        makeDue(entry)
      } else {
        rest.append(entry)
        byteCount += entry.event.byteCount
        deadlineNanoseconds = min(deadlineNanoseconds, entry.event.deadlineNanoseconds)
      }
    }
    waiting = rest
    return UInt64(before - waiting.count)
  }
}

/// First in, first out.
private struct Queue {
  private var entries: [HeldEvents.Entry?] = []
  private var start = 0

  var count: Int { entries.count - start }

  mutating func append(_ entry: HeldEvents.Entry) { entries.append(entry) }

  mutating func popFirst() -> HeldEvents.Entry? {
    guard start < entries.count else { return nil }
    let first = entries[start]
    entries[start] = nil
    start += 1
    // Half of it is empty: what is left moves to the front, which costs each no more than one move.
    if start * 2 > entries.count {
      entries.removeFirst(start)
      start = 0
    }
    return first
  }
}
