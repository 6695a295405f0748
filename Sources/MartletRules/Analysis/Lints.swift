// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Advice on rules that are right and will hardly do what was meant. Never an error, and never among what Falco says.
struct Lints {
  private let rules: [Rule]
  private let matching: RuleMatching
  /// Comparisons that may still be made: advice must not take longer than compiling.
  private var budget = 200_000

  init(_ rules: [Rule], _ matching: RuleMatching) {
    self.rules = rules
    self.matching = matching
  }

  func report(into log: inout DiagnosticLog, sources: [SourceFile]) {
    guard !log.hasErrors else { return }
    var lints = self
    let index = Dictionary(sources.enumerated().map { ($1.path, $0) }) { first, _ in first }
    lints.reportNeverFiring(into: &log, index)
    lints.reportLongNames(into: &log, index)
    if matching == .first { lints.reportShadowed(into: &log, index) }
  }

  private static func place(_ span: SourceSpan, _ index: [String: Int]) -> FileRange? {
    index[span.path].map { FileRange(source: $0, range: span.offsets) }
  }

  // MARK: Rules without events

  /// Rules that ask for what is not captured. One that no event of Falco's satisfies either is meant so, or has been
  /// reported.
  private func reportNeverFiring(into log: inout DiagnosticLog, _ index: [String: Int]) {
    for rule in rules where rule.isEnabled && rule.liveCoverage.extent == .none {
      guard let source = index[rule.location.path] else { continue }
      let names = EventTypeAnalysis.names(of: rule.condition)
      guard names != .empty else { continue }
      let missing = rule.eventTypes.isEmpty ? names.names : rule.liveCoverage.missingInCondition
      log.report(
        .neverFires,
        "rule '\(rule.name)' never fires on a live node: "
          + Self.uncaptured(missing, rule.eventTypes.isEmpty ? "event" : "field"),
        at: Self.name(of: rule, source), "nothing that is captured satisfies it",
        help: [Suggestion("ask for what is captured, or switch the rule off")])
    }
  }

  private static let namesMax = 3

  private static func uncaptured(_ names: [String], _ noun: String) -> String {
    let shown = names.prefix(namesMax).map { "'\($0)'" }.joined(separator: ", ")
    let more = names.count - namesMax
    return names.count == 1
      ? "the \(noun) \(shown) is not captured"
      : "the \(noun)s \(shown)\(more > 0 ? " and \(more) more" : "") are not captured"
  }

  // MARK: Names of processes

  /// The kernel keeps fifteen bytes of a process's name.
  private static let nameBytesMax = 15
  private static let nameFields: Set<String> = ["proc.name", "proc.pname", "proc.aname"]

  private func reportLongNames(into log: inout DiagnosticLog, _ index: [String: Int]) {
    var seen: Set<SourceSpan> = []
    for rule in rules {
      for predicate in Self.predicates(of: rule.condition) {
        guard let field = predicate.field?.field.description.name, Self.nameFields.contains("\(field)"),
          let name = Self.texts(of: predicate.comparison).first(where: { $0.count > Self.nameBytesMax }),
          seen.insert(predicate.span).inserted, let place = Self.place(predicate.span, index)
        else { continue }
        log.report(
          .nameTooLong, "'\(field)' is never '\(name.string)'", at: place,
          "'\(name.string)' has \(name.count) bytes, and the kernel keeps \(Self.nameBytesMax)",
          help: [Suggestion("write '\(name.prefix(Self.nameBytesMax).string)', or compare 'proc.exepath'")])
      }
    }
  }

  private static func predicates(of condition: Condition) -> [Predicate] {
    var open = [condition]
    var found: [Predicate] = []
    while let next = open.popLast() {
      switch next {
      case .all(let operands), .any(let operands): open += operands
      case .not(let operand): open.append(operand)
      case .predicate(let predicate): found.append(predicate)
      }
    }
    return found
  }

  /// Texts that a value would have to be, or to begin with.
  private static func texts(of comparison: Comparison) -> [[UInt8]] {
    let constants: [Constant] =
      switch comparison {
      case .equal(let constant): [constant]
      case .isIn(let constants), .intersects(let constants): constants
      case .startsWith(let text): [.text(text)]
      default: []
      }
    return constants.compactMap { if case .text(let bytes) = $0 { bytes } else { nil } }
  }

  // MARK: Rules behind others

  /// A rule that holds only where an earlier one does never fires.
  private mutating func reportShadowed(into log: inout DiagnosticLog, _ index: [String: Int]) {
    for (number, rule) in rules.enumerated() where rule.isEnabled {
      for earlier in rules[..<number] where earlier.isEnabled {
        guard budget > 0 else { return }
        budget -= 1
        guard rule.eventTypes.isSubset(of: earlier.eventTypes), rule.source == earlier.source,
          Implication.holds(rule.condition, earlier.condition, &budget), let source = index[rule.location.path],
          let earlierSource = index[earlier.location.path]
        else { continue }
        log.report(
          .shadowedRule, "rule '\(rule.name)' never fires: '\(earlier.name)' holds wherever it does, and comes first",
          at: Self.name(of: rule, source), "behind a weaker rule",
          related: [SourceLabel(log.span(Self.name(of: earlier, earlierSource)), "comes first")],
          help: [Suggestion("make the first one narrower, put this one before it, or run with '--rule-matching all'")])
        break
      }
    }
  }

  private static func name(of rule: Rule, _ source: Int) -> FileRange {
    let start = rule.location.offset
    return FileRange(source: source, range: start..<start + rule.name.utf8.count)
  }
}

/// Whether one condition holds wherever another does, as far as their shapes say: no is not sure.
enum Implication {
  private static let depthMax = 64

  static func holds(_ narrow: Condition, _ wide: Condition, _ budget: inout Int, depth: Int = 0) -> Bool {
    budget -= 1
    guard budget > 0, depth < depthMax else { return false }
    switch (narrow, wide) {
    case (.any(let operands), _): return operands.allSatisfy { holds($0, wide, &budget, depth: depth + 1) }
    case (_, .all(let operands)): return operands.allSatisfy { holds(narrow, $0, &budget, depth: depth + 1) }
    case (.not(let inner), .not(let other)) where holds(other, inner, &budget, depth: depth + 1): return true
    case (.predicate(let predicate), .predicate(let other)): return holds(predicate, other)
    default: break
    }
    if case .any(let operands) = wide, operands.contains(where: { holds(narrow, $0, &budget, depth: depth + 1) }) {
      return true
    }
    guard case .all(let operands) = narrow else { return false }
    return operands.contains { holds($0, wide, &budget, depth: depth + 1) }
  }

  private static func holds(_ narrow: Predicate, _ wide: Predicate) -> Bool {
    guard narrow.left == wide.left else { return false }
    switch (narrow.comparison, wide.comparison) {
    case (let same, let other) where same == other: return true
    case (.equal(let constant), .isIn(let constants)): return constants.contains(constant)
    case (.isIn(let some), .isIn(let all)): return !some.isEmpty && Set(some).isSubset(of: all)
    case (.equal(.text(let text)), .startsWith(let prefix)): return text.starts(with: prefix)
    case (.startsWith(let text), .startsWith(let prefix)): return text.starts(with: prefix)
    default: return false
    }
  }
}
