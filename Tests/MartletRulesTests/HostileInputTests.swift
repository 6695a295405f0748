// SPDX-License-Identifier: Apache-2.0

import Glibc
import MartletTesting
import Testing

@testable import MartletRules

@Suite("Hostile input")
struct HostileInputTests {
  private static let pieces: [String] = [
    "\"", "'", "\\", "(", ")", "[", "]", "{", "}", ":", ": ", "- ", "\n", "\n  ", " ", "#", " #", ">", "|", "&a ", "*a",
    "%", "=", "!=", "<",
    " and ", " or ", "not ", "in (", "val(", "toupper(", "proc.name", "\t", "\r\n", "é", "\u{feff}", "---\n", "...\n",
    "|2-\n", ",", "0", "-",
  ]

  static func mutate(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
      let place = Int.random(in: 0...bytes.count, using: &generator)
      switch Int.random(in: 0..<5, using: &generator) {
      case 0: bytes.insert(contentsOf: (pieces.randomElement(using: &generator) ?? "").utf8, at: place)
      case 1 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &generator)
      case 2:
        bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 0...8, using: &generator)))
      case 3: bytes.removeSubrange(place...)
      default:
        let other = Int.random(in: 0...bytes.count, using: &generator)
        bytes.insert(
          contentsOf: Array(bytes[min(place, other)..<min(max(place, other), min(place, other) + 40)]), at: place)
      }
    }
    return bytes
  }

  /// Compiles and renders; what matters is that it ends, and that there is a rule set or an error.
  static func survive(_ bytes: [UInt8]) {
    let source = SourceFile(path: "x.yaml", bytes: bytes)
    let result = Ruleset.compile([source])
    #expect((result.ruleset == nil) == result.hasErrors)
    let text = DiagnosticRenderer(sources: [source], isColored: true).render(result.diagnostics)
    #expect(text.isEmpty == result.diagnostics.isEmpty)
    for diagnostic in result.diagnostics {
      #expect(diagnostic.json.hasPrefix("{"))
      #expect(diagnostic.primary.span.start.offset <= diagnostic.primary.span.end.offset)
      #expect(diagnostic.primary.span.end.offset <= bytes.count)
    }
  }

  @Test("mutated fixtures", arguments: FixtureTests.names)
  func fixtures(name: String) {
    let bytes = TestFiles.bytes("\(TestFiles.fixtures)/\(name).yaml")
    var generator = SeededGenerator(seed: UInt64(name.utf8.count) &* 77 &+ UInt64(bytes.count))
    for _ in 0..<200 { Self.survive(Self.mutate(bytes, &generator)) }
  }

  /// Another one can be tried with MARTLET_SEED=n in the environment.
  private static let seed = getenv("MARTLET_SEED").flatMap { UInt64(String(cString: $0)) } ?? 1

  @Test("mutated outputs")
  func outputs() {
    var generator = SeededGenerator(seed: Self.seed)
    let outputs = [
      "%proc.name: %20fd.name and %proc.aname[2].", "%toupper(proc.name)%%5join(',', (proc.name, 'x'))",
      "a %evt.arg.flags b",
    ]
    for text in outputs {
      for _ in 0..<300 {
        let output = Self.mutate(Array(text.utf8), &generator)
        Self.survive(
          Array("- {rule: R, desc: D, condition: evt.type = open, priority: INFO, output: \"".utf8) + output
            + Array("\"}".utf8))
      }
    }
  }

  @Test("mutated conditions")
  func conditions() {
    var generator = SeededGenerator(seed: Self.seed)
    for text in ConditionCases.valid + ConditionCases.invalid.map(\.0) {
      for _ in 0..<200 {
        let bytes = Self.mutate(Array(text.utf8), &generator)
        let (tree, problems) = ConditionParser.parse(bytes, depthMax: 100)
        #expect(problems.allSatisfy { $0.range.lowerBound >= 0 && $0.range.upperBound <= bytes.count })
        let check = ConditionCheck(bytes)
        #expect(check.diagnostics.allSatisfy { $0.primary.span.end.offset <= bytes.count })
        guard problems.isEmpty else { continue }
        // What was read loses nothing: printed and read again it is the same, but where Falco prints what it cannot read.
        let printed = Array(tree.canonical.utf8)
        let again = ConditionParser.parse(printed, depthMax: 100)
        let isReadable = again.problems.isEmpty || bytes.contains { [0, .apostrophe, .quote, .backslash].contains($0) }
        #expect(isReadable, "\(bytes.string)")
        if again.problems.isEmpty, !tree.canonical.contains("not not ") {
          #expect(again.tree.canonical == tree.canonical, "\(bytes.string)")
        }
      }
    }
  }

  @Test("mutated YAML")
  func yaml() {
    var generator = SeededGenerator(seed: 2)
    for text in YAMLCases.valid + YAMLCases.invalid {
      for _ in 0..<100 { Self.survive(Self.mutate(Array(text.utf8), &generator)) }
    }
  }

  @Test("random bytes")
  func random() {
    var generator = SeededGenerator(seed: 3)
    for _ in 0..<500 {
      let count = Int.random(in: 0...200, using: &generator)
      Self.survive((0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }
  }

  @Test(
    "a quarter of a megabyte of one piece", .timeLimit(.minutes(5)),
    arguments: [
      "[", "{", "- ", "- a\n", "a: ", "&a ", "*a ", "\"", "'", "\n", " ", "#", "a: b\n", "? ", "!x ", "- [\n", "a:\n",
      "|\n", "- >\n\n", "%", "---\n", "{a", ",", "a\n\n",
    ])
  func megabyte(piece: String) {
    Self.survive(Array(String(repeating: piece, count: 250_000 / piece.utf8.count).utf8))
  }

  @Test("a hundred thousand misspelled names are not each searched for in all tables", .timeLimit(.minutes(5)))
  func misspelled() {
    let names = (0..<100_000).map { "opena\($0)" }.joined(separator: ", ")
    let macros = (0..<2000).map { "- macro: macro\($0)\n  condition: macra\($0)\n" }.joined()
    Self.survive(Array((macros + rule("evt.type in (\(names))")).utf8))
  }
}
