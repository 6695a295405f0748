// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletRules

/// A distinct predicate of a rule set: tested at most once an event and view, however many rules ask.
enum Atom {
  /// A field, compared with constants.
  case field(FieldAtom)
  /// Transformers, or a field on the right: an index into the plan's `operandTests`.
  case operands(Int32, isPathViewDependent: Bool)

  var isPathViewDependent: Bool {
    switch self {
    case .field(let atom): atom.isPathViewDependent
    case .operands(_, let isPathViewDependent): isPathViewDependent
    }
  }
}

struct FieldAtom {
  let field: Field
  let selector: FieldSelector
  let multiplicity: FieldMultiplicity
  let isPathViewDependent: Bool
  /// Of a list: every element has to pass.
  let asksAll: Bool
  let test: AtomTest
}

/// What an atom asks of a value: trivial, its constants lie in the plan's memory.
enum AtomTest {
  case exists
  case equal(PlannedConstant)
  case notEqual(PlannedConstant)
  case ordered(PlannedConstant, OrderTest)
  /// A few constants, compared in turn.
  case isAny(UnsafeBufferPointer<PlannedConstant>)
  case isInTexts(TextSet)
  /// One set. Apart, as tests are copied when they are asked, and this one is large.
  case isInScalars(UnsafeBufferPointer<ScalarSet>)
  case contains(ByteView)
  case containsIgnoringCase(ByteView)
  case startsWith(ByteView)
  case endsWith(ByteView)
  case glob(ByteView, ignoresCase: Bool)
  case isPathBelow(UnsafeBufferPointer<PlannedConstant>)
  /// Nil for a pattern that nobody checked and that is bad: nothing matches it. The plan's memory keeps the expression.
  case regex(Unmanaged<RegularExpression>?)
  /// Exactly one, any or all of several tests of one text.
  case quantified(Quantifier, UnsafeBufferPointer<AtomTest>)
}

enum OrderTest: UInt8 {
  case less, lessOrEqual, greater, greaterOrEqual

  /// `order` is below, at or above zero, as of memcmp.
  @inline(__always)
  func accepts(_ order: Int) -> Bool {
    switch self {
    case .less: order < 0
    case .lessOrEqual: order <= 0
    case .greater: order > 0
    case .greaterOrEqual: order >= 0
    }
  }
}

enum PlannedConstant {
  case text(ByteView)
  case signed(Int64)
  case unsigned(UInt64)
  case boolean(Bool)
  case double(Double)
  case address(IPAddress)
  case network(IPNetwork)
}

/// A step of a rule's decision: test one atom, go on at one of two places.
struct Branch {
  let atom: UInt32
  /// The condition asks for the atom's opposite.
  let isNegated: Bool
  /// Index of the next branch, or one of the two ends.
  let ifTrue: Int32
  let ifFalse: Int32

  static let accept: Int32 = -1
  static let reject: Int32 = -2
}

/// A condition with `not` pushed down to its atoms.
indirect enum RuleShape {
  case atom(UInt32, isNegated: Bool)
  case all([RuleShape])
  case any([RuleShape])
}

/// One enabled rule in a plan.
struct PlannedRule {
  let id: RuleID
  /// Index of its first branch, or one of the two ends.
  let entry: Int32
  let isPathViewDependent: Bool
}

/// The tables of a plan, for reading without a reference count: they hold as long as the plan does.
struct PlanTables {
  let atoms: UnsafeBufferPointer<Atom>
  /// What can be asked about an event for many atoms at once.
  let facets: UnsafeBufferPointer<Facet>
  let indexes: UnsafeBufferPointer<TextIndex>
  /// For each atom its place in a facet.
  let atomPlaces: UnsafeBufferPointer<AtomPlace>
  let branches: UnsafeBufferPointer<Branch>
  let rules: UnsafeBufferPointer<PlannedRule>
  /// For each event type, by raw value, the rules to try on it: a range of `candidates`. That at 0 has all rules, for
  /// given events of other types.
  let candidateRanges: UnsafeBufferPointer<Range<Int>>
  /// Indices into `rules`, in load order within each range.
  let candidates: UnsafeBufferPointer<Int32>
}

/// A rule set made ready for matching: flat, immutable tables.
///
/// Sendable although it holds pointers: nothing writes to them between the end of `init` and `deinit`.
public final class MatchPlan: @unchecked Sendable {
  let tables: PlanTables
  /// For each rule its condition.
  let shapes: [RuleShape]
  /// Predicates that no field's value alone decides.
  let operandTests: [Predicate]
  private let arena: PlanArena

  init(_ tables: PlanTables, shapes: [RuleShape], operandTests: [Predicate], arena: PlanArena) {
    self.tables = tables
    self.shapes = shapes
    self.operandTests = operandTests
    self.arena = arena
  }

  /// Distinct predicates over all enabled rules.
  public var atomCount: Int { tables.atoms.count }
  public var branchCount: Int { tables.branches.count }
  public var ruleCount: Int { tables.rules.count }
}

/// Owns what a plan points to.
final class PlanArena {
  private var blocks: [UnsafeMutableRawPointer] = []
  private var expressions: [RegularExpression] = []
  private var expressionSets: [RegularExpressionSet] = []

  deinit {
    for block in blocks { block.deallocate() }
  }

  /// A copy that lives as long as the arena. `Element` must be trivial.
  func keep<Element>(_ elements: [Element]) -> UnsafeBufferPointer<Element> {
    let copy = UnsafeMutableBufferPointer<Element>.allocate(capacity: max(elements.count, 1))
    _ = copy.initialize(from: elements)
    if let start = copy.baseAddress { blocks.append(UnsafeMutableRawPointer(start)) }
    return UnsafeBufferPointer(rebasing: copy[0..<elements.count])
  }

  func keep(_ expression: RegularExpression) -> Unmanaged<RegularExpression> {
    expressions.append(expression)
    return .passUnretained(expression)
  }

  func keep(_ set: RegularExpressionSet) -> Unmanaged<RegularExpressionSet> {
    expressionSets.append(set)
    return .passUnretained(set)
  }

  func keep(_ bytes: [UInt8]) -> ByteView {
    // One byte more, so that an empty text has an address too.
    let copy: UnsafeBufferPointer<UInt8> = keep(bytes + [0])
    guard let start = copy.baseAddress else { preconditionFailure("an allocation has no address") }
    return ByteView(start: start, count: bytes.count)
  }
}
