// SPDX-License-Identifier: Apache-2.0

public import MartletEvents
public import MartletRules
public import MartletState

/// Walks conditions as they are written: what they mean, said as plainly as possible.
///
/// The oracle for `Matcher`, and the engine where speed does not matter. Missing values make every comparison
/// false, pending ones make it unknown; `and`, `or` and `not` follow Kleene.
public struct ReferenceEvaluator: Sendable {
  private let ruleset: Ruleset

  public init(_ ruleset: Ruleset) { self.ruleset = ruleset }

  /// The first rule that holds. Leaves the context in the spelled view.
  public func match(_ context: inout EventContext) -> MatchResult {
    for rule in ruleset.rules {
      let result = judge(rule, &context)
      if result != .none { return result }
    }
    return .none
  }

  /// Every rule that holds, in load order, and every one that cannot be decided yet.
  public func matches(_ context: inout EventContext) -> [MatchResult] {
    ruleset.rules.map { judge($0, &context) }.filter { $0 != .none }
  }

  private func judge(_ rule: Rule, _ context: inout EventContext) -> MatchResult {
    guard rule.isEnabled, context.type.map(rule.eventTypes.contains) != false else { return .none }
    context.pathView = .spelled
    let spelled = evaluate(rule.condition, &context)
    if spelled == .isTrue { return .matched(rule.id, .spelled) }
    var resolved = Truth.isFalse
    if rule.condition.isPathViewDependent, context.hasOtherPathView {
      context.pathView = .resolved
      resolved = evaluate(rule.condition, &context)
      context.pathView = .spelled
    }
    // It may turn out to hold under the spelled name, which comes first.
    if spelled == .isUnknown { return .undecided(rule.id) }
    if resolved == .isTrue { return .matched(rule.id, .resolved) }
    return resolved == .isUnknown ? .undecided(rule.id) : .none
  }

  /// One condition in the context's current view.
  public func evaluate(_ condition: Condition, _ context: inout EventContext) -> Truth {
    switch condition {
    case .all(let operands):
      var result = Truth.isTrue
      for operand in operands {
        let truth = evaluate(operand, &context)
        if truth == .isFalse { return .isFalse }
        if truth == .isUnknown { result = .isUnknown }
      }
      return result
    case .any(let operands):
      var result = Truth.isFalse
      for operand in operands {
        let truth = evaluate(operand, &context)
        if truth == .isTrue { return .isTrue }
        if truth == .isUnknown { result = .isUnknown }
      }
      return result
    case .not(let operand): return !evaluate(operand, &context)
    case .predicate(let predicate): return evaluate(predicate, &context)
    }
  }

  private func evaluate(_ predicate: Predicate, _ context: inout EventContext) -> Truth {
    guard let reference = predicate.field else { return OperandEvaluator.holds(predicate, &context) }
    let field = reference.field
    switch reference.multiplicity {
    case .one: return test(context.value(of: field, reference.argument), predicate.comparison)
    case .ancestors:
      let count = context.ancestorCount(for: field)
      guard count > 0 else { return .isFalse }
      return any((1...count).map { test(context.value(of: field, at: .index($0)), predicate.comparison) })
    case .list:
      let elements = (0..<context.listCount(of: field)).map { context.value(of: field, at: .index($0)) }
      let results = elements.map { test($0, predicate.comparison) }
      if case .isIn = predicate.comparison { return elements.isEmpty ? .isFalse : !any(results.map { !$0 }) }
      return any(results)
    case .bothEnds, .names:
      let count = reference.multiplicity == .names ? context.listCount(of: field) : 2
      let values = (0..<count).map { context.value(of: field, at: .index($0)) }
      let present = values.filter { if case .missing = $0 { false } else { true } }
      let results = present.map { test($0, predicate.comparison) }
      if case .notEqual = predicate.comparison {
        return present.isEmpty ? .isFalse : !any(results.map { !$0 })
      }
      return any(results)
    }
  }

  func any(_ results: [Truth]) -> Truth {
    if results.contains(.isTrue) { return .isTrue }
    return results.contains(.isUnknown) ? .isUnknown : .isFalse
  }

  private func test(_ value: FieldValue, _ comparison: Comparison) -> Truth {
    switch value {
    case .missing: .isFalse
    case .pending: .isUnknown
    case .text(let text): Truth(ReferenceComparison.holds(text.array, comparison))
    case .signed(let number): Truth(ReferenceComparison.holds(.signed(number), comparison))
    case .unsigned(let number): Truth(ReferenceComparison.holds(.unsigned(number), comparison))
    case .boolean(let flag): Truth(ReferenceComparison.holds(.boolean(flag), comparison))
    case .double(let number): Truth(ReferenceComparison.holds(.double(number), comparison))
    case .address(let address): Truth(ReferenceComparison.holds(.address(address), comparison))
    }
  }
}
