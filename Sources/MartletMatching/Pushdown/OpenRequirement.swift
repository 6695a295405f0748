// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletRules

/// What it takes for a condition to hold on an open: for each class of opens, what their names must have in them or
/// who must act.
struct OpenRequirement: Hashable {
  /// By `OpenClass.rawValue`.
  private(set) var byClass: [NameRequirement]

  static let impossible = OpenRequirement(repeating: .impossible)
  static let nothing = OpenRequirement(repeating: .nothing)

  private init(repeating requirement: NameRequirement) {
    byClass = Array(repeating: requirement, count: OpenClass.count)
  }

  /// The same on all classes, but impossible on those that `isPossible` refuses.
  init(_ requirement: NameRequirement = .nothing, where isPossible: (OpenClass) -> Bool = { _ in true }) {
    byClass = OpenClass.allCases.map { isPossible($0) ? requirement : .impossible }
  }

  /// How many ids begin or end a range of users that counts.
  var userBoundCount: Int {
    var bounds: Set<UInt64> = []
    for case .anyOf(let tests) in byClass {
      for case .user(let users) in tests { bounds.formUnion([UInt64(users.lowerBound), UInt64(users.upperBound) + 1]) }
    }
    return bounds.count
  }

  subscript(kind: OpenClass) -> NameRequirement { byClass[kind.rawValue] }

  func and(_ other: OpenRequirement) -> OpenRequirement { combined(other) { $0.and($1) } }

  func or(_ other: OpenRequirement) -> OpenRequirement { combined(other) { $0.or($1) } }

  private func combined(
    _ other: OpenRequirement, _ combine: (NameRequirement, NameRequirement) -> NameRequirement
  ) -> OpenRequirement {
    var result = self
    for index in byClass.indices { result.byClass[index] = combine(byClass[index], other.byClass[index]) }
    return result
  }
}

extension OpenRequirement {
  /// What a condition takes, or with `isNegated` its opposite. Nothing where the kernel cannot tell.
  init(_ condition: Condition, isNegated: Bool = false) {
    switch condition {
    case .not(let operand): self.init(operand, isNegated: !isNegated)
    case .all(let operands) where !isNegated, .any(let operands) where isNegated:
      self = operands.reduce(.nothing) { $0.and(OpenRequirement($1, isNegated: isNegated)) }
    case .all(let operands), .any(let operands):
      self = operands.reduce(.impossible) { $0.or(OpenRequirement($1, isNegated: isNegated)) }
    case .predicate(let predicate): self.init(predicate, isNegated: isNegated)
    }
  }

  private init(_ predicate: Predicate, isNegated: Bool) {
    guard let field = predicate.field, field.argument == .none else {
      self = .nothing
      return
    }
    switch OpenFact(field) {
    case .name(let view) where !isNegated: self.init(view.requirement(predicate.comparison))
    case .user: self.init(NameRequirement(user: predicate.comparison, isNegated: isNegated))
    case .name, .unknown: self = .nothing
    case .classes(let values):
      self.init { kind in values(kind).canCome(predicate.comparison, isNegated: isNegated) }
    }
  }
}
