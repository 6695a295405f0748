// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import MartletCapture

@Suite("Rounds of canaries")
struct CanaryRoundsTests {
  private static let interval: UInt64 = 1200

  /// Rounds in which the places of `answers` answer, one after the other, on hooks of the places 1, 2 and 4, and 8 and one
  /// without any.
  private func proofs(awaiting: UInt32 = 15, _ answers: [[UInt32]]) -> (CanaryRounds, [[CanaryRounds.Change]]) {
    var rounds = CanaryRounds(places: [1, 6, 8, 0], intervalNanoseconds: Self.interval)
    let changes = answers.map { places in
      rounds.begin(awaiting: awaiting)
      for place in places { rounds.note(place: place) }
      return rounds.end(at: 100)
    }
    return (rounds, changes)
  }

  @Test("one round proves a hook, if all its places answer")
  func proven() {
    let (rounds, changes) = proofs([[0, 1, 2, 3]])
    #expect(rounds.proofs == [.proven, .proven, .proven, .untried] && changes == [[]])
    #expect(rounds.due == 100 + Self.interval && rounds.isComplete && !rounds.isWaiting)
  }

  @Test("a hook that misses once is tried again soon, and fails when it misses again")
  func failed() {
    let (once, quiet) = proofs([[0, 1, 2, 3], [0, 1, 3]])
    #expect(once.proofs == [.proven, .proven, .proven, .untried] && quiet == [[], []])
    #expect(once.due == 100 + Self.interval / 12 && !once.isComplete)
    let (twice, changes) = proofs([[0, 1, 2, 3], [0, 1, 3], [0, 2, 3], [0]])
    #expect(twice.proofs == [.proven, .failed, .proven, .untried])
    #expect(changes == [[], [], [.init(hook: 1, works: false)], []])
  }

  @Test("one that answers again works again, told once; misses in between do not add up")
  func recovered() {
    let (rounds, changes) = proofs([[0], [0, 3], [0, 1, 2, 3], [0, 1, 2, 3], [0, 3], [0, 1, 2, 3], [0, 3]])
    #expect(rounds.proofs == [.proven, .proven, .proven, .untried])
    #expect(changes == [[], [.init(hook: 1, works: false)], [.init(hook: 1, works: true)], [], [], [], []])
  }

  @Test("an act that could not be made says nothing")
  func untestable() {
    let (rounds, changes) = proofs(awaiting: 1 | 2, [[0, 1], [0, 1]])
    #expect(rounds.proofs == [.proven, .proven, .untestable, .untried] && changes == [[], []])
  }

  @Test("other programs are proven anew at once; a round that was under way says nothing about them")
  func restarted() {
    var (rounds, _) = proofs([[0, 3], [0, 3]])
    #expect(rounds.proofs == [.proven, .failed, .proven, .untried])
    rounds.begin(awaiting: 1 | 2 | 4)
    rounds.restart(places: [1, 6, 0, 16])
    #expect(rounds.proofs == [.untried, .failed, .untried, .untried])
    rounds.note(place: 0)
    #expect(rounds.end(at: 200).isEmpty && rounds.due == 0 && !rounds.isWaiting)
    #expect(rounds.proofs == [.untried, .failed, .untried, .untried])
    rounds.begin(awaiting: 1 | 2 | 4 | 16)
    for place: UInt32 in [0, 1, 2, 4] { rounds.note(place: place) }
    #expect(rounds.end(at: 300) == [.init(hook: 1, works: true)])
    #expect(rounds.proofs == [.proven, .proven, .untried, .proven] && rounds.due == 300 + Self.interval)
  }

  @Test("numbers of places that there are not are ignored")
  func hostile() {
    let (rounds, _) = proofs([[0, 1, 2, 3, 32, .max]])
    #expect(rounds.isComplete)
  }
}
