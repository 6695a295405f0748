// SPDX-License-Identifier: Apache-2.0

import CMeasure
import Glibc
import MartletEvents
import MartletMatching
import MartletRules
import MartletState

/// How cost and memory grow with rules, items of a list, processes and containers: nanoseconds an event for matching
/// alone, on the mix, and how much anonymous memory a plan and its matcher, or a state, come to take.
struct ScalingReport {
  let base: Ruleset

  func run() {
    print("what               count   plan ms  match ns  first ns       MiB")
    let mix = Corpus.mix()
    for count in [1, 10, 100, 1000, 10_000] {
      measure("rules", count, mix, RuleSuite.made(count, from: base).ruleset, StateLimits())
    }
    for count in [10, 1000, 100_000, 1_000_000] { measure("list items", count, mix, list(of: count), StateLimits()) }
    for count in [10, 1000, 100_000] { measure("networks", count, mix, networks(count), StateLimits()) }
    let limits = StateLimits(processCountMax: 250_000, containerCountMax: 8192)
    for count in [200, 2000, 20_000, 200_000] {
      measure("processes", count, Corpus.mix(processCount: count), base, limits)
    }
    for count in [1, 50, 500, 5000] {
      measure("containers", count, Corpus.mix(processCount: 20_000, containerCount: count), base, limits)
    }
  }

  /// One rule that asks whether a file has one of so many names, and whether a program has.
  private func list(of count: Int) -> Ruleset {
    let names = (0..<count).map { Constant.text(Array("/srv/list/item-\($0)".utf8)) }
    return rules([Field.fdName, .processExePath].map { ($0, .isIn(names)) })
  }

  /// One rule that asks whether a connection goes to one of so many networks.
  private func networks(_ count: Int) -> Ruleset {
    let networks = (0..<UInt32(count)).compactMap { index in
      IPNetwork(address: IPAddress(v4: 0x6400_0000 | index << 4), prefixBitCount: 29)
    }
    return rules([(.fdServerAddress, .isIn(networks.map { .network($0) }))])
  }

  /// One rule that holds where one of these does.
  private func rules(_ tests: [(field: Field, comparison: Comparison)]) -> Ruleset {
    let rule = base.rules[0]
    let predicates = tests.map { test in
      Condition.predicate(
        Predicate(
          left: .field(FieldReference(test.field)), comparison: test.comparison,
          span: SourceSpan(start: rule.location, end: rule.location), text: "\(test.field) in …"))
    }
    return Ruleset(rules: [
      Rule(
        id: RuleID(rawValue: 0), name: "list", description: "", condition: .any(predicates), output: rule.output,
        priority: rule.priority, tags: [], source: rule.source, isEnabled: true, eventTypes: .all,
        location: rule.location)
    ])
  }

  private func measure(_ what: String, _ count: Int, _ corpus: Corpus, _ ruleset: Ruleset, _ limits: StateLimits) {
    measure_trim_memory()
    let memory = Self.anonymousByteCount()
    let planning = measure_thread_nanoseconds()
    let plan = MatchPlanner.plan(ruleset)
    let planned = measure_thread_nanoseconds() - planning
    var matcher = Matcher(plan)
    var state = Self.state(corpus, limits)
    let first = Self.pass(corpus, &state) { _ = matcher.match(&$0) }
    let matched = (0..<5).map { _ in Self.pass(corpus, &state) { _ = matcher.match(&$0) } }.min() ?? 0
    measure_trim_memory()
    let grown = Self.anonymousByteCount() - memory
    var other = Self.state(corpus, limits)
    let rest = (0...5).map { _ in Self.pass(corpus, &other) { _ in } }.min() ?? 0
    let columns = [
      what.padded(-10), String(count).padded(14), (Double(planned) / 1e6).rounded1.padded(10),
      (matched - rest).rounded1.padded(10), (first - rest).rounded1.padded(10),
      (Double(max(0, grown)) / 1_048_576).rounded1.padded(10),
    ]
    print(columns.joined())
  }

  private static func state(_ corpus: Corpus, _ limits: StateLimits) -> SystemState {
    var state = SystemState(limits: limits)
    for bytes in corpus.records.prefix(corpus.setUpCount) {
      guard let record = EventRecord(bytes) else { continue }
      _ = state.apply(record)
    }
    return state
  }

  /// Nanoseconds an event, with matching or without.
  private static func pass(
    _ corpus: Corpus, _ state: inout SystemState, _ match: (inout EventContext) -> Void
  ) -> Double {
    var count = 0
    let start = measure_thread_nanoseconds()
    for bytes in corpus.records.dropFirst(corpus.setUpCount) {
      guard let record = EventRecord(bytes), var context = state.apply(record) else { continue }
      match(&context)
      count += 1
    }
    return Double(measure_thread_nanoseconds() - start) / Double(max(count, 1))
  }

  private static func anonymousByteCount() -> Int {
    guard let file = fopen("/proc/self/status", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, 256, file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      guard text.hasPrefix("RssAnon:") else { continue }
      return (Int(text.filter(\.isNumber)) ?? 0) * 1024
    }
    return 0
  }
}

extension String {
  /// To the right in so many columns; to the left where negative.
  fileprivate func padded(_ width: Int) -> String {
    let space = String(repeating: " ", count: max(0, abs(width) - count))
    return width < 0 ? self + space : space + self
  }
}
