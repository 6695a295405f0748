// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletState

/// Finds the rules that may hold for an event, by looking at one facet of it after another.
///
/// A state is what may still become of the rules after some findings. It says which facet to look at next: the one that
/// rules out the most rules for its cost. States are made when events first lead to them and kept, so that soon an
/// event only follows links. What an event's state does not ask for is never looked at.
///
/// A state's last step is its candidates: the rules that no finding ruled out. They are judged as they are written.
struct CandidateSearch: ~Copyable {
  private struct State: BitwiseCopyable {
    /// What to look at next; negative where nothing would rule out another rule.
    var facet: Int32
    /// Where its rules begin in `rules`, and its expressions in `expressions`.
    var first: Int32
    var count: Int32
    /// Of events by processes that nothing is known of from before.
    var isExec: Bool
  }

  private struct StateKey: Hashable {
    var rules: [Int32]
    var expressions: [Int32]
    var isExec: Bool
  }

  /// When it has grown beyond this, everything is forgotten and made anew from the events to come.
  struct Limits {
    /// Entries of the tables that grow with what events are like; each takes 4 to 64 bytes.
    var entryCountMax = 1 << 20
  }

  private let plan: MatchPlan
  private let tables: PlanTables
  private let limits: Limits
  private var states = GrowingBuffer<State>()
  private var rules = GrowingBuffer<Int32>()
  private var residues = GrowingBuffer<Int32>()
  private var links = LinkTable()
  private var stateIndices: [StateKey: Int32] = [:]
  private var pool = ExpressionPool()
  private var findings = FindingTable()
  /// By flavour and type; negative where none has been made.
  private let roots: UnsafeMutableBufferPointer<Int32>
  /// Counts how often everything was forgotten. Findings hold within one era.
  private(set) var era: UInt32 = 1

  private static let typeCount = 256

  init(_ plan: MatchPlan, limits: Limits = Limits()) {
    self.plan = plan
    tables = plan.tables
    self.limits = limits
    roots = .allocate(capacity: Self.typeCount * 2)
    roots.initialize(repeating: -1)
  }

  deinit { roots.deallocate() }

  var stateCount: Int { states.count }

  /// Whether it is time to call `removeAll`.
  private(set) var isFull = false

  mutating func removeAll() {
    states.removeAll()
    rules.removeAll()
    residues.removeAll()
    links.removeAll()
    stateIndices.removeAll()
    pool.removeAll()
    findings.removeAll()
    roots.update(repeating: -1)
    isFull = false
    era &+= 1
  }

  /// Where to begin. `isGiven`: the event is given as values, which may be those of fields that no record has.
  @inline(__always)
  mutating func root(of type: EventType?, isGiven: Bool) -> Int32 {
    let place = Int(type?.rawValue ?? 0) + (isGiven ? Self.typeCount : 0)
    return roots[place] >= 0 ? roots[place] : makeRoot(place, type, isGiven: isGiven)
  }

  /// The facet to look at; negative if this is the end.
  @inline(__always)
  func facet(at state: Int32) -> Int { Int(states[Int(state)].facet) }

  @inline(__always)
  mutating func next(_ state: Int32, _ finding: Finding) -> Int32 {
    let known = links.target(state, finding)
    return known >= 0 ? known : makeState(after: state, finding)
  }

  /// The place in the search of the first candidate, and of the one after the last.
  func candidates(at state: Int32) -> Range<Int> {
    let state = states[Int(state)]
    return Int(state.first)..<Int(state.first + state.count)
  }

  /// The rule at a place, as an index into the plan's. In load order.
  func rule(_ place: Int) -> Int { Int(rules[place]) }

  mutating func finding(_ facet: Int, _ list: borrowing PlaceList) -> Finding { findings.finding(facet, list) }

  // MARK: - Making states

  private mutating func makeRoot(_ place: Int, _ type: EventType?, isGiven: Bool) -> Int32 {
    var rules: [Int32] = []
    var expressions: [Int32] = []
    for candidate in tables.candidateRanges[Int(type?.rawValue ?? 0)] {
      let rule = tables.candidates[candidate]
      let expression = expression(plan.shapes[Int(rule)], type, isGiven: isGiven)
      guard expression != ExpressionPool.impossible else { continue }
      rules.append(rule)
      expressions.append(expression)
    }
    let state = state(StateKey(rules: rules, expressions: expressions, isExec: type?.kind == .exec))
    roots[place] = state
    return state
  }

  private mutating func expression(_ shape: RuleShape, _ type: EventType?, isGiven: Bool) -> Int32 {
    switch shape {
    case .all(let shapes):
      var operands: [Int32] = []
      for shape in shapes { operands.append(expression(shape, type, isGiven: isGiven)) }
      return pool.all(operands)
    case .any(let shapes):
      var operands: [Int32] = []
      for shape in shapes { operands.append(expression(shape, type, isGiven: isGiven)) }
      return pool.any(operands)
    case .atom(let index, let isNegated):
      if let truth = truth(of: tables.atoms[Int(index)], type, isGiven: isGiven) {
        return truth != isNegated ? ExpressionPool.possible : ExpressionPool.impossible
      }
      let facet = tables.atomPlaces[Int(index)].facet
      return facet < 0 ? ExpressionPool.possible : pool.atom(index, isNegated: isNegated, facet: facet)
    }
  }

