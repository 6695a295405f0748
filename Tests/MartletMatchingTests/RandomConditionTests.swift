// SPDX-License-Identifier: Apache-2.0

import Glibc
import MartletEvents
import MartletMatching
import MartletRules
import MartletState
import MartletTesting
import Testing

/// Conditions as people write them, at random: compiled, printed and compiled again they mean the same to both engines,
/// and hold only on the events that they say. `MARTLET_SEED=n` in the environment tries one seed alone.
@Suite("Random conditions mean the same however they are read")
struct RandomConditionTests {
  static let seeds: [UInt64] =
    getenv("MARTLET_SEED").flatMap { UInt64(String(cString: $0)) }.map { [$0] } ?? Array(1...60)

  @Test("typed, printed and read again, by the reference and by the matcher", arguments: seeds)
  func agree(seed: UInt64) throws {
    var random = RandomCondition(seed: seed)
    for _ in 0..<20 {
      let text = random.condition(depth: 3)
      let check = ConditionCheck(Array(text.utf8), regexProblem: RegularExpression.problem)
      let condition = try #require(check.condition, "\(text): \(check.diagnostics.map(\.message))")
      let canonical = try #require(check.canonical)
      #expect(condition.description == canonical)
      let again = ConditionCheck(Array(canonical.utf8), regexProblem: RegularExpression.problem)
      #expect(again.events == check.events, "\(text)")
      let reread = try #require(again.condition, "\(canonical): \(again.diagnostics.map(\.message))")
      var first = Engines([condition])
      var second = Engines([reread])
      for _ in 0..<40 {
        let event = random.event()
        let results = [first.match(event), second.match(event)].flatMap { [$0.reference, $0.matcher] }
        #expect(Set(results.map { "\($0)" }).count == 1, "\(text)")
        if case .matched = results[0] {
          #expect(event.type.map { check.events.contains("\($0.name)") } ?? true, "\(text)")
        }
      }
    }
  }

