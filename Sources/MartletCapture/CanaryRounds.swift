// SPDX-License-Identifier: Apache-2.0

/// Whether a hook has been seen to work.
public enum CaptureProof: String, Sendable {
  /// Not tried yet, or nobody asked for it.
  case untried
  /// An act of the agent's own came through it in the last round.
  case proven
  /// It is attached and has missed acts of two rounds: what it should see is not seen.
  case failed
  /// No act could be made here: the kernel refused it, or it would not have come to this hook.
  case untestable
}

/// What rounds of acts say of each hook. Without clock and kernel: see `CanaryWatch` for both.
struct CanaryRounds {
  /// For all answers to come in.
  static let patienceNanoseconds: UInt64 = 3_000_000_000

  /// Between rounds.
  private let intervalNanoseconds: UInt64
  /// By hook: the places that it answers from, one bit each.
  private var places: [UInt32]
  private(set) var proofs: [CaptureProof]
  private var hasMissed: [Bool]
  private var awaited: UInt32 = 0
  private var answered: UInt32 = 0
  private(set) var isWaiting = false
  /// The round began for other programs than those there are now, and says nothing about them.
  private var isVoid = false
  /// When the next round is due.
  private(set) var due: UInt64 = 0

  /// A hook, by index, that works no more, or works again.
  struct Change: Equatable {
    let hook: Int
    let works: Bool
  }

  init(places: [UInt32], intervalNanoseconds: UInt64) {
    self.places = places
    self.intervalNanoseconds = intervalNanoseconds
    proofs = Array(repeating: .untried, count: places.count)
    hasMissed = Array(repeating: false, count: places.count)
  }

  /// Other programs answer now: a round is due at once. Until it is over, a hook that had failed counts as failed, so that
  /// its recovery is told; the rest as not tried.
  mutating func restart(places: [UInt32]) {
    self.places = places
    isVoid = isWaiting
    due = 0
    for hook in places.indices {
      if places[hook] == 0 || proofs[hook] != .failed { proofs[hook] = .untried }
      hasMissed[hook] = false
    }
  }

  /// Acts have been made that these places should answer.
  mutating func begin(awaiting places: UInt32) {
    awaited = places
    answered = 0
    isWaiting = true
  }

  mutating func note(place: UInt32) {
    if place < UInt32.bitWidth { answered |= 1 << place }
  }

  var isComplete: Bool { awaited & ~answered == 0 }

  /// Judges the round. A hook fails when it misses two in a row; one round suffices to be proven.
  mutating func end(at now: UInt64) -> [Change] {
    var changes: [Change] = []
    isWaiting = false
    if isVoid {
      isVoid = false
      return []
    }
    var hasMissedOne = false
    for (hook, places) in places.enumerated() where places != 0 {
      let before = proofs[hook]
      if places & awaited == 0 {
        proofs[hook] = .untestable
      } else if places & awaited & ~answered == 0 {
        proofs[hook] = .proven
        hasMissed[hook] = false
        if before == .failed { changes.append(Change(hook: hook, works: true)) }
      } else if hasMissed[hook] {
        proofs[hook] = .failed
        if before != .failed { changes.append(Change(hook: hook, works: false)) }
      } else {
        hasMissed[hook] = true
        hasMissedOne = true
      }
    }
    // A second try soon: the record may have found the ring full.
    due = now + (hasMissedOne ? intervalNanoseconds / 12 : intervalNanoseconds)
    return changes
  }
}
