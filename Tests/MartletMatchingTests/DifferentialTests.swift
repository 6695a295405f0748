// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletMatching
import MartletRules
import MartletState
import MartletTesting
import Testing

@Suite("The matcher agrees with the reference")
struct DifferentialTests {
  @Test("on random rule sets and events, missing and pending values included", arguments: 1...40 as ClosedRange<UInt64>)
  func random(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let conditions = (0..<Int.random(in: 1...6, using: &generator)).map { _ in condition(depth: 4, &generator) }
    var engines = Engines(conditions)
    for _ in 0..<(1500 * Soak.factor) {
      let result = engines.match(event(&generator))
      #expect(result.matcher == result.reference)
    }
  }

  @Test("and on each rule of them, when all that hold are asked for", arguments: 1...20 as ClosedRange<UInt64>)
  func all(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let conditions = (0..<6).map { _ in condition(depth: 3, &generator) }
    var engines = Engines(conditions)
    for _ in 0..<100 {
      let event = event(&generator)
      let expected = conditions.enumerated().compactMap { index, condition -> MatchResult? in
        var alone = Engines([condition])
        return switch alone.match(event).reference {
        case .matched(_, let view): .matched(RuleID(rawValue: index), view)
        case .undecided: .undecided(RuleID(rawValue: index))
        case .none: nil
        }
      }
      #expect(engines.matchAll(event) == expected)
    }
  }

  @Test("and the random inputs reach every outcome, under both names")
  func reach() {
    var seen: Set<String> = []
    for seed in 1...40 as ClosedRange<UInt64> {
      var generator = SeededGenerator(seed: seed)
      let conditions = (0..<Int.random(in: 1...6, using: &generator)).map { _ in condition(depth: 4, &generator) }
      var engines = Engines(conditions)
      for _ in 0..<300 {
        switch engines.match(event(&generator)).reference {
        case .matched(_, let view): seen.insert("matched \(view)")
        case .undecided: seen.insert("undecided")
        case .none: seen.insert("none")
        }
      }
    }
    #expect(seen == ["matched spelled", "matched resolved", "undecided", "none"])
  }

  private static let words = ["", "a", "ab", "abc", "/a", "/a/b", "/a/b/c", "/b", "b", "/a/../b", "A", "/A/b"]
  private static let textFields: [Field] = [.processName, .fdName, .fdDirectory, .fdFilename, .fdNameRaw, .fdRealPath]

  private func condition(depth: Int, _ generator: inout SeededGenerator) -> Condition {
    switch depth == 0 ? 3 : Int.random(in: 0...4, using: &generator) {
    case 0: .all((0..<Int.random(in: 2...3, using: &generator)).map { _ in condition(depth: depth - 1, &generator) })
    case 1: .any((0..<Int.random(in: 2...3, using: &generator)).map { _ in condition(depth: depth - 1, &generator) })
    case 2: .not(condition(depth: depth - 1, &generator))
    default: predicate(&generator)
    }
  }

  private func predicate(_ generator: inout SeededGenerator) -> Condition {
    switch Int.random(in: 0...9, using: &generator) {
    case 0: return .test(.userID, number(&generator))
    case 1: return .test(.fdEitherAddress, addressTest(&generator))
    case 2: return .test(.processAncestorName, textTest(&generator))
    case 3:
      return .test(.processAncestorName, at: .index(Int.random(in: 0...3, using: &generator)), textTest(&generator))
    case 4: return operandTest(&generator)
    case 5: return .test(.fdServerName, textTest(&generator))
    default: return .test(pick(Self.textFields, &generator), textTest(&generator))
    }
  }

  /// A transformed field, compared with a constant or with another field.
  private func operandTest(_ generator: inout SeededGenerator) -> Condition {
    func field(_ generator: inout SeededGenerator) -> Operand {
      .field(FieldReference(pick(Self.textFields, &generator)))
    }
    let unary = pick([Transformer.toLower, .toUpper, .basename, .base64], &generator)
    let left =
      Bool.random(using: &generator)
      ? Operand.transformed(unary, [field(&generator)], selector: nil)
      : .transformed(.concat, [field(&generator), .text(word(&generator))], selector: nil)
    let right = Comparison.against(pick(OperandOperator.allCases, &generator), field(&generator))
    return .test(left, Bool.random(using: &generator) ? right : textTest(&generator))
  }

  private func pick<Element>(_ elements: [Element], _ generator: inout SeededGenerator) -> Element {
    elements[Int.random(in: elements.indices, using: &generator)]
  }

