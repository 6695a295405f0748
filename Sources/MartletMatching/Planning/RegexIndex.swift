// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Regexes for one field: a look at all of them together says for most texts that none matches.
///
/// Trivial: its memory is the plan's.
struct RegexIndex {
  private let set: Unmanaged<RegularExpressionSet>?
  private let members: UnsafeBufferPointer<Member>

  struct Member {
    let expression: Unmanaged<RegularExpression>
    let place: UInt32
  }

  init(_ members: [Member], in arena: PlanArena) {
    self.members = arena.keep(members)
    // One finds it out as fast by itself.
    let expressions = members.map { $0.expression.takeUnretainedValue() }
    set = members.count < 2 ? nil : RegularExpressionSet(expressions).map { arena.keep($0) }
  }

  func collect(_ text: ByteView, into found: inout PlaceList) {
    if let set, !set._withUnsafeGuaranteedRef({ $0.mayMatch(text) }) { return }
    for member in members where member.expression._withUnsafeGuaranteedRef({ $0.matches(text) }) {
      found.append(member.place)
    }
  }
}
