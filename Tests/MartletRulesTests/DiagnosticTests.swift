// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import MartletRules

@Suite("Diagnostics")
struct DiagnosticTests {
  private let source = SourceFile(path: "a.yaml", text: "- macro: \"m\\tx\"\n  condition: evt.num = 0\n")

  @Test("the JSON form has the same facts, on one line")
  func json() throws {
    let diagnostic = try #require(Ruleset.compile([source]).diagnostics.first)
    #expect(
      diagnostic.json
        == #"{"code":"R0017","help":[],"message":"'m\tx' is no name that a condition can refer to a macro by","notes":[],"primary":{"span":{"column":11,"end_column":15,"end_line":1,"end_offset":14,"line":1,"offset":10,"path":"a.yaml"},"text":"not letters, digits and '_'"},"related":[],"severity":"warning","upstream_code":"LOAD_INVALID_MACRO_NAME"}"#
    )
  }

  @Test("a mistake has Falco's code for where it is: a condition or an output")
  func upstreamCodes() {
    let text = rule("evt.type = open and proc.nmae = x", output: "%proc.nmae") + "- lst: x\n"
    #expect(compile(text).diagnostics.map(\.upstreamCode) == [.compileCondition, .compileOutput, .unknownItem])
  }

  @Test("colour changes nothing but colour, and is off unless asked for")
  func colour() {
    let diagnostics = Ruleset.compile([source]).diagnostics
    let plain = DiagnosticRenderer(sources: [source]).render(diagnostics)
    let colored = DiagnosticRenderer(sources: [source], isColored: true).render(diagnostics)
    #expect(!plain.contains("\u{1b}"))
    #expect(colored.contains("\u{1b}[1;33mwarning[R0017]\u{1b}[0m"))
    var stripped = ""
    var isEscape = false
    for character in colored {
      if character == "\u{1b}" { isEscape = true }
      if !isEscape { stripped.append(character) }
      if character == "m" { isEscape = false }
    }
    #expect(stripped == plain)
  }

  @Test("of a very long line the part around the mistake is shown")
  func longLine() {
    let padding = String(repeating: "proc.name = x or ", count: 500)
    let long = SourceFile(path: "a.yaml", text: rule("evt.type = open and (\(padding)proc.nmae = y)"))
    let text = DiagnosticRenderer(sources: [long]).render(Ruleset.compile([long]).diagnostics)
    let lines = text.split(separator: "\n")
    #expect(lines.allSatisfy { $0.count < 300 })
    let caret = lines.firstIndex { $0.contains("^^^^^^^^^") }
    #expect(caret.map { lines[$0 - 1].contains("proc.nmae") } == true)
  }

  @Test("a file cannot write on the terminal of who checks it")
  func terminal() {
    let hostile = SourceFile(path: "a\u{1b}[2J.yaml", text: "- ru\u{202e}le: x\n")
    let text = DiagnosticRenderer(sources: [hostile]).render(Ruleset.compile([hostile]).diagnostics)
    #expect(!text.contains("\u{1b}"))
    #expect(!text.unicodeScalars.contains("\u{202e}"))
  }

  @Test("a mistake in an appended condition is shown in the file that appends")
  func appended() throws {
    let result = compile(
      rule("evt.type = open"), "- rule: R\n  condition: and proc.nmae = x\n  override: {condition: append}\n")
    let span = try #require(result.diagnostics.first).primary.span
    #expect(span.start.description == "b.yaml:2:18")
    #expect(span.end.column == 27)
  }

  @Test(
    "the nearest name is suggested, and none that is not near",
    arguments: [
      ("proc.nmae", "proc.name"), ("proc.nam", "proc.name"), ("fd.nmae", "fd.name"), ("xyz", nil), ("a", nil),
      ("proc.name", nil),
    ] as [(String, String?)])
  func spelling(word: String, nearest: String?) {
    #expect(Spelling.nearest(to: word, among: ["proc.name", "fd.name", "evt.type", "b"]) == nearest)
  }
}
