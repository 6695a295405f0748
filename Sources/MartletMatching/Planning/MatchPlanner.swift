// SPDX-License-Identifier: Apache-2.0

import MartletEvents
public import MartletRules

/// Turns the enabled rules of a rule set into a plan.
///
/// Each distinct predicate becomes one atom. Each condition becomes branches, `not` pushed down to the atoms, built
/// from its last operand to its first so that every branch knows where it leads.
public struct MatchPlanner {
  private struct AtomKey: Hashable {
    var left: Operand
    var comparison: Comparison
  }

  private let arena = PlanArena()
  private var atomIndices: [AtomKey: UInt32] = [:]
  private var atoms: [Atom] = []
  private var facets = FacetPlanner()
  private var operandTests: [Predicate] = []
  private var branches: [Branch] = []

  /// Lists longer than this become hash sets.
  private static let comparedInTurnCountMax = 4

  private init() {}

  public static func plan(_ ruleset: Ruleset) -> MatchPlan {
    var planner = MatchPlanner()
    return planner.makePlan(ruleset.rules.filter { $0.isEnabled })
  }

  private mutating func makePlan(_ enabled: [Rule]) -> MatchPlan {
    let shapes = enabled.map { shape($0.condition) }
    let rules = zip(enabled, shapes).map { rule, shape in
      PlannedRule(
        id: rule.id, entry: emit(shape, ifTrue: Branch.accept, ifFalse: Branch.reject),
        isPathViewDependent: rule.condition.isPathViewDependent)
    }
    let typeCount = 1 + (EventType.allCases.map { Int($0.rawValue) }.max() ?? 0)
    var candidateRanges = [Range<Int>](repeating: 0..<0, count: typeCount)
    var candidates = enabled.indices.map { Int32($0) }
    candidateRanges[0] = 0..<candidates.count
    for type in EventType.allCases {
      let first = candidates.count
      candidates += enabled.indices.filter { enabled[$0].eventTypes.contains(type) }.map { Int32($0) }
      candidateRanges[Int(type.rawValue)] = first..<candidates.count
    }
    let (facets, indexes, places) = facets.facets(atoms, in: arena)
    let tables = PlanTables(
      atoms: arena.keep(atoms), facets: arena.keep(facets), indexes: arena.keep(indexes),
      atomPlaces: arena.keep(places), branches: arena.keep(branches), rules: arena.keep(rules),
      candidateRanges: arena.keep(candidateRanges), candidates: arena.keep(candidates))
    return MatchPlan(tables, shapes: shapes, operandTests: operandTests, arena: arena)
  }

  // MARK: - Conditions

  private mutating func shape(_ condition: Condition, isNegated: Bool = false) -> RuleShape {
    switch condition {
    case .not(let operand): return shape(operand, isNegated: !isNegated)
    case .all(let operands):
      let shapes = operands.map { shape($0, isNegated: isNegated) }
      return isNegated ? .any(shapes) : .all(shapes)
    case .any(let operands):
      let shapes = operands.map { shape($0, isNegated: isNegated) }
      return isNegated ? .all(shapes) : .any(shapes)
    case .predicate(let predicate): return .atom(atom(for: predicate), isNegated: isNegated)
    }
  }

  /// Returns where to begin with this condition. Built from its last operand to its first, so that every branch knows
  /// where it leads.
  private mutating func emit(_ shape: RuleShape, ifTrue: Int32, ifFalse: Int32) -> Int32 {
    switch shape {
    case .all(let operands):
      return operands.reversed().reduce(ifTrue) { emit($1, ifTrue: $0, ifFalse: ifFalse) }
    case .any(let operands):
      return operands.reversed().reduce(ifFalse) { emit($1, ifTrue: ifTrue, ifFalse: $0) }
    case .atom(let atom, let isNegated):
      branches.append(Branch(atom: atom, isNegated: isNegated, ifTrue: ifTrue, ifFalse: ifFalse))
      return Int32(branches.count - 1)
    }
  }

