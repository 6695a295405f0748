// SPDX-License-Identifier: Apache-2.0

public import MartletAlerts
public import MartletEvents
public import MartletMatching
public import MartletRules
public import MartletState

/// The one way through: record → state → context → match → alert.
///
/// Pure: the same batches give the same bytes. Whoever owns it brings the records and takes the alerts away.
///
/// An event of a container whose names are on their way waits where rules may hold for it; everything else goes straight
/// through. State is applied when a record comes, never later: what waits is taken out of the state.
public struct Pipeline: ~Copyable {
  private var state: SystemState
  private var rules: JudgingRules
  private var held: HeldEvents
  public private(set) var counters = PipelineCounters()
  private var marksSinceNanoseconds: UInt64 = 0

  /// `explainsAlerts`: alerts say why they were raised.
  public init(
    _ ruleset: Ruleset, limits: StateLimits = StateLimits(), waitLimits: HeldEvents.Limits = HeldEvents.Limits(),
    explainsAlerts: Bool = false
  ) {
    state = SystemState(limits: limits)
    held = HeldEvents(limits: waitLimits)
    rules = JudgingRules(ruleset, explainsAlerts: explainsAlerts)
  }

  /// Judges what comes from now on by other rules; what is known of processes and containers stays. The rules so far
  /// take the others' place, to be let go where that holds nothing up. What waits is decided by them before, all of it,
  /// however full `alerts` is.
  public mutating func exchangeRules(_ others: inout JudgingRules, into alerts: inout AlertBuffer) {
    held.cutOff()
    while let entry = held.popDue() { decide(entry, into: &alerts) }
    swap(&rules, &others)
  }

  /// Marks on earlier records are none of the filter that is in force.
  public mutating func disregardMarks(before time: UInt64) { marksSinceNanoseconds = time }

  /// The matcher and the reference evaluator came to different results.
  public struct EnginesDisagree: Error {}

  public var stateStatistics: StateStatistics { state.statistics }
  public var waitStatistics: HeldEvents.Statistics { held.statistics }

  /// Of every enabled rule, in load order, since these rules are looked for.
  public var ruleStatistics: [(name: String, statistics: RuleStatistics)] {
    rules.matcher.ruleStatistics.map { (rules.names[$0.rule.rawValue], $0) }
  }

  /// As `container.id` would be for a process in these cgroups; nil where neither was announced.
  public func containerID(cgroupID: UInt64, cgroupV1ID: UInt64) -> String? {
    state.containerID(cgroupID: cgroupID, cgroupV1ID: cgroupV1ID)
  }

  /// When time is up for the first event that waits: a tick is needed then, if nothing else happens. Nil if none waits.
  public var waitDeadlineNanoseconds: UInt64? { held.count > 0 ? held.deadlineNanoseconds : nil }

  /// Whether there are events that need not wait any longer, and found no room in the alerts: `process` goes on with them.
  public var hasDue: Bool { held.dueCount > 0 }

  /// At the end of the stream: nothing waits any longer.
  public mutating func endWaits() { held.cutOff() }

  /// Takes records from `first` on until the batch ends or `alerts` is full; returns the index of the first record
  /// that was not taken.
  public mutating func process(_ batch: EventBatch, from first: Int, into alerts: inout AlertBuffer) -> Int {
    var index = first
    while !alerts.isFull {
      if held.dueCount > 0, let entry = held.popDue() {
        decide(entry, into: &alerts)
      } else if index < batch.count {
        if process(batch.records[index], into: &alerts) { index += 1 }
      } else {
        break
      }
    }
    return index
  }

  /// Matches an event that is given as values, by both engines; the state has no part in it.
  public mutating func process(_ event: GivenEvent, into alerts: inout AlertBuffer) throws(EnginesDisagree) {
    defer { withExtendedLifetime(event) {} }
    var context = EventContext(event)
    if let kind = event.type?.kind { counters.count(kind) }
    guard rules.matching == .first else {
      let expected = rules.reference.matches(&context)
      var results: [MatchResult] = []
      rules.matcher.matchAll(&context) { result, _ in results.append(result) }
      guard results == expected else { throw EnginesDisagree() }
      return actOnAll(&context, into: &alerts)
    }
    let result = rules.matcher.match(&context)
    guard rules.reference.match(&context) == result else { throw EnginesDisagree() }
    act(on: result, &context, into: &alerts)
  }

  /// False where others have to be decided first: the record was not taken.
  private mutating func process(_ bytes: UnsafeRawBufferPointer, into alerts: inout AlertBuffer) -> Bool {
    guard let record = EventRecord(bytes) else {
      counters.malformed += 1
      return true
    }
    if record.timeNanoseconds >= held.deadlineNanoseconds {
      held.expire(at: record.timeNanoseconds)
      if held.dueCount > 0 { return false }
    }
    counters.count(record.kind)
    let matchedBefore = counters.matched
    let isMarked = record.isUnwanted && record.timeNanoseconds >= marksSinceNanoseconds
    defer { if isMarked { counters.countMarked(isMatched: counters.matched != matchedBefore) } }
    guard var context = state.apply(record) else {
      switch record.kind {
      case .container, .inquiry, .accounts: Self.release(&held, state, rules.awaited)
      default: break
      }
      return true
    }
    if let notice = Notice(record) {
      if context.awaits(rules.awaited) {
        hold([], &context, isMarked: false)
      } else {
        NoticeComposer.compose(notice, &context, into: &alerts)
      }
    } else if record.kind.isMatched {
      judge(&context, isMarked: isMarked, into: &alerts)
    }
    return true
  }

