// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// On which events a condition can hold, by Falco's names. Only comparisons of `evt.type` and `syscall.type` with
/// constants restrict; every other one may hold on any event, and so may its negation.
enum EventTypeAnalysis {
  /// The captured types among them.
  static func types(of condition: Condition) -> EventTypeSet {
    let names = names(of: condition, isNegated: false)
    let isOfModels = isOfModels(condition)
    return EventType.allCases.reduce(into: EventTypeSet([])) { types, type in
      // A rule that was written for calls alone means the same as ever.
      guard type.kind != .model || isOfModels else { return }
      if names.contains("\(type.name)") { types.insert(EventTypeSet(type)) }
    }
  }

  /// Whether a condition speaks of what the agent says of models, which is no system call.
  private static func isOfModels(_ condition: Condition) -> Bool {
    switch condition {
    case .not(let operand): isOfModels(operand)
    case .all(let operands), .any(let operands): operands.contains(where: isOfModels)
    case .predicate(let predicate):
      predicate.fields.contains { $0.field.isOfModel } || isAskingForModels(predicate)
    }
  }

  /// Whether it names such an event, other than to leave it out.
  private static func isAskingForModels(_ predicate: Predicate) -> Bool {
    switch predicate.comparison {
    case .equal, .isIn: names(of: predicate).map { $0 != .all && $0.hasModels } ?? false
    default: false
    }
  }

  static func names(of condition: Condition) -> EventNameSet { names(of: condition, isNegated: false) }

  /// Negation is pushed down to the comparisons, so that `not (a and b)` is `not a or not b`.
  private static func names(of condition: Condition, isNegated: Bool) -> EventNameSet {
    switch condition {
    case .not(let operand): return names(of: operand, isNegated: !isNegated)
    case .all(let operands), .any(let operands):
      let sets = operands.lazy.map { names(of: $0, isNegated: isNegated) }
      return isAll(condition) != isNegated
        ? sets.reduce(.all) { $0.intersection($1) } : sets.reduce(.empty) { $0.union($1) }
    case .predicate(let predicate):
      guard let set = names(of: predicate) else { return .all }
      return isNegated ? set.complement : set
    }
  }

  private static func isAll(_ condition: Condition) -> Bool { if case .all = condition { true } else { false } }

  /// The names that a comparison holds for; nil if it does not restrict, and neither does its negation.
  private static func names(of predicate: Predicate) -> EventNameSet? {
    guard let reference = predicate.field else { return nil }
    switch "\(reference.field.description.name)" {
    case "evt.type", "syscall.type": return names(of: predicate.comparison)
    case "evt.num": return isSatisfiable(predicate.comparison).map { $0 ? .all : .empty }
    default: return nil
    }
  }

  private static func names(of comparison: Comparison) -> EventNameSet? {
    switch comparison {
    case .exists: .all
    case .equal(let constant): EventNameSet([constant])
    case .notEqual(let constant): EventNameSet([constant]).complement
    case .isIn(let constants): EventNameSet(constants)
    default: nil
    }
  }

  /// Events are numbered from 1, so that some comparisons of `evt.num` hold always or never; `evt.num = 0` is how rule
  /// files spell "never". Nil if it depends.
  private static func isSatisfiable(_ comparison: Comparison) -> Bool? {
    switch comparison {
    case .equal(.unsigned(0)), .less(.unsigned(0...1)), .lessOrEqual(.unsigned(0)): false
    case .notEqual(.unsigned(0)), .greater(.unsigned(0)), .greaterOrEqual(.unsigned(0...1)): true
    case .isIn(let constants) where constants.allSatisfy { $0 == .unsigned(0) }: false
    default: nil
    }
  }
}

/// A set of the names that events can have.
struct EventNameSet: Hashable {
  /// A bit for each place in `EventTypeNames.matchable`.
  private var bits: SIMD8<UInt64>

  static let empty = EventNameSet(bits: .zero)

  static let all: EventNameSet = {
    precondition(EventTypeNames.matchable.count <= 512, "more event names than bits")
    var set = empty
    for place in EventTypeNames.matchable.indices { set.insert(place) }
    return set
  }()

  private init(bits: SIMD8<UInt64>) { self.bits = bits }

  /// The names among these constants; one that no event has adds nothing.
  init(_ constants: [Constant]) {
    self = .empty
    for case .text(let bytes) in constants {
      if let place = EventTypeNames.places[bytes.string] { insert(place) }
    }
  }

  private mutating func insert(_ place: Int) { bits[place / 64] |= 1 << UInt64(place % 64) }

  func contains(_ name: String) -> Bool {
    guard let place = EventTypeNames.places[name] else { return false }
    return bits[place / 64] & (1 << UInt64(place % 64)) != 0
  }

  /// Whether one is an event of the agent's own about a model.
  var hasModels: Bool { EventType.allCases.contains { $0.kind == .model && contains("\($0.name)") } }

  func union(_ other: EventNameSet) -> EventNameSet { EventNameSet(bits: bits | other.bits) }
  func intersection(_ other: EventNameSet) -> EventNameSet { EventNameSet(bits: bits & other.bits) }
  var complement: EventNameSet { EventNameSet(bits: ~bits & Self.all.bits) }

  /// In the order of the alphabet.
  var names: [String] { EventTypeNames.matchable.filter(contains) }

  /// As Falco counts: each name has several codes, one for each version of its event.
  var codeCount: Int {
    guard self != .all else { return Self.countOfAll }
    return Self.codeCount(names)
  }

  private static let countOfAll = codeCount(EventTypeNames.matchable)

  private static func codeCount(_ names: [String]) -> Int {
    let hasGeneric = names.contains { EventTypeNames.generic.contains($0) }
    return names.reduce(hasGeneric ? EventTypeNames.genericCodeCount : 0) { $0 + EventTypeNames.codeCount($1) }
  }
}
