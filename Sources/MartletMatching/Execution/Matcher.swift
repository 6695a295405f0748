// SPDX-License-Identifier: Apache-2.0

import MartletEvents
public import MartletRules
public import MartletState

/// Runs a plan on events, one after another: first it searches for the rules that may hold, then it judges these.
///
/// No allocation, no reference count while it matches, but where the search meets something new. A matcher follows one
/// `SystemState`, or given events.
///
/// Conditions have their negations at the atoms, so they only get truer when an atom's outcome does. Hence three
/// values cost nothing while nothing is pending: run once with unknown outcomes taken as false; if that accepts, the
/// rule holds. Only if an unknown was met and it rejects, run again with unknown taken as true: rejected again, it is
/// false; accepted, it is unknown. For such conditions this is what Kleene's tables give.
public struct Matcher: ~Copyable {
  private let plan: MatchPlan
  let tables: PlanTables
  /// What each atom came to: the event it was tested on, times four, plus its truth. Two rows, one for each view.
  private let memo: UnsafeMutablePointer<UInt32>
  private var epoch: UInt32 = 0
  var search: CandidateSearch
  var finder: FacetFinder
  private let tallies: RuleTallies

  private static let epochMax = UInt32.max >> 2

  /// Nanoseconds since whenever; never 0.
  public typealias Clock = @convention(c) () -> UInt64

  /// `clock`: for timing rules; without one none is timed.
  public init(_ plan: MatchPlan, clock: Clock? = nil) {
    self.init(plan, limits: CandidateSearch.Limits(), clock: clock)
  }

  init(_ plan: MatchPlan, limits: CandidateSearch.Limits, clock: Clock? = nil) {
    self.plan = plan
    tables = plan.tables
    let count = max(tables.atoms.count * 2, 1)
    memo = .allocate(capacity: count)
    memo.initialize(repeating: 0, count: count)
    search = CandidateSearch(plan, limits: limits)
    finder = FacetFinder(plan)
    tallies = RuleTallies(ruleCount: tables.rules.count, clock: clock)
  }

  deinit {
    memo.deallocate()
  }

  /// Of every rule of the plan, in load order.
  public var ruleStatistics: [RuleStatistics] {
    tables.rules.enumerated().map { tallies.statistics(of: $0, as: $1.id) }
  }

  /// The first rule that holds. Leaves the context in the spelled view.
  public mutating func match(_ context: inout EventContext) -> MatchResult {
    beginEvent()
    var candidates = self.candidates(&context)
    while let rule = nextRule(&candidates) {
      let result = judge(rule, &context)
      if result != .none { return result }
    }
    return .none
  }

  /// Every rule that holds, in load order, and every one that cannot be decided yet. Leaves the context in the spelled
  /// view.
  public mutating func matchAll(
    _ context: inout EventContext, _ report: (MatchResult, inout EventContext) -> Void
  ) {
    beginEvent()
    var candidates = self.candidates(&context)
    while let rule = nextRule(&candidates) {
      let result = judge(rule, &context)
      if result != .none { report(result, &context) }
    }
  }

  /// One rule of the plan, which was undecided before. Leaves the context in the spelled view.
  public mutating func match(_ rule: RuleID, _ context: inout EventContext) -> MatchResult {
    beginEvent()
    guard let index = tables.rules.firstIndex(where: { $0.id == rule }) else { return .none }
    return judge(index, &context)
  }

  // MARK: - Candidates

  /// The rules that may hold under either name of a file, as places in the search.
  private struct Candidates {
    var spelled: Range<Int>
    var resolved: Range<Int>
  }

  @inline(__always)
  private mutating func candidates(_ context: inout EventContext) -> Candidates {
    var hasAskedForPath = false
    let spelled = lead(&context, &hasAskedForPath)
    guard hasAskedForPath, context.hasOtherPathView else { return Candidates(spelled: spelled, resolved: 0..<0) }
    context.pathView = .resolved
    let resolved = lead(&context, &hasAskedForPath)
    context.pathView = .spelled
    return Candidates(spelled: spelled, resolved: resolved)
  }

  /// To the end of the search under one name.
  @inline(__always)
  private mutating func lead(_ context: inout EventContext, _ hasAskedForPath: inout Bool) -> Range<Int> {
    var state = search.root(of: context.type, isGiven: context.isGiven)
    while true {
      let facet = search.facet(at: state)
      guard facet >= 0 else { return search.candidates(at: state) }
      if tables.facets[facet].kind == .path { hasAskedForPath = true }
      state = search.next(state, finding(facet, &context))
    }
  }

  /// The next of both in load order, each rule once.
  @inline(__always)
  private func nextRule(_ candidates: inout Candidates) -> Int? {
    switch (candidates.spelled.first, candidates.resolved.first) {
    case (nil, nil): return nil
    case (let place?, nil):
      candidates.spelled = place + 1..<candidates.spelled.upperBound
      return search.rule(place)
    case (nil, let place?):
      candidates.resolved = place + 1..<candidates.resolved.upperBound
      return search.rule(place)
    case (let first?, let second?):
      let rules = (search.rule(first), search.rule(second))
      if rules.0 <= rules.1 { candidates.spelled = first + 1..<candidates.spelled.upperBound }
      if rules.1 <= rules.0 { candidates.resolved = second + 1..<candidates.resolved.upperBound }
      return min(rules.0, rules.1)
    }
  }

