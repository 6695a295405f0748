// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import Testing

@testable import MartletRules

@Suite("Rule sets")
struct RulesetTests {
  @Test("a rule has what its keys say")
  func keys() throws {
    let text = """
      - required_engine_version: 0.57.0
      - required_plugin_versions:
        - name: container
          version: 0.4.0
      - rule: Shell
        desc: A shell
        condition: evt.type = execve
        output: " A shell (%proc.name)\\n"
        priority: Info
        tags: [shell, container, shell]
        source: syscall
        enabled: false
      """
    let result = compile(text)
    #expect(result.diagnostics.isEmpty)
    let rule = try #require(result.ruleset?.rules.first)
    #expect(rule.id == RuleID(rawValue: 0))
    #expect(rule.name == "Shell")
    #expect(rule.description == "A shell")
    #expect(rule.priority == .informational)
    #expect(rule.tags == ["container", "shell"])
    #expect(rule.source == "syscall")
    #expect(!rule.isEnabled)
    #expect(rule.location.description == "a.yaml:5:9")
    #expect(
      rule.output.pieces == [
        .literal(Array("A shell (".utf8)), .field(.init(.processName), width: nil), .literal([0x29]),
      ])
  }

  @Test("a redefinition in a later file replaces the item and keeps its place")
  func redefinition() throws {
    let first =
      rule("evt.type = open and m", name: "A") + rule("evt.type = open", name: "B")
      + "- macro: m\n  condition: proc.name = x\n"
    let second = rule("evt.type = connect and m", name: "A") + "- macro: m\n  condition: proc.name = y\n"
    let result = compile(first, second)
    #expect(summary(result) == [])
    let ruleset = try #require(result.ruleset)
    #expect(ruleset.rules.map(\.name) == ["A", "B"])
    #expect(ruleset.rules[0].condition.description == "(evt.type = connect and proc.name = y)")
    #expect(ruleset.rules[0].location.path == "b.yaml")
  }

  @Test("rules see macros defined after them, macros do not")
  func order() {
    let later = "- macro: late\n  condition: proc.name = x\n"
    #expect(summary(compile(rule("evt.type = open and late") + later)) == [])
    let early = "- macro: early\n  condition: late\n"
    let result = compile(early + later + rule("evt.type = open and early"))
    #expect(result.diagnostics.map(\.code) == [.macroBeforeDefinition])
  }

  @Test("a mistake in a macro is reported once, with the way to it")
  func once() throws {
    let text =
      "- macro: m\n  condition: proc.nmae = x\n" + rule("evt.type = open and m", name: "A")
      + rule("evt.type = open and m", name: "B")
    let result = compile(text)
    #expect(result.diagnostics.count == 1)
    #expect(result.diagnostics.first?.notes.map(\.text) == ["reached through macro 'm'"])
  }

  @Test("a bad rule does not hide errors in the next, nor a bad file those in others")
  func many() {
    let result = compile(rule("a.b = x", name: "A") + rule("c.d = y", name: "B"), "- a: [", rule("e.f = z", name: "C"))
    #expect(result.diagnostics.map(\.primary.span.path) == ["a.yaml", "a.yaml", "b.yaml", "c.yaml"])
    #expect(result.ruleset == nil)
  }

  @Test("an item with 'enabled' alone switches a rule of another file")
  func switches() throws {
    let result = compile(rule("evt.type = open", name: "A"), "- rule: A\n  enabled: false\n")
    #expect(result.diagnostics.map(\.code) == [.deprecatedSwitch])
    #expect(try #require(result.ruleset).rules[0].isEnabled == false)
  }

  @Test("warn_evttypes: false silences the warning")
  func quiet() {
    #expect(summary(compile(rule("proc.name = x", extra: "  warn_evttypes: false"))) == [])
  }

  @Test("outputs are cut into literals and fields", arguments: outputs)
  func output(text: String, expected: [OutputTemplate.Piece]) throws {
    #expect(try compiledRule("evt.type = open", output: text).output.pieces == expected)
  }

  private static let upperName = Operand.transformed(.toUpper, [.field(FieldReference(.processName))], selector: nil)

  static func literal(_ text: String) -> OutputTemplate.Piece { .literal(Array(text.utf8)) }
  static let outputs: [(String, [OutputTemplate.Piece])] = [
    ("plain", [literal("plain")]),
    ("%proc.name", [.field(.init(.processName), width: nil)]),
    ("a %20fd.name: b", [literal("a "), .field(.init(.fdName), width: 20), literal(": b")]),
    ("%proc.nameand", [.field(.init(.processName), width: nil), literal("and")]),
    ("%proc.name.", [.field(.init(.processName), width: nil), literal(".")]),
    (
      "%proc.aname[3]%proc.pid",
      [.field(.init(.processAncestorName, .index(3)), width: nil), .field(.init(.processID), width: nil)]
    ),
    ("%proc.name[x]", [.field(.init(.processName), width: nil), literal("[x]")]),
    ("%proc.aname[x]", [.field(.init(.processAncestorName), width: nil), literal("[x]")]),
    ("%0proc.pid", [.field(.init(.processID), width: nil)]),
    (
      "<%8toupper( proc.name )>",
      [literal("<"), .transformed(upperName, text: "toupper(proc.name)", width: 8), literal(">")]
    ),
  ]

  @Test("fields of an output are listed once, in order")
  func outputFields() throws {
    let output = try compiledRule("evt.type = open", output: "%fd.name %proc.name %fd.name").output
    #expect(output.fields == [.init(.fdName), .init(.processName)])
  }

  @Test("a macro bomb is refused before it takes memory")
  func macroBomb() {
    var text = "- macro: m0\n  condition: proc.name = x\n"
    for level in 1...60 {
      let uses = Array(repeating: "m\(level - 1)", count: 10).joined(separator: " or ")
      text += "- macro: m\(level)\n  condition: \(uses)\n"
    }
    let result = compile(text + rule("evt.type = open and m60"))
    #expect(result.diagnostics.map(\.code) == [.conditionTooLarge])
  }

  @Test("a list bomb is refused before it takes memory")
  func listBomb() {
    let items = (0..<1000).map { "i\($0)" }.joined(separator: ", ")
    let uses = Array(repeating: "big", count: 1000).joined(separator: ", ")
    let text = "- list: big\n  items: [\(items)]\n" + rule("evt.type = open and proc.name in (\(uses))")
    #expect(compile(text).diagnostics.map(\.code) == [.conditionTooLarge])
  }

  @Test("a chain of many macros is refused, not followed to the end of the stack")
  func macroChain() {
    var text = "- macro: m0\n  condition: proc.name = x\n"
    for level in 1...5000 { text += "- macro: m\(level)\n  condition: not m\(level - 1)\n" }
    #expect(compile(text + rule("evt.type = open and m5000")).diagnostics.map(\.code) == [.nestedTooDeep])
  }

  @Test("a condition as deep as allowed is compiled, one deeper refused")
  func deepCondition() {
    func nested(_ count: Int) -> String {
      String(repeating: "not (proc.name = x or ", count: count) + "proc.name = y" + String(repeating: ")", count: count)
    }
    #expect(compile(rule("evt.type = open and " + nested(1000))).ruleset != nil)
    #expect(compile(rule("evt.type = open and " + nested(1001))).diagnostics.map(\.code) == [.nestedTooDeep])
  }

  @Test("each limit of the whole set bites")
  func rulesetSize() {
    var limits = Limits()
    limits.rulesetSize = 5
    let text = (0..<4).map { rule("evt.type = open", name: "R\($0)") }.joined()
    #expect(compile(text, limits: limits).diagnostics.map(\.code) == [.conditionTooLarge])
  }

  @Test("append joins texts and lists, replace puts new ones in their place", arguments: amendments)
  func amendment(text: String, condition: String) throws {
    let before = """
      - list: l
        items: [a]
      - macro: m
        condition: proc.name in (l) or proc.pname = p
      """
    let result = compile(before + "\n" + rule("evt.type = open and m"), text)
    #expect(result.diagnostics.filter { ![.deprecatedAppend, .unusedList, .looseAppend].contains($0.code) } == [])
    #expect(result.ruleset?.rules.map(\.condition.description) == [condition])
  }

  static let amendments: [(String, String)] = [
    (
      "- list: l\n  items: [b]\n  override: {items: append}",
      "(evt.type = open and (proc.name in (a, b) or proc.pname = p))"
    ),
    ("- list: l\n  items: [b]\n  append: true", "(evt.type = open and (proc.name in (a, b) or proc.pname = p))"),
    (
      "- list: l\n  items: [b]\n  override: {items: replace}",
      "(evt.type = open and (proc.name in (b) or proc.pname = p))"
    ),
    (
      "- macro: m\n  condition: and fd.num = 1\n  override: {condition: append}",
      "(evt.type = open and (proc.name in (a) or (proc.pname = p and fd.num = 1)))"
    ),
    ("- macro: m\n  condition: fd.num = 1\n  override: {condition: replace}", "(evt.type = open and fd.num = 1)"),
    (
      "- rule: R\n  condition: or evt.type = connect\n  append: true",
      "((evt.type = open and (proc.name in (a) or proc.pname = p)) or evt.type = connect)"
    ),
    (
      "- rule: R\n  condition: evt.type = connect and m\n  override: {condition: replace}",
      "(evt.type = connect and (proc.name in (a) or proc.pname = p))"
    ),
  ]

  @Test("an override changes the keys that it names, and no others")
  func overrides() throws {
    let text = """
      - rule: R
        desc: more
        output: "%proc.name"
        tags: [b, a]
        priority: ERROR
        enabled: false
        override: {desc: append, output: append, tags: append, priority: replace, enabled: replace}
      """
    let result = compile(rule("evt.type = open", extra: "  tags: [c]"), text)
    #expect(summary(result) == [])
    let changed = try #require(result.ruleset?.rules.first)
    #expect(changed.description == "D more")
    #expect(changed.output.pieces == [Self.literal("x "), .field(.init(.processName), width: nil)])
    #expect(changed.tags == ["a", "b", "c"])
    #expect(changed.priority == .error)
    #expect(!changed.isEnabled)
  }

  @Test("an exception is a condition that must not hold", arguments: exceptions)
  func exception(text: String, condition: String) throws {
    let before = "- list: l\n  items: [a, b c]\n"
    let lines = text.split(separator: "\n").map { "    \($0)\n" }.joined()
    let extra = "  exceptions:\n  - name: e\n\(lines)"
    let result = compile(before + rule("evt.type = open or evt.type = connect", extra: extra))
    #expect(summary(result).filter { !$0.hasPrefix("R0304") } == [])
    let found = try #require(result.ruleset?.rules.first)
    #expect(found.condition.description == "((evt.type = open or evt.type = connect) and not \(condition))")
    #expect(found.exceptions.map(\.name) == ["e"])
    #expect(found.exceptions.map(\.condition.description) == [condition])
  }

  static let exceptions: [(String, String)] = [
    ("fields: proc.name\nvalues: [x, y]", "proc.name in (x, y)"),
    ("fields: proc.name\nvalues: [l, 'y z', '\"q\"', 'a\\c']", #"proc.name in (a, "b c", "y z", q, "a\\c")"#),
    ("fields: fd.name\ncomps: pmatch\nvalues: [/etc, '/a b']", "fd.name pmatch (/etc, \"/a b\")"),
    ("fields: fd.name\ncomps: startswith anyof\nvalues: [/etc, /usr]", "fd.name startswith anyof (/etc, /usr)"),
    ("fields: [proc.name]\nvalues: [[x]]", "proc.name = x"),
    ("fields: [proc.name]\ncomps: [in]\nvalues: [[x]]", "proc.name in (x)"),
    (
      "fields: [proc.name, fd.name]\nvalues:\n- [x, /a]\n- [y, /b]",
      "((proc.name = x and fd.name = /a) or (proc.name = y and fd.name = /b))"
    ),
    (
      "fields: ['proc.aname[2]', fd.num]\ncomps: [in, '>=']\nvalues:\n- [[x, 'y z'], 3]",
      "(proc.aname[2] in (x, \"y z\") and fd.num >= 3)"
    ),
    (
      "fields: [proc.name]\ncomps: [contains oneof]\nvalues: [[[x, y]], [z]]",
      "(proc.name contains oneof (x, y) or proc.name contains oneof (z))"
    ),
  ]

  @Test("an exception without values excepts nothing, and values can be appended")
  func appendedException() throws {
    let defined = rule("evt.type = open", extra: "  exceptions:\n  - {name: e, fields: proc.name}\n")
    #expect(try #require(compile(defined).ruleset).rules[0].condition.description == "evt.type = open")
    let appended = """
      - rule: R
        exceptions:
        - {name: e, values: [x]}
        - {name: f, fields: [fd.name], values: [[/a]]}
        override: {exceptions: append}
      - rule: R
        exceptions:
        - {name: e, values: [y]}
        append: true
      """
    let result = compile(defined, appended)
    #expect(result.diagnostics.map(\.code) == [.deprecatedAppend])
    let condition = "(evt.type = open and not proc.name in (x, y) and not fd.name = /a)"
    #expect(result.ruleset?.rules[0].condition.description == condition)
    let replaced =
      "- rule: R\n  exceptions: [{name: g, fields: fd.name, values: [/g]}]\n  override: {exceptions: replace}\n"
    let second = compile(defined, appended, replaced)
    #expect(second.ruleset?.rules[0].condition.description == "(evt.type = open and not fd.name in (/g))")
    #expect(second.ruleset?.rules[0].exceptions.map(\.location.path) == ["c.yaml"])
  }

  @Test("what cannot be appended to an exception is refused")
  func refusedException() {
    let defined = rule("evt.type = open", extra: "  exceptions:\n  - {name: e, fields: proc.name}\n")
    for entry in ["{name: e, fields: fd.name, values: [x]}", "{name: f, fields: fd.name}", "{values: [x]}", "x"] {
      let text = "- rule: R\n  exceptions: [\(entry)]\n  override: {exceptions: append}\n"
      let codes = compile(defined, text).diagnostics.filter { $0.severity == .error }.map(\.code)
      #expect(codes == [.invalidException])
    }
  }

  @Test("an amended macro sees what was defined before its last amendment")
  func amendedOrder() {
    let early = "- macro: early\n  condition: proc.name = x\n- macro: late\n  condition: proc.name = y\n"
    let amended = "- macro: early\n  condition: or late\n  override: {condition: append}\n"
    #expect(summary(compile(early + amended + rule("evt.type = open and early"))) == [])
  }

  @Test(
    "Falco's rule files compile without error or warning", TestFiles.needsUpstream,
    arguments: TestFiles.upstreamRules)
  func upstream(path: String) {
    let result = Ruleset.compile([SourceFile(path: path, bytes: TestFiles.bytes(path))])
    #expect(result.diagnostics.filter { $0.severity != .note } == [])
  }
}