  @Test("and the random conditions come out both ways")
  func reach() throws {
    var random = RandomCondition(seed: 1)
    var counts = [0, 0]
    for _ in 0..<100 {
      let check = ConditionCheck(Array(random.condition(depth: 3).utf8), regexProblem: RegularExpression.problem)
      var engines = Engines([try #require(check.condition)])
      for _ in 0..<20 {
        if case .matched = engines.match(random.event()).matcher { counts[0] += 1 } else { counts[1] += 1 }
      }
    }
    #expect(counts[0] > 200 && counts[1] > 200)
  }
}

/// Makes conditions with every operator, modifier and transformer, and events for them.
struct RandomCondition {
  private var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  private static let words = ["a", "ab", "abc", "/a", "/a/b", "/a/b/c", "b", "A", "/A/b", "YWI=", "-a", "-lb"]
  private static let texts = ["proc.name", "proc.pname", "fd.nameraw", "proc.cmdline", "proc.aname[1]", "proc.exe"]

  mutating func condition(depth: Int) -> String {
    switch depth == 0 ? 9 : int(10) {
    case 0: "(\(condition(depth: depth - 1)) and \(condition(depth: depth - 1)))"
    case 1: "\(condition(depth: depth - 1)) or \(condition(depth: depth - 1)) and(\(condition(depth: depth - 1)))"
    case 2: "not (\(condition(depth: depth - 1)))"
    case 3: "not not \(check())"
    case 4: "(\(condition(depth: depth - 1)))or(\(condition(depth: depth - 1)))"
    default: check()
    }
  }

  private mutating func check() -> String {
    switch int(10) {
    case 0: "fd.num \(pick(["=", "==", "!=", "<", "<=", ">", ">="])) \(int(4) - 1)"
    case 1: "proc.pid \(pick(["in", "intersects"])) (\(int(3)), \(int(3)))"
    case 2:
      "evt.type \(pick(["=", "!=", "in", "intersects"]))".appendingList(pick(["open", "openat", "connect", "read"]))
    case 3: "evt.num \(pick(["=", "<", ">=", "!="])) \(int(3))"
    case 4: "fd.sip \(pick(["=", "!="])) \(pick(["10.0.0.1", "10.0.0.2", "::1"]))"
    case 5: "fd.net \(pick(["= 10.0.0.0/8", "!= 10.0.0.0/31", "in (10.0.0.2/32, 0.0.0.0/0)"]))"
    case 6: "len(\(pick([text(), list()]))) \(pick(["=", ">", "<="])) \(int(4))"
    case 7: "\(list()) \(pick(["in", "intersects"])) \(pick(["\(words())", list()]))"
    default: "\(text()) \(comparison())"
    }
  }

  private mutating func comparison() -> String {
    let strings = ["=", "==", "!=", "contains", "icontains", "startswith", "endswith", "glob", "iglob", "regex"]
    let symbol = pick(strings)
    switch int(8) {
    case 0: return "exists"
    case 1: return "\(pick(["in", "intersects", "pmatch"])) \(words())"
    case 2: return "\(symbol) \(pick(["oneof", "anyof", "allof"])) \(words())"
    case 3: return "\(pick(["<", "<=", ">", ">="])) \(text(isRight: true))"
    case 4: return symbol == "regex" ? "= \(word())" : "\(symbol) \(text(isRight: true))"
    case 5: return "\(pick(["glob", "iglob"])) \(pick(["*a", "?b*", "[a-b]*", "/a/*", "[!x]", "*"]))"
    case 6: return "regex \(pick(["a.*", "'[ab]+'", "'^/a.*$'", ".", "[[:alpha:]]*"]))"
    default: return "\(symbol) \(word())"
    }
  }

  private mutating func text(isRight: Bool = false) -> String {
    let field = pick(Self.texts)
    switch int(9) {
    case 0: return "tolower(\(field))"
    case 1: return "toupper( \(field) )"
    case 2: return "basename(tolower(\(field)))"
    case 3: return "b64(\(field))"
    case 4: return "concat(\(field), \"\(pick(Self.words))\", \(pick(Self.texts)))"
    case 5: return "join('/', \(list()))"
    case 6: return "getopt(\(list()), \"l:a\")[\(pick(["l", "a"]))]"
    default: return isRight ? "val(\(field))" : field
    }
  }

  private mutating func list() -> String {
    let elements = "(\(pick(Self.texts)), '\(pick(Self.words))', toupper(\(pick(Self.texts))))"
    return pick(["toupper(\(elements))", "getopt(\(elements), 'l:a')", "basename(\(elements))"])
  }

  private mutating func word() -> String {
    let word = pick(Self.words)
    return pick([word.contains("=") ? "'\(word)'" : word, "\"\(word)\"", "'\(word) '", "''"])
  }

  private mutating func words() -> String { "(" + (0..<int(6)).map { _ in word() }.joined(separator: ", ") + ")" }

  mutating func event() -> GivenEvent {
    var values: [GivenEvent.Key: GivenEvent.Value] = [.init(.eventNumber): .unsigned(UInt64(1 + int(3)))]
    let fields: [Field] = [.processName, .processParentName, .fdNameRaw, .processCommandLine, .processExe]
    for field in fields where int(5) > 0 {
      values[.init(field)] = int(12) == 0 ? .pending : .text(Array(pick(Self.words).utf8))
    }
    for index in 1...2 where int(3) > 0 {
      values[.init(.processAncestorName, .index(index))] = .text(Array(pick(Self.words).utf8))
    }
    if int(3) > 0 { values[.init(.fdNumber)] = .signed(Int64(int(4) - 1)) }
    if int(3) > 0 { values[.init(.processID)] = .signed(Int64(int(3))) }
    if int(2) > 0 {
      let address = GivenEvent.Value.address(IPAddress(v4: 0x0a00_0001 + UInt32(int(2))))
      values[.init(.fdServerAddress)] = address
      values[.init(.fdEitherNetwork, .index(int(2)))] = address
    }
    return GivenEvent(pick([.open, .openat, .connect]), values)
  }

  private mutating func int(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }

  private mutating func pick<Element>(_ elements: [Element]) -> Element { elements[int(elements.count)] }
}

extension String {
  fileprivate func appendingList(_ value: String) -> String {
    hasSuffix("=") ? "\(self) \(value)" : "\(self) (\(value))"
  }
}
