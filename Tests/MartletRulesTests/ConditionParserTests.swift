// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import MartletRules

func parse(_ text: String) -> (tree: ConditionSyntax, problems: [SyntaxProblem]) {
  ConditionParser.parse(Array(text.utf8), depthMax: 1000)
}

@Suite("Condition parser")
struct ConditionParserTests {
  @Test("valid conditions have no problems", arguments: ConditionCases.valid)
  func valid(text: String) {
    #expect(parse(text).problems.map(\.message) == [])
  }

  @Test("each mistake is reported where it stands", arguments: ConditionCases.invalid)
  func invalid(text: String, expected: [String]) {
    let bytes = Array(text.utf8)
    let found = parse(text).problems.map { problem in
      "\(problem.code.rawValue) \(String(decoding: bytes[problem.range], as: UTF8.self))"
    }
    #expect(found == expected)
  }

  @Test("every condition of Falco's rule files parses", TestFiles.needsUpstream, arguments: TestFiles.upstreamRules)
  func upstream(path: String) throws {
    let text = String(decoding: TestFiles.bytes(path), as: UTF8.self)
    var count = 0
    for document in try readYAML(text) {
      guard case .sequence(let items) = document.content else { continue }
      for case .mapping(let entries) in items.map(\.content) {
        guard let condition = entries.first(where: { $0.key.scalar?.text.string == "condition" }) else { continue }
        let bytes = try #require(condition.value.scalar).text.bytes
        #expect(ConditionParser.parse(bytes, depthMax: 1000).problems.map(\.message) == [], "\(bytes.string)")
        count += 1
      }
    }
    #expect(count > 20)
  }

  @Test("a thousand parentheses are read, one more is refused")
  func depth() {
    func nested(_ count: Int) -> String {
      String(repeating: "(", count: count) + "a" + String(repeating: ")", count: count)
    }
    #expect(parse(nested(1000)).problems.isEmpty)
    #expect(parse(nested(1001)).problems.map(\.code) == [.nestedTooDeep])
    #expect(parse(String(repeating: "not (a or (b and ", count: 490)).problems.count <= ConditionLexer.problemsMax)
    #expect(parse(String(repeating: "(", count: 1_000_000)).problems.map(\.code) == [.nestedTooDeep])
    #expect(parse("a.b = " + String(repeating: "toupper(", count: 100_000)).problems.map(\.code) == [.nestedTooDeep])
  }

  @Test(
    "a quarter of a megabyte of nonsense is read in time that grows with its length", .timeLimit(.minutes(5)),
    arguments: [
      ")", "\"", "\\\"", "'", "a ", "= ", "and ", ",", "(a,", "a in (b ", "not ", "or(", "x.y[", "val(", "\u{1}",
    ])
  func nonsense(piece: String) {
    _ = parse(String(repeating: piece, count: 250_000 / piece.utf8.count))
  }
}
