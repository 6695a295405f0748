// SPDX-License-Identifier: Apache-2.0

import Testing
import Yams

@testable import MartletRules

func readYAML(_ text: String, limits: Limits = Limits()) throws -> [YAMLNode] {
  try YAMLReader(LineIndex(SourceFile(path: "test.yaml", text: text)), source: 0, limits: limits).documents()
}

@Suite("YAML reader")
struct YAMLReaderTests {
  @Test("valid YAML is read", arguments: YAMLCases.valid)
  func reads(text: String) {
    #expect(throws: Never.self) { try readYAML(text) }
  }

  @Test("what is no YAML is refused, in words of our own and at a place", arguments: YAMLCases.invalid)
  func refuses(text: String) {
    #expect {
      try readYAML(text)
    } throws: { error in
      guard let problem = error as? YAMLProblem else { return false }
      let isOurs = !problem.message.hasPrefix("not valid YAML") && !problem.label.isEmpty
      return isOurs && !problem.range.isEmpty && problem.range.upperBound <= text.utf8.count
    }
  }

  @Test("every mistake is shown where it is", arguments: YAMLCases.shown)
  func shows(text: String, shown: String, message: String) {
    #expect {
      try readYAML(text)
    } throws: { error in
      guard let problem = error as? YAMLProblem else { return false }
      let bytes = Array(text.utf8)
      #expect(bytes[problem.range.lowerBound...].string.hasPrefix(shown))
      #expect(problem.message == message)
      return true
    }
  }

  @Test("the places of a scalar say what Yams says, in every valid case", arguments: YAMLCases.valid + YAMLCases.mapped)
  func scans(text: String) throws { try expectScanned(text) }

  @Test("and in every fixture", arguments: FixtureTests.names)
  func scansFixture(name: String) throws {
    let text = TestFiles.bytes("\(TestFiles.fixtures)/\(name).yaml").text
    guard (try? readYAML(text)) != nil else { return }
    try expectScanned(text)
  }

  @Test("and in Falco's rule files", TestFiles.needsUpstream, arguments: TestFiles.upstreamRules)
  func scansUpstream(path: String) throws { try expectScanned(TestFiles.bytes(path).text) }

  /// Every scalar of a text can be found again byte by byte.
  private func expectScanned(_ text: String) throws {
    let index = LineIndex(SourceFile(path: "test.yaml", text: text))
    let marks = YAMLMarks(index)
    func check(_ node: Node) throws {
      switch node {
      case .scalar(let scalar):
        let value = Array(scalar.string.utf8)
        let start = marks.offset(of: try #require(scalar.mark))
        let scanned = ScalarScanner.scan(value, style: scalar.style, in: index.bytes, at: start, source: 0)
        #expect(scanned?.bytes == value)
      case .sequence(let items): for item in items { try check(item) }
      case .mapping(let entries):
        for (key, value) in entries {
          try check(key)
          try check(value)
        }
      case .alias: break
      }
    }
    for document in try Array(Yams.compose_all(yaml: text)) { try check(document) }
  }

  @Test("each byte of a scalar knows where it stands, in every style", arguments: YAMLCases.mapped)
  func places(text: String) throws {
    guard case .mapping(let entries) = try #require(try readYAML(text).first).content else {
      Issue.record("not a mapping")
      return
    }
    let scalar = try #require(entries[0].value.scalar).text
    let bytes = Array(text.utf8)
    for word in ["one", "two", "thrée", "f\"r", "fünf", "x'y"] {
      let wanted = Array(word.utf8)
      guard let offset = firstOffset(of: wanted, in: scalar.bytes) else { continue }
      let place = scalar.file(offset..<offset + wanted.count).range
      let found = String(decoding: bytes[place], as: UTF8.self)
      let spellings = [word, "f\\\"r", "f\\xfcnf", "x''y", "thr\\u00e9e"]
      #expect(spellings.contains(found), "\(word) is shown as \(found)")
    }
  }

  private func firstOffset(of needle: [UInt8], in bytes: [UInt8]) -> Int? {
    guard bytes.count >= needle.count else { return nil }
    return (0...bytes.count - needle.count).first { Array(bytes[$0..<$0 + needle.count]) == needle }
  }

  @Test(
    "an alias bomb is refused, as a value and as a key", arguments: ["- *a12\n", "- *a12 : x\n", "- {? [*a12] : x}\n"])
  func aliasBomb(end: String) {
    var text = "- &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...12 {
      let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
      text += "- &a\(level) [\(aliases)]\n"
    }
    #expect {
      try readYAML(text + end)
    } throws: { error in
      [.tooManyNodes, .unsupportedYAML].contains((error as? YAMLProblem)?.code)
    }
  }

  @Test("one anchor may be used a thousand times, whatever the texts look like")
  func manyAliases() throws {
    let text = "- &tags [a, b]\n- is it? yes [or]: no\n" + String(repeating: "- *tags\n", count: 1000)
    #expect(throws: Never.self) { try readYAML(text.replacing("[or]: no", with: "[or] no")) }
  }

  @Test("a long text behind many aliases is scanned once", .timeLimit(.minutes(5)))
  func longAlias() throws {
    let text = "- &a " + String(repeating: "x", count: 1 << 20) + "\n" + String(repeating: "- *a\n", count: 100_000)
    _ = try? readYAML(text)
  }

  @Test("large keys inside each other are refused before they are hashed at each level")
  func nestedKeys() {
    let text = String(repeating: "? ", count: 900) + "[" + String(repeating: "a, ", count: 300_000) + "]"
    #expect(throws: YAMLProblem.self) { try readYAML(text) }
  }

  @Test(
    "a collection as a key is refused",
    arguments: ["[a, b]: c\n", "? [a]\n: b\n", "{a: b}: c\n", "- &x [a]\n- *x : b\n"])
  func collectionKeys(text: String) {
    #expect { try readYAML(text) } throws: { ($0 as? YAMLProblem)?.code == .unsupportedYAML }
  }

  @Test("deep nesting is refused", arguments: ["[", "{a: ", "- ", "? ", "[a: ", "{? ", "- [", "[? "])
  func deep(piece: String) {
    #expect(throws: YAMLProblem.self) { try readYAML(String(repeating: piece, count: 100_000)) }
    let closed = String(repeating: "[a: ", count: 900) + "x" + String(repeating: "]", count: 900)
    #expect { try readYAML(closed) } throws: { ($0 as? YAMLProblem)?.code == .nestedTooDeep }
  }

  @Test("control characters and what is not UTF-8 never reach the parser")
  func notText() {
    let samples: [[UInt8]] = [
      [0], [0x7f], [0x1b], [0xff], [0xc2, 0x80], [0xc2], [0xef, 0xbf, 0xbe], [0xed, 0xa0, 0x80],
    ]
    for sample in samples {
      let result = Ruleset.compile([SourceFile(path: "a.yaml", bytes: Array("- rule: ".utf8) + sample)])
      #expect(result.diagnostics.map(\.code) == [.notUTF8])
    }
  }

  @Test("marks are found behind the line breaks that only YAML knows")
  func otherBreaks() throws {
    let text = "a: \"x\u{2028}\u{85} y\"\nb: [é, one]\n"
    guard case .mapping(let entries) = try #require(try readYAML(text).first).content else { return }
    guard case .sequence(let items) = entries[1].value.content else { return }
    let range = try #require(items[1].scalar).text.file.range
    #expect(Array(text.utf8)[range].string == "one")
  }

  @Test("more values than the limit are refused")
  func manyNodes() {
    var limits = Limits()
    limits.yamlNodes = 10
    #expect(throws: Never.self) { try readYAML("[a, a, a, a, a]", limits: limits) }
    #expect { try readYAML(String(repeating: "- a\n", count: 20), limits: limits) } throws: {
      ($0 as? YAMLProblem)?.code == .tooManyNodes
    }
  }
}
