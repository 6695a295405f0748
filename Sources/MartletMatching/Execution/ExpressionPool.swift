// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// What may still become of a rule once some facets of an event are known, as expressions over the rest.
///
/// An expression is an upper bound: where it is impossible, the rule is false; where it is possible, it may be true,
/// unknown or false. What the search does not look at is taken as possible from the start. Equal expressions have equal
/// numbers.
struct ExpressionPool {
  static let impossible: Int32 = 0
  static let possible: Int32 = 1

  private enum Node: Hashable {
    case constant(Bool)
    case atom(UInt32, isNegated: Bool)
    case all([Int32])
    case any([Int32])
  }

  private var nodes: [Node] = [.constant(false), .constant(true)]
  private var indices: [Node: Int32] = [:]
  /// For each expression the facets that it asks for.
  private(set) var facets: [UInt64] = [0, 0]
  /// For each expression the facets whose finding `none` alone makes it impossible.
  private(set) var kills: [UInt64] = [0, 0]

  var count: Int { nodes.count }

  mutating func removeAll() { self = ExpressionPool() }

  /// `facet`: of the atom.
  mutating func atom(_ atom: UInt32, isNegated: Bool, facet: Int32) -> Int32 {
    let bit: UInt64 = 1 << UInt64(facet)
    return intern(.atom(atom, isNegated: isNegated), facets: bit, kills: isNegated ? 0 : bit)
  }

  mutating func all(_ operands: [Int32]) -> Int32 {
    if operands.contains(Self.impossible) { return Self.impossible }
    let rest = Set(operands.filter { $0 != Self.possible }).sorted()
    if rest.isEmpty { return Self.possible }
    guard rest.count > 1 else { return rest[0] }
    return intern(
      .all(rest), facets: rest.reduce(0) { $0 | facets[Int($1)] }, kills: rest.reduce(0) { $0 | kills[Int($1)] })
  }

  mutating func any(_ operands: [Int32]) -> Int32 {
    if operands.contains(Self.possible) { return Self.possible }
    let rest = Set(operands.filter { $0 != Self.impossible }).sorted()
    if rest.isEmpty { return Self.impossible }
    guard rest.count > 1 else { return rest[0] }
    return intern(
      .any(rest), facets: rest.reduce(0) { $0 | facets[Int($1)] }, kills: rest.reduce(~0) { $0 & kills[Int($1)] })
  }

  /// The expression with what is known of one facet put in. `known` remembers results within one such step.
  mutating func assign(
    _ expression: Int32, facet: Int, known: inout [Int32: Int32], _ truth: (UInt32) -> Truth
  ) -> Int32 {
    guard facets[Int(expression)] >> UInt64(facet) & 1 != 0 else { return expression }
    if let result = known[expression] { return result }
    let result: Int32
    switch nodes[Int(expression)] {
    case .constant: result = expression
    case .atom(let atom, let isNegated):
      let truth = isNegated ? !truth(atom) : truth(atom)
      result = truth == .isFalse ? Self.impossible : Self.possible
    case .all(let operands):
      var assigned: [Int32] = []
      for operand in operands {
        assigned.append(assign(operand, facet: facet, known: &known, truth))
        if assigned.last == Self.impossible { break }
      }
      result = all(assigned)
    case .any(let operands):
      var assigned: [Int32] = []
      for operand in operands {
        assigned.append(assign(operand, facet: facet, known: &known, truth))
        if assigned.last == Self.possible { break }
      }
      result = any(assigned)
    }
    known[expression] = result
    return result
  }

  private mutating func intern(_ node: Node, facets: UInt64, kills: UInt64) -> Int32 {
    if let known = indices[node] { return known }
    nodes.append(node)
    self.facets.append(facets)
    self.kills.append(kills)
    indices[node] = Int32(nodes.count - 1)
    return Int32(nodes.count - 1)
  }
}
