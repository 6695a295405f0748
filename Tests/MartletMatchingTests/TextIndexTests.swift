// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletTesting
import Testing

@testable import MartletMatching

/// Many tests at once find what each finds by itself.
@Suite("An index finds what its tests hold for")
struct TextIndexTests {
  @Test("on random tests and texts", arguments: 1...40 as ClosedRange<UInt64>)
  func random(seed: UInt64) {
    var maker = TestMaker(seed: seed)
    let arena = PlanArena()
    let tests = (0..<Int.random(in: 10...60, using: &maker.generator)).map { place in
      TextIndex.Other(place: UInt32(place), test: maker.test(in: arena))
    }
    let index = TextIndex(tests, in: arena)
    var found = PlaceList()
    var hits = 0
    for _ in 0..<400 {
      let bytes = maker.text(0...24)
      bytes.withUnsafeBufferPointer { buffer in
        let text = buffer.baseAddress.map { ByteView(start: $0, count: buffer.count) } ?? .empty
        found.removeAll()
        index.collect(text, into: &found)
        found.normalise()
        let expected = tests.filter { $0.test.holds(.text(text)) == .isTrue }.map(\.place)
        #expect((0..<found.count).map { found.places[$0] } == expected)
        hits += expected.count
      }
    }
    withExtendedLifetime(arena) { #expect(hits > 0) }
  }

  @Test("also where every part is long, and only some places of a text are looked at")
  func longParts() {
    var generator = SeededGenerator(seed: 5)
    let arena = PlanArena()
    func text(_ count: Int) -> [UInt8] {
      (0..<count).map { _ in UInt8(ascii: "a") + UInt8.random(in: 0...1, using: &generator) }
    }
    for length in 3...9 {
      let parts = (0..<12).map { index in
        TextIndex.Other(place: UInt32(index), test: .contains(arena.keep(text(length + index % 3))))
      }
      let index = TextIndex(parts, in: arena)
      var found = PlaceList()
      for _ in 0..<300 {
        let text = arena.keep(text(Int.random(in: 0...40, using: &generator)))
        found.removeAll()
        index.collect(text, into: &found)
        found.normalise()
        let expected = parts.filter { $0.test.holds(.text(text)) == .isTrue }.map(\.place)
        #expect((0..<found.count).map { found.places[$0] } == expected)
      }
    }
  }
}

/// Few letters, so that tests hold often.
private struct TestMaker {
  var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  mutating func text(_ lengths: ClosedRange<Int>) -> [UInt8] {
    let letters = Array("//abA.".utf8)
    return (0..<Int.random(in: lengths, using: &generator)).map { _ in
      letters[Int.random(in: letters.indices, using: &generator)]
    }
  }

  mutating func test(in arena: PlanArena) -> AtomTest {
    let text = arena.keep(self.text(0...6))
    switch Int.random(in: 0...11, using: &generator) {
    case 0: return .exists
    case 1: return .equal(.text(text))
    case 2: return .notEqual(.text(text))
    case 3: return .isAny(arena.keep([.text(text), .text(arena.keep(self.text(0...3)))]))
    case 4: return .isInTexts(TextSet((0..<6).map { _ in self.text(0...3) }, in: arena))
    case 5: return .contains(text)
    case 6: return .containsIgnoringCase(arena.keep(text.array.map { ASCII.lowercased($0) }))
    case 7: return .startsWith(text)
    case 8: return .endsWith(text)
    case 9: return .regex(RegularExpression(self.text(1...3) + Array(".*".utf8)).map { arena.keep($0) })
    case 10: return .glob(arena.keep(Array("/*/".utf8) + self.text(0...2)), ignoresCase: false)
    default:
      let folders = [self.text(0...4), self.text(0...4), Array("/*".utf8) + self.text(0...2)]
      return .isPathBelow(
        arena.keep(folders.prefix(Int.random(in: 1...3, using: &generator)).map { .text(arena.keep($0)) }))
    }
  }
}