  private func word(_ generator: inout SeededGenerator) -> [UInt8] {
    Array(pick(Self.words, &generator).utf8)
  }

  private func textTest(_ generator: inout SeededGenerator) -> Comparison {
    let one = word(&generator)
    let many = (0..<Int.random(in: 0...7, using: &generator)).map { _ in word(&generator) }
    switch Int.random(in: 0...16, using: &generator) {
    case 0: return .exists
    case 1: return .equal(.text(one))
    case 2: return .notEqual(.text(one))
    case 3: return .less(.text(one))
    case 4: return .lessOrEqual(.text(one))
    case 5: return .greater(.text(one))
    case 6: return .greaterOrEqual(.text(one))
    case 7: return .isIn(many.map { .text($0) })
    case 8: return .contains(one)
    case 9: return .containsIgnoringCase(one)
    case 10: return .startsWith(one)
    case 11: return .endsWith(one)
    case 12: return .glob(one + Array("*".utf8))
    case 13: return .globIgnoringCase(Array("?".utf8) + one)
    case 14...15:
      let symbol = pick(TextOperator.allCases, &generator)
      return .quantified(pick(Quantifier.allCases, &generator), many.map(symbol.comparison(with:)))
    default: return .pathMatch(many)
    }
  }

  private func number(_ generator: inout SeededGenerator) -> Comparison {
    let constant = Constant.unsigned(UInt64.random(in: 0...3, using: &generator))
    switch Int.random(in: 0...3, using: &generator) {
    case 0: return .equal(constant)
    case 1: return .greaterOrEqual(constant)
    case 2: return .isIn([constant, .unsigned(2)])
    default: return .notEqual(constant)
    }
  }

  private func addressTest(_ generator: inout SeededGenerator) -> Comparison {
    let constant = Constant.address(IPAddress(v4: UInt32.random(in: 0...2, using: &generator)))
    return Bool.random(using: &generator) ? .equal(constant) : .notEqual(constant)
  }

  private func event(_ generator: inout SeededGenerator) -> GivenEvent {
    var values: [GivenEvent.Key: GivenEvent.Value] = [:]
    func give(_ field: Field, at argument: FieldArgument = .none, _ value: (inout SeededGenerator) -> GivenEvent.Value)
    {
      switch Int.random(in: 0...9, using: &generator) {
      case 0: values[.init(field, argument)] = .pending
      case 1...2: break
      default: values[.init(field, argument)] = value(&generator)
      }
    }
    for field in [Field.processName, .fdName, .fdNameRaw, .fdRealPath] { give(field) { .text(word(&$0)) } }
    for index in 0...3 { give(.processAncestorName, at: .index(index)) { .text(word(&$0)) } }
    for index in 0...2 { give(.fdServerName, at: .index(index)) { .text(word(&$0)) } }
    for index in 0...1 {
      give(.fdEitherAddress, at: .index(index)) { .address(IPAddress(v4: UInt32.random(in: 0...2, using: &$0))) }
    }
    give(.userID) { .unsigned(UInt64.random(in: 0...3, using: &$0)) }
    return GivenEvent(.openat, values)
  }

  @Test("the glob of the matcher agrees with fnmatch on random patterns")
  func globs() {
    var generator = SeededGenerator(seed: 7)
    let patternPieces = [
      "*", "?", "a", "b", "/", "[ab]", "[!a]", "[a-c]", "\\*", ".", "[]a]", "[^b]", "[", "]", "-", "A", "[\\]]",
      "[[:alpha:]]", "[[:digit:]b]", "[![:upper:]]", "[a[:punct:]]",
    ]
    let textPieces = ["a", "b", "c", "/", "*", ".", "]", "[", "-", "A", "^"]
    var holdCount = 0
    for _ in 0..<20_000 {
      let pattern = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
        pick(patternPieces, &generator)
      }
      .joined()
      let text = (0..<Int.random(in: 0...6, using: &generator)).map { _ in pick(textPieces, &generator)
      }
      .joined()
      let comparison: Comparison =
        Bool.random(using: &generator) ? .glob(Array(pattern.utf8)) : .globIgnoringCase(Array(pattern.utf8))
      var engines = Engines([.test(.processName, comparison)])
      let result = engines.match(GivenEvent(.execve, [.init(.processName): .text(text)]))
      #expect(result.matcher == result.reference, "pattern '\(pattern)', text '\(text)'")
      if result.reference != .none { holdCount += 1 }
    }
    #expect(holdCount > 500)
  }
}