  @inline(__always)
  private mutating func judge(_ context: inout EventContext, isMarked: Bool, into alerts: inout AlertBuffer) {
    switch rules.matching {
    case .first:
      let result = rules.matcher.match(&context)
      if result != .none, context.awaits(rules.awaited) { return hold([result], &context, isMarked: isMarked) }
      act(on: result, &context, into: &alerts)
    case .all:
      guard context.awaits(rules.awaited) else { return actOnAll(&context, into: &alerts) }
      var results: [MatchResult] = []
      rules.matcher.matchAll(&context) { result, _ in results.append(result) }
      if !results.isEmpty { return hold(results, &context, isMarked: isMarked) }
      counters.notMatched += 1
    }
  }

  // MARK: - What waits

  /// To be decided when it is known whose it is. It is not counted as matched or otherwise before that.
  private mutating func hold(_ results: [MatchResult], _ context: inout EventContext, isMarked: Bool) {
    guard let event = context.capture() else {
      preconditionFailure("an event without a record waits for its container")
    }
    held.hold(HeldEvents.Entry(event, results: results, isMarked: isMarked))
  }

  /// Those go on of whose container everything was said, or is known to nobody.
  private static func release(_ held: inout HeldEvents, _ state: borrowing SystemState, _ names: AwaitedNames) {
    held.release { state.awaits(names, for: $0) }
  }

  /// What held or did not when it came still does: only what was unknown is judged again.
  private mutating func decide(_ entry: HeldEvents.Entry, into alerts: inout AlertBuffer) {
    defer { withExtendedLifetime(entry) {} }
    var context = state.context(of: entry.event)
    if let notice = Notice(entry.event.record) { return NoticeComposer.compose(notice, &context, into: &alerts) }
    let matchedBefore = counters.matched
    defer { if entry.isMarked, counters.matched != matchedBefore { counters.markedMatched += 1 } }
    switch rules.matching {
    case .first:
      // Behind a rule that was unknown, others may hold.
      if case .matched = entry.results[0] { return act(on: entry.results[0], &context, into: &alerts) }
      act(on: rules.matcher.match(&context), &context, into: &alerts)
    case .all:
      var hasMatched = false
      for result in entry.results {
        let result = if case .undecided(let rule) = result { rules.matcher.match(rule, &context) } else { result }
        guard case .matched(let rule, let view) = result else { continue }
        hasMatched = true
        rules.composer.compose(rule, under: view, &context, into: &alerts)
      }
      if hasMatched { counters.matched += 1 } else { counters.notMatched += 1 }
    }
  }

  /// An event counts once, whatever number of rules hold for it.
  private mutating func actOnAll(_ context: inout EventContext, into alerts: inout AlertBuffer) {
    var hasMatched = false
    var isUndecided = false
    let composer = rules.composer
    rules.matcher.matchAll(&context) { result, context in
      guard case .matched(let rule, let view) = result else {
        isUndecided = true
        return
      }
      hasMatched = true
      composer.compose(rule, under: view, &context, into: &alerts)
    }
    if hasMatched {
      counters.matched += 1
    } else if isUndecided {
      counters.undecided += 1
    } else {
      counters.notMatched += 1
    }
  }

  @inline(__always)
  private mutating func act(on result: MatchResult, _ context: inout EventContext, into alerts: inout AlertBuffer) {
    switch result {
    case .none: counters.notMatched += 1
    case .undecided: counters.undecided += 1
    case .matched(let rule, let view):
      counters.matched += 1
      rules.composer.compose(rule, under: view, &context, into: &alerts)
    }
  }
}

/// What became of every record that reached the pipeline:
/// records = malformed + sum of `events`; events that rules are tried on = matched + notMatched + undecided + those that
/// wait.
public struct PipelineCounters: Equatable, Sendable {
  /// By kind, in the order of `EventKind.allCases`.
  public private(set) var events = [UInt64](repeating: 0, count: EventKind.allCases.count)
  /// Bytes that were no record.
  public internal(set) var malformed: UInt64 = 0
  public internal(set) var matched: UInt64 = 0
  public internal(set) var notMatched: UInt64 = 0
  /// Records that the kernel's filter marked as ones that no rule matches, and those of them that one did: it is wrong.
  public internal(set) var marked: UInt64 = 0
  public internal(set) var markedMatched: UInt64 = 0
  /// A value was pending that decides which rule holds.
  public internal(set) var undecided: UInt64 = 0

  public init() {}

  public var eventCount: UInt64 { events.reduce(0, +) }

  public func count(of kind: EventKind) -> UInt64 { events[Self.places[Int(kind.rawValue)]] }

  mutating func countMarked(isMatched: Bool) {
    marked += 1
    if isMatched { markedMatched += 1 }
  }

  mutating func count(_ kind: EventKind) { events[Self.places[Int(kind.rawValue)]] += 1 }

  /// From a kind's raw value to its place in `events`.
  private static let places: [Int] = {
    let largest = EventKind.allCases.map { Int($0.rawValue) }.max() ?? 0
    var places = [Int](repeating: 0, count: largest + 1)
    for (place, kind) in EventKind.allCases.enumerated() { places[Int(kind.rawValue)] = place }
    return places
  }()
}
