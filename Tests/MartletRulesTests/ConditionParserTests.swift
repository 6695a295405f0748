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
    #expect(parse("a = " + String(repeating: "toupper(", count: 100_000)).problems.map(\.code).contains(.nestedTooDeep))
  }

  @Test(
    "a quarter of a megabyte of nonsense is read in time that grows with its length",
    arguments: [
      ")", "\"", "\\\"", "'", "a ", "= ", "and ", ",", "(a,", "a in (b ", "not ", "or(", "x.y[", "val(", "\u{1}",
    ])
  func nonsense(piece: String) {
    let clock = ContinuousClock()
    let elapsed = clock.measure { _ = parse(String(repeating: piece, count: 250_000 / piece.utf8.count)) }
    #expect(elapsed < .seconds(20))
  }
}

enum ConditionCases {
  static let valid: [String] = [
    "a", "not a", "not(a)", "a and b or c", "a and(b or c) and d", "nota", "android and order", "(a)", "((a) or (b))",
    "fd.name exists", "fd.name=x", "fd.name = x", "fd.name == x", "fd.num>=0", "fd.num >= -1", "fd.num<0x10",
    "evt.rawres<1.5e+3",
    "proc.name in (a, b)", "proc.name in(a,b)", "proc.name in ()", "proc.name in ( )", "proc.name in (\"a b\", 'c')",
    "a.b in shells",
    "fd.name pmatch (/etc, /usr)", "fd.name intersects (a)", "fd.name contains x", "fd.name glob /etc/*",
    "a.b regex '^a.*$'",
    "a.b bcontains 00ff", "a.b contains oneof (a, b)", "a.b = anyof(a)", "a.b startswith allof shells", "a.b = oneof",
    "a.b contains oneof and c",
    "toupper(a.b) = X", "a.b = toupper(c.d)", "a.b = val(c.d)", "a.b in val(c.d)", "join(\",\", (a.b, \"x\")) = y",
    "getopt(a.b, \"lp:\")[p] = 8080", "len(a.b) > 3", "a.b > len(c.d)", "concat(a.b, toupper(c.d), 'x') = y",
    "a.b[1] = x", "a.b[\"x y\"] exists",
    "a.b = '/x'or c", "a.b = \"x\"and c", " \t\r\n a \u{8} and\nb ", "a.b = a!@#456:/\\.;$%^&*[]{}|",
    "fd.snet=\"10.0.0.0/8\"", "a.b = 'x\\'y\\n\\x41'",
    "not not a", "not not not a", "a.b=-1", "a.b = \"it's\"", "a.b = <NA>",
  ]

  static let invalid: [(String, [String])] = [
    ("", ["R0030 "]), ("  ", ["R0030   "]), ("a b", ["R0031 b"]), ("a and", ["R0032 "]), ("a orb", ["R0040 or"]),
    ("a and and b", ["R0032 and"]), ("(a", ["R0033 ("]), ("a)", ["R0031 )"]), ("()", ["R0032 )"]),
    ("a.b = \"x", ["R0034 \""]), ("a.b = \"\\q\"", ["R0035 \\q"]), ("a.b foo x", ["R0036 foo"]), ("a.b", ["R0036 a.b"]),
    ("a.b and c.d", ["R0036 a.b", "R0036 c.d"]), ("a.b =", ["R0037 ="]),
    ("a.b = (x, y) and c.d", ["R0037 (", "R0036 c.d"]),
    ("a.b in x-y", ["R0038 x-y"]), ("a.b in", ["R0038 in"]), ("a.b in (x y)", ["R0037 y"]),
    ("a.b in (x,)", ["R0037 )"]),
    ("a.b in (x", ["R0033 ("]), ("a.b[] = x", ["R0039 []"]), ("a.b[1 = x", ["R0039 [1"]),
    ("a.b contains\"x\"", ["R0040 contains"]),
    ("a.b < x", ["R0037 x"]), ("a.b foo x or c.d bar y", ["R0036 foo", "R0036 bar"]), ("a = b", []),
    ("and", ["R0032 and", "R0032 "]),
    ("a.b = toupper(c.d", ["R0033 ("]), ("a.b = val()", ["R0037 val"]), ("(a b) and (c d)", ["R0031 b", "R0031 d"]),
  ]
}