  // MARK: - Judging

  @inline(__always)
  private func judge(_ index: Int, _ context: inout EventContext) -> MatchResult {
    let rule = tables.rules[index]
    let start = tallies.begin(index)
    let result = judge(rule, &context)
    if case .matched = result {
      tallies.end(index, start, hasMatched: true)
    } else {
      tallies.end(index, start, hasMatched: false)
    }
    return result
  }

  @inline(__always)
  private func judge(_ rule: PlannedRule, _ context: inout EventContext) -> MatchResult {
    let spelled = evaluate(rule, &context)
    if spelled == .isTrue { return .matched(rule.id, .spelled) }
    var resolved = Truth.isFalse
    if rule.isPathViewDependent, context.hasOtherPathView {
      context.pathView = .resolved
      resolved = evaluate(rule, &context)
      context.pathView = .spelled
    }
    // It may turn out to hold under the spelled name, which comes first.
    if spelled == .isUnknown { return .undecided(rule.id) }
    if resolved == .isTrue { return .matched(rule.id, .resolved) }
    return resolved == .isUnknown ? .undecided(rule.id) : .none
  }

  private mutating func beginEvent() {
    epoch += 1
    if epoch == Self.epochMax {
      memo.update(repeating: 0, count: max(tables.atoms.count * 2, 1))
      epoch = 1
    }
    if search.isFull {
      search.removeAll()
      finder.removeAll()
    }
  }

  private func evaluate(_ rule: PlannedRule, _ context: inout EventContext) -> Truth {
    var metUnknown = false
    if accepts(rule, &context, takingUnknownAs: false, &metUnknown) { return .isTrue }
    guard metUnknown else { return .isFalse }
    return accepts(rule, &context, takingUnknownAs: true, &metUnknown) ? .isUnknown : .isFalse
  }

  @inline(__always)
  private func accepts(
    _ rule: PlannedRule, _ context: inout EventContext, takingUnknownAs assumption: Bool, _ metUnknown: inout Bool
  ) -> Bool {
    var place = rule.entry
    while place >= 0 {
      let branch = tables.branches[Int(place)]
      let outcome: Bool
      switch truth(of: Int(branch.atom), &context) {
      case .isTrue: outcome = !branch.isNegated
      case .isFalse: outcome = branch.isNegated
      case .isUnknown:
        metUnknown = true
        outcome = assumption
      }
      place = outcome ? branch.ifTrue : branch.ifFalse
    }
    return place == Branch.accept
  }

  func truth(of index: Int, _ context: inout EventContext) -> Truth {
    let atom = tables.atoms[index]
    let isResolved = atom.isPathViewDependent && context.pathView == .resolved
    let place = memo + (isResolved ? index + tables.atoms.count : index)
    if place.pointee >> 2 == epoch, let known = Truth(rawValue: UInt8(place.pointee & 3)) { return known }
    let truth = test(atom, &context)
    place.pointee = epoch << 2 | UInt32(truth.rawValue)
    return truth
  }

  private func test(_ atom: Atom, _ context: inout EventContext) -> Truth {
    switch atom {
    case .field(let atom): test(atom, &context)
    case .operands(let index, _): OperandEvaluator.holds(plan.operandTests[Int(index)], &context)
    }
  }

  @inline(__always)
  private func test(_ atom: FieldAtom, _ context: inout EventContext) -> Truth {
    switch atom.multiplicity {
    case .one: return atom.test.holds(context.value(of: atom.field, at: atom.selector))
    case .ancestors: return testAncestors(atom, &context)
    case .bothEnds: return testEach(atom, 2, &context)
    case .names: return testEach(atom, context.listCount(of: atom.field), &context)
    case .list: return testList(atom, &context)
    }
  }

  private func testAncestors(_ atom: FieldAtom, _ context: inout EventContext) -> Truth {
    var result = Truth.isFalse
    var index = 1
    let count = context.ancestorCount(for: atom.field)
    while index <= count {
      let truth = atom.test.holds(context.value(of: atom.field, at: .index(index)))
      if truth == .isTrue { return .isTrue }
      if truth == .isUnknown { result = .isUnknown }
      index += 1
    }
    return result
  }

  /// Lists are compared with `in`, `intersects` and `exists` only: `in` asks all elements, the others any.
  private func testList(_ atom: FieldAtom, _ context: inout EventContext) -> Truth {
    let count = context.listCount(of: atom.field)
    var result = Truth(atom.asksAll && count > 0)
    for index in 0..<count {
      let truth = atom.test.holds(context.value(of: atom.field, at: .index(index)))
      if truth == Truth(!atom.asksAll) { return truth }
      if truth == .isUnknown { result = .isUnknown }
    }
    return result
  }

  /// Both ends, or all names: `!=` asks each of them, everything else any. One that is missing has no say.
  private func testEach(_ atom: FieldAtom, _ count: Int, _ context: inout EventContext) -> Truth {
    let asksEach = if case .notEqual = atom.test { true } else { false }
    var result = Truth.isFalse
    var isFirst = true
    for index in 0..<count {
      let value = context.value(of: atom.field, at: .index(index))
      if case .missing = value { continue }
      let truth = atom.test.holds(value)
      if truth == Truth(!asksEach) { return truth }
      if isFirst || truth == .isUnknown { result = truth }
      isFirst = false
    }
    return result
  }
}