  /// What the type alone decides: its name, that no record of it has the field, or only values that do not pass.
  private func truth(of atom: Atom, _ type: EventType?, isGiven: Bool) -> Bool? {
    guard case .field(let atom) = atom else { return nil }
    switch atom.field {
    case .eventType, .systemCallType:
      guard let type, atom.multiplicity == .one else { return nil }
      return atom.test.holds(.text(ByteView(type.name))) == .isTrue
    default:
      guard !isGiven, let type else { return nil }
      let kinds = EventKind.allCases.filter { type.isCarried(by: $0) && atom.field.description.kinds.contains($0) }
      for kind in kinds {
        guard atom.multiplicity == .one, let texts = atom.field.possibleTexts(on: kind),
          texts.allSatisfy({ atom.test.holds(.text(ByteView($0))) == .isFalse })
        else { return nil }
      }
      return false
    }
  }

  private mutating func makeState(after state: Int32, _ finding: Finding) -> Int32 {
    let old = states[Int(state)]
    let facet = Int(old.facet)
    var rules: [Int32] = []
    var expressions: [Int32] = []
    var known: [Int32: Int32] = [:]
    let tables = tables
    let truths = tables.facets[facet].atoms.indices.map { findings.truth(of: UInt32($0), in: finding) }
    for place in Int(old.first)..<Int(old.first + old.count) {
      let expression = pool.assign(residues[place], facet: facet, known: &known) {
        truths[Int(tables.atomPlaces[Int($0)].place)]
      }
      guard expression != ExpressionPool.impossible else { continue }
      rules.append(self.rules[place])
      expressions.append(expression)
    }
    let next = self.state(StateKey(rules: rules, expressions: expressions, isExec: old.isExec))
    links.insert(state, finding, next)
    // A new finding is a new link, so here all growth is seen.
    let entryCount = states.count + rules.count + residues.count + links.count + findings.size + pool.count
    isFull = entryCount > limits.entryCountMax
    return next
  }

  private mutating func state(_ key: StateKey) -> Int32 {
    if let known = stateIndices[key] { return known }
    states.append(
      State(
        facet: bestFacet(key.expressions, isExec: key.isExec), first: Int32(rules.count), count: Int32(key.rules.count),
        isExec: key.isExec))
    for rule in key.rules { rules.append(rule) }
    for expression in key.expressions { residues.append(expression) }
    stateIndices[key] = Int32(states.count - 1)
    return Int32(states.count - 1)
  }

  private func bestFacet(_ expressions: [Int32], isExec: Bool) -> Int32 {
    var gains = [Int](repeating: 0, count: FacetPlanner.countMax)
    for expression in expressions {
      var kills = pool.kills[Int(expression)]
      while kills != 0 {
        gains[kills.trailingZeroBitCount] += 1
        kills &= kills - 1
      }
    }
    var best: Int32 = -1
    var bestScore = 0
    for (index, facet) in tables.facets.enumerated() where gains[index] > 0 {
      // What depends on the process alone is known from its last event, but for a new program's first.
      let cost = facet.scope == .event ? facet.knownCost : isExec ? facet.cost : 6
      let score = gains[index] * facet.noneShare * 1000 / Int(cost)
      if score > bestScore { (best, bestScore) = (Int32(index), score) }
    }
    return best
  }
}

/// Which state follows which, by finding: open addressing, at most half full.
private struct LinkTable: ~Copyable {
  private struct Link: BitwiseCopyable {
    var state: Int32
    var finding: UInt32
    /// Negative for an empty place.
    var target: Int32
  }

  private var slots: UnsafeMutableBufferPointer<Link>
  private(set) var count = 0

  private static let empty = Link(state: -1, finding: 0, target: -1)

  init() {
    slots = .allocate(capacity: 256)
    slots.initialize(repeating: Self.empty)
  }

  deinit { slots.deallocate() }

  mutating func removeAll() {
    slots.update(repeating: Self.empty)
    count = 0
  }

  /// Negative where none is known.
  @inline(__always)
  func target(_ state: Int32, _ finding: Finding) -> Int32 {
    var slot = Self.hash(state, finding) & (slots.count - 1)
    while true {
      let link = slots[slot]
      if link.target < 0 || link.state == state && link.finding == finding.rawValue { return link.target }
      slot = (slot + 1) & (slots.count - 1)
    }
  }

  mutating func insert(_ state: Int32, _ finding: Finding, _ target: Int32) {
    if (count + 1) * 2 > slots.count { grow() }
    put(Link(state: state, finding: finding.rawValue, target: target))
    count += 1
  }

  private mutating func put(_ link: Link) {
    var slot = Self.hash(link.state, Finding(rawValue: link.finding)) & (slots.count - 1)
    while slots[slot].target >= 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = link
  }

  private mutating func grow() {
    let old = slots
    slots = .allocate(capacity: old.count * 2)
    slots.initialize(repeating: Self.empty)
    for link in old where link.target >= 0 { put(link) }
    old.deallocate()
  }

  @inline(__always)
  private static func hash(_ state: Int32, _ finding: Finding) -> Int {
    let key = UInt64(UInt32(bitPattern: state)) << 32 | UInt64(finding.rawValue)
    return Int(truncatingIfNeeded: (key &* 0x9e37_79b9_7f4a_7c15) >> 33)
  }
}
