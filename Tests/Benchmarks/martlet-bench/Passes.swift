// SPDX-License-Identifier: Apache-2.0

import CMeasure
import MartletAgent
import MartletAlerts
import MartletEvents
import MartletMatching
import MartletRules
import MartletState

/// What one pass over a corpus took.
struct Pass {
  var nanoseconds: UInt64 = 0
  var allocations: UInt64 = 0
  /// Something that depends on every event, so that nothing is left out by the optimiser.
  var checksum: UInt64 = 0
}

/// One part of the way, run over a corpus again and again with what it remembers kept.
enum Stage {
  case decode
  case state
  case match(Ruleset)
  /// The same with a clock for what rules cost, as the agent has it.
  case timedMatch(Ruleset)
  /// From bytes to JSON lines.
  case pipeline(Ruleset)

  /// Hands out a function that runs one pass.
  func prepared(for corpus: Corpus) -> () -> Pass {
    switch self {
    case .decode:
      return { Self.measured { Self.decode(corpus) } }
    case .state:
      var state = SystemState()
      return { Self.measured { Self.apply(corpus, &state) } }
    case .match(let ruleset):
      var state = SystemState()
      var matcher = Matcher(MatchPlanner.plan(ruleset))
      return { Self.measured { Self.match(corpus, &state, &matcher) } }
    case .timedMatch(let ruleset):
      var state = SystemState()
      var matcher = Matcher(MatchPlanner.plan(ruleset)) { measure_ticks() }
      return { Self.measured { Self.match(corpus, &state, &matcher) } }
    case .pipeline(let ruleset):
      var pipeline = Pipeline(ruleset)
      var alerts = AlertBuffer()
      return { Self.measured { Self.process(corpus, &pipeline, &alerts) } }
    }
  }

  private static func measured(_ body: () -> UInt64) -> Pass {
    let allocations = measure_allocation_count()
    let start = measure_thread_nanoseconds()
    let checksum = body()
    return Pass(
      nanoseconds: measure_thread_nanoseconds() - start, allocations: measure_allocation_count() - allocations,
      checksum: checksum)
  }

  private static func decode(_ corpus: Corpus) -> UInt64 {
    var sum: UInt64 = 0
    for bytes in corpus.records {
      guard let record = EventRecord(bytes) else { continue }
      sum &+= UInt64(record.kind.rawValue)
    }
    return sum
  }

  private static func apply(_ corpus: Corpus, _ state: inout SystemState) -> UInt64 {
    var sum: UInt64 = 0
    for bytes in corpus.records {
      guard let record = EventRecord(bytes), let context = state.apply(record) else { continue }
      sum &+= UInt64(context.type?.rawValue ?? 0)
    }
    return sum
  }

  private static func match(_ corpus: Corpus, _ state: inout SystemState, _ matcher: inout Matcher) -> UInt64 {
    var sum: UInt64 = 0
    for bytes in corpus.records {
      guard let record = EventRecord(bytes), var context = state.apply(record) else { continue }
      if matcher.match(&context) != .none { sum &+= 1 }
    }
    return sum
  }

  private static func process(_ corpus: Corpus, _ pipeline: inout Pipeline, _ alerts: inout AlertBuffer) -> UInt64 {
    var sum: UInt64 = 0
    corpus.records.withUnsafeBufferPointer { records in
      var next = 0
      while next < records.count {
        next = pipeline.process(EventBatch(records: records), from: next, into: &alerts)
        sum &+= UInt64(alerts.alertCount)
        alerts.removeAll()
      }
    }
    return sum
  }
}

/// The cost of matching alone, by kind of event: the processor's counter is read around each.
struct KindCosts {
  private(set) var ticks = [UInt64](repeating: 0, count: 256)
  private(set) var counts = [UInt64](repeating: 0, count: 256)
  private var overhead: UInt64 = 0
  private var nanosecondsPerTick = 1.0

  init(_ corpus: Corpus, _ ruleset: Ruleset, passes: Int) {
    var state = SystemState()
    var matcher = Matcher(MatchPlanner.plan(ruleset))
    calibrate()
    for pass in 0...passes {
      for bytes in corpus.records {
        guard let record = EventRecord(bytes), var context = state.apply(record) else { continue }
        let start = measure_ticks()
        let result = matcher.match(&context)
        let end = measure_ticks()
        // The first pass warms up. A match costs what it costs to find it; alerts are another row.
        guard pass > 0, result == .none else { continue }
        let spent = end &- start
        // Longer than that is somebody else's turn on the processor.
        guard spent < 200_000 else { continue }
        ticks[Int(record.kind.rawValue)] += spent
        counts[Int(record.kind.rawValue)] += 1
      }
    }
  }

  private mutating func calibrate() {
    overhead = .max
    for _ in 0..<10_000 {
      let start = measure_ticks()
      overhead = min(overhead, measure_ticks() &- start)
    }
    let start = (measure_ticks(), measure_thread_nanoseconds())
    while measure_thread_nanoseconds() - start.1 < 20_000_000 {}
    nanosecondsPerTick = Double(measure_thread_nanoseconds() - start.1) / Double(measure_ticks() - start.0)
  }

  /// Nil where the corpus has none of that kind.
  func nanoseconds(_ kind: EventKind) -> Double? {
    let place = Int(kind.rawValue)
    guard counts[place] > 0 else { return nil }
    return max(0, Double(ticks[place]) / Double(counts[place]) - Double(overhead)) * nanosecondsPerTick
  }
}