  // MARK: - Atoms

  private mutating func atom(for predicate: Predicate) -> UInt32 {
    let key = AtomKey(left: predicate.left, comparison: predicate.comparison)
    if let known = atomIndices[key] { return known }
    atoms.append(newAtom(for: predicate))
    let index = UInt32(atoms.count - 1)
    if let reference = predicate.field {
      facets.add(index, reference.field, reference.argument, reference.multiplicity)
    }
    atomIndices[key] = index
    return index
  }

  private mutating func newAtom(for predicate: Predicate) -> Atom {
    guard let reference = predicate.field else {
      operandTests.append(predicate)
      return .operands(Int32(operandTests.count - 1), isPathViewDependent: predicate.isPathViewDependent)
    }
    return .field(
      FieldAtom(
        field: reference.field, selector: selector(for: reference.argument),
        multiplicity: reference.multiplicity, isPathViewDependent: predicate.isPathViewDependent,
        asksAll: predicate.comparison.isMembership, test: test(for: predicate.comparison)))
  }

  private func selector(for argument: FieldArgument) -> FieldSelector {
    switch argument {
    case .none: .whole
    case .index(let index): .index(index)
    case .key(let key): .key(arena.keep(key))
    }
  }

  private func test(for comparison: Comparison) -> AtomTest {
    switch comparison {
    case .exists: .exists
    case .equal(let constant): .equal(planned(constant))
    case .notEqual(let constant): .notEqual(planned(constant))
    case .less(let constant): .ordered(planned(constant), .less)
    case .lessOrEqual(let constant): .ordered(planned(constant), .lessOrEqual)
    case .greater(let constant): .ordered(planned(constant), .greater)
    case .greaterOrEqual(let constant): .ordered(planned(constant), .greaterOrEqual)
    case .isIn(let constants), .intersects(let constants): membership(constants)
    case .contains(let part): .contains(arena.keep(part))
    case .containsIgnoringCase(let part): .containsIgnoringCase(arena.keep(ASCII.lowercased(part)))
    case .startsWith(let prefix): .startsWith(arena.keep(prefix))
    case .endsWith(let suffix): .endsWith(arena.keep(suffix))
    case .glob(let pattern): .glob(arena.keep(pattern), ignoresCase: false)
    case .globIgnoringCase(let pattern): .glob(arena.keep(pattern), ignoresCase: true)
    case .regex(let pattern): .regex(RegularExpression(pattern).map { arena.keep($0) })
    case .pathMatch(let prefixes): .isPathBelow(arena.keep(prefixes.map { .text(arena.keep($0)) }))
    case .quantified(let quantifier, let comparisons): .quantified(quantifier, arena.keep(comparisons.map(test(for:))))
    case .against: preconditionFailure("a predicate with two operands is no test of a field")
    }
  }

  private func membership(_ constants: [Constant]) -> AtomTest {
    let texts = constants.compactMap { constant -> [UInt8]? in
      if case .text(let bytes) = constant { bytes } else { nil }
    }
    if constants.count > Self.comparedInTurnCountMax {
      if texts.count == constants.count { return .isInTexts(TextSet(texts, in: arena)) }
      if let scalars = ScalarSet(constants.map(planned), in: arena) { return .isInScalars(arena.keep([scalars])) }
    }
    return .isAny(arena.keep(constants.map { planned($0) }))
  }

  private func planned(_ constant: Constant) -> PlannedConstant {
    switch constant {
    case .text(let bytes): .text(arena.keep(bytes))
    case .signed(let number): .signed(number)
    case .unsigned(let number): .unsigned(number)
    case .boolean(let flag): .boolean(flag)
    case .double(let number): .double(number)
    case .address(let address): .address(address)
    case .network(let network): .network(network)
    }
  }
}

extension Comparison {
  fileprivate var isMembership: Bool { if case .isIn = self { true } else { false } }
}
