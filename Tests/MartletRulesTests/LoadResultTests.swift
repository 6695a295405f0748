// SPDX-License-Identifier: Apache-2.0

import MartletRules
import Testing

/// What Falco says to rule files: the code of its one error, and those of its warnings.
@Suite("Falco's results")
struct LoadResultTests {
  /// "LOAD_ERR_VALIDATE | LOAD_DEPRECATED_ITEM …" for each file; "ok" where there is no error.
  static func outcomes(_ texts: [String]) -> [String] {
    Ruleset.loadResults(sourceFiles(texts)).map { result in
      let error = result.errors.first?.code.rawValue ?? "ok"
      return ([error] + result.warnings.map(\.code.rawValue)).joined(separator: " ")
    }
  }

  static let a = rule("evt.type = open", name: "A")

  @Test("an item gets Falco's code", arguments: items)
  func item(text: String, expected: String) {
    #expect(Self.outcomes([text]) == [expected])
  }

  static let items: [(String, String)] = [
    // Files
    ("", "ok"),
    ("# nothing\n---\n\n---\n", "ok"),
    ("text", "LOAD_ERR_YAML_VALIDATE"),
    ("rule: A", "LOAD_ERR_YAML_VALIDATE"),
    ("- a: [", "LOAD_ERR_YAML_PARSE"),
    ("- rule: A\n\tdesc: tab", "LOAD_ERR_YAML_PARSE"),
    ("- text", "LOAD_ERR_YAML_VALIDATE"),
    ("-\n- ~\n", "ok"),
    ("- rle: A", "ok LOAD_UNKNOWN_ITEM"),
    ("- {}", "ok LOAD_UNKNOWN_ITEM"),
    // Required keys, empty values
    ("- rule: A\n  desc: D", "LOAD_ERR_YAML_VALIDATE"),
    ("- rule: A", "LOAD_ERR_YAML_VALIDATE"),
    ("- rule:\n", "LOAD_ERR_YAML_VALIDATE"),
    ("- macro: m", "LOAD_ERR_YAML_VALIDATE"),
    ("- list: l", "LOAD_ERR_YAML_VALIDATE"),
    ("- list: l\n  items: a", "LOAD_ERR_YAML_VALIDATE"),
    ("- list: l\n  items: [[a]]", "LOAD_ERR_YAML_VALIDATE"),
    ("- macro: m\n  condition: ''", "LOAD_ERR_YAML_VALIDATE"),
    ("- macro: m\n  condition: [a]", "LOAD_ERR_YAML_VALIDATE"),
    (rule("evt.type = open", extra: "  tags:"), "LOAD_ERR_YAML_VALIDATE"),
    (rule("evt.type = open", extra: "  source:"), "LOAD_ERR_YAML_VALIDATE"),
    (rule("evt.type = open", extra: "  enabled: maybe"), "LOAD_ERR_YAML_VALIDATE"),
    (rule("evt.type = open", extra: "  enabled: Off"), "ok"),
    (rule("evt.type = open", extra: "  exceptions:"), "ok"),
    (a.replacing("NOTICE", with: "LOUD"), "LOAD_ERR_YAML_VALIDATE"),
    (a.replacing("NOTICE", with: "iNfO"), "ok"),
    // Unknown keys and names
    (rule("evt.type = open", extra: "  prio: HIGH"), "ok LOAD_UNKNOWN_KEY"),
    (rule("evt.type = open", extra: "  capture: true\n  capture_duration: 5"), "ok"),
    ("- macro: m-n\n  condition: evt.type = open", "ok LOAD_INVALID_MACRO_NAME LOAD_UNUSED_MACRO"),
    ("- list: l m\n  items: []", "ok LOAD_INVALID_LIST_NAME LOAD_UNUSED_LIST"),
    // Versions
    ("- required_engine_version: 63", "ok"),
    ("- required_engine_version: 0.63.0", "ok"),
    ("- required_engine_version: 0.64.0", "LOAD_ERR_VALIDATE"),
    ("- required_engine_version: 1.0.0", "LOAD_ERR_VALIDATE"),
    ("- required_engine_version: new", "LOAD_ERR_YAML_VALIDATE"),
    ("- required_plugin_versions: [{name: container, version: 0.4.0}]", "ok"),
    ("- required_plugin_versions: [{name: json, version: 0.1.0}]", "LOAD_ERR_VALIDATE"),
    (
      "- required_plugin_versions: [{name: json, version: 0.1.0, alternatives: [{name: container, version: 0.1.0}]}]",
      "ok"
    ),
    ("- required_plugin_versions: [{name: container, version: '1'}]", "LOAD_ERR_VALIDATE"),
    ("- required_plugin_versions: [{name: container}]", "LOAD_ERR_YAML_VALIDATE"),
    ("- required_plugin_versions: container", "LOAD_ERR_YAML_VALIDATE"),
    // Sources
    (rule("ka.verb = create", extra: "  source: k8s_audit"), "ok LOAD_UNKNOWN_SOURCE"),
    (a + rule("ka.verb = create", name: "A", extra: "  source: k8s_audit"), "LOAD_ERR_VALIDATE"),
  ]

  @Test("an amendment gets Falco's code", arguments: amendments)
  func amendment(text: String, expected: String) {
    #expect(Self.outcomes([Self.a + "- list: l\n  items: [x]\n" + text]) == [expected + " LOAD_UNUSED_LIST"])
  }

  static let amendments: [(String, String)] = [
    ("- rule: A\n  enabled: false", "ok LOAD_DEPRECATED_ITEM"),
    ("- rule: A\n  condition: and evt.num = 1\n  append: true", "ok LOAD_DEPRECATED_ITEM"),
    ("- rule: A\n  condition: and evt.num = 1\n  enabled: false\n  append: true", "ok LOAD_DEPRECATED_ITEM"),
    ("- rule: A\n  condition: and evt.num = 1\n  override: {condition: append}", "ok"),
    ("- rule: A\n  condition: evt.type = close\n  desc: x\n  override: {condition: replace, desc: append}", "ok"),
    ("- rule: A\n  enabled: false\n  priority: INFO\n  override: {enabled: replace, priority: replace}", "ok"),
    ("- list: l\n  items: [y]\n  override: {items: append}", "ok"),
    ("- list: l2\n  items: [l]\n  override: {items: replace}", "ok"),
    ("- macro: m\n  condition: evt.num = 1\n  override: {condition: replace}", "ok LOAD_UNUSED_MACRO"),
  ]

  @Test("an amendment that cannot be made gets Falco's code", arguments: refused)
  func refusedAmendment(text: String, expected: String) {
    #expect(Self.outcomes([Self.a + text]) == [expected])
  }

  static let refused: [(String, String)] = [
    ("- rule: B\n  enabled: false", "LOAD_ERR_VALIDATE LOAD_DEPRECATED_ITEM"),
    ("- rule: B\n  condition: and x\n  append: true", "LOAD_ERR_VALIDATE LOAD_DEPRECATED_ITEM"),
    ("- rule: B\n  condition: x\n  override: {condition: append}", "LOAD_ERR_VALIDATE"),
    ("- rule: B\n  condition: x\n  override: {condition: replace}", "LOAD_ERR_VALIDATE"),
    ("- rule: A\n  append: true", "LOAD_ERR_VALIDATE LOAD_DEPRECATED_ITEM"),
    ("- macro: m\n  condition: or x\n  append: true", "LOAD_ERR_VALIDATE LOAD_DEPRECATED_ITEM"),
    ("- list: l\n  items: [x]\n  override: {items: append}", "LOAD_ERR_VALIDATE"),
    ("- rule: A\n  condition: x\n  override: {condition: prepend}", "LOAD_ERR_YAML_VALIDATE"),
    ("- rule: A\n  enabled: true\n  override: {enabled: append}", "LOAD_ERR_YAML_VALIDATE"),
    ("- rule: A\n  source: x\n  override: {source: replace}", "LOAD_ERR_YAML_VALIDATE"),
    ("- rule: A\n  desc: x\n  override: {desc: replace, condition: append}", "LOAD_ERR_YAML_VALIDATE"),
    ("- rule: A\n  desc: x\n  output: x\n  override: {desc: replace}", "LOAD_ERR_YAML_VALIDATE"),
    (
      "- rule: A\n  condition: and x\n  append: true\n  override: {condition: append}",
      "LOAD_ERR_YAML_VALIDATE LOAD_DEPRECATED_ITEM"
    ),
  ]

  @Test("an exception gets Falco's code", arguments: exceptions)
  func exception(text: String, expected: String) {
    #expect(Self.outcomes([rule("evt.type = open", extra: "  exceptions:\n  - \(text)\n")]) == [expected])
  }

  static let exceptions: [(String, String)] = [
    ("{name: e, fields: proc.name, values: [x]}", "ok"),
    ("{name: e, fields: proc.name, comps: pmatch, values: [x]}", "ok"),
    ("{name: e, fields: [proc.name, fd.name], values: [[x, /a]]}", "ok"),
    ("{name: e, fields: [tolower(proc.name)], values: [[x]]}", "ok"),
    ("{name: e, fields: proc.name}", "ok"),
    ("e", "LOAD_ERR_YAML_VALIDATE"),
    ("{fields: proc.name}", "LOAD_ERR_YAML_VALIDATE"),
    ("{name: e, values: [x]}", "LOAD_ERR_YAML_VALIDATE"),
    ("{name: e, fields: '', values: [x]}", "LOAD_ERR_YAML_VALIDATE"),
    ("{name: e, fields: proc.name, values: x}", "LOAD_ERR_YAML_VALIDATE"),
    ("{name: e, fields: [], values: [x]}", "LOAD_ERR_VALIDATE"),
    ("{name: e, fields: proc.name, comps: '=', values: [x]}", "LOAD_ERR_VALIDATE"),
    ("{name: e, fields: proc.name, comps: [in], values: [x]}", "LOAD_ERR_VALIDATE"),
    ("{name: e, fields: [proc.name], comps: in, values: [[x]]}", "LOAD_ERR_VALIDATE"),
    ("{name: e, fields: [proc.name], comps: [near], values: [[x]]}", "LOAD_ERR_VALIDATE"),
    ("{name: e, fields: no.field, values: [x]}", "LOAD_ERR_VALIDATE"),
    ("{name: e, fields: proc.name, values: [[x]]}", "LOAD_ERR_VALIDATE"),
    ("{name: e, fields: [proc.name, fd.name], values: [[x]]}", "LOAD_ERR_VALIDATE"),
    ("{name: e, fields: [proc.name], values: [x]}", "LOAD_ERR_VALIDATE"),
    (
      "{name: e, fields: proc.name, values: [x]}\n  - {name: e, fields: proc.name, values: [y]}",
      "ok LOAD_EXCEPTION_NAME_NOT_UNIQUE"
    ),
    ("{name: e, fields: [proc.name], values: [[proc.pname]]}", "ok LOAD_COMPILE_CONDITION"),
    ("{name: e, fields: [proc.name], values: [['toupper( proc.pname)']]}", "ok LOAD_COMPILE_CONDITION"),
    ("{name: e, fields: [proc.name], values: [['toupper(proc.pname)']]}", "ok"),
  ]

  @Test("what is appended to an exception gets Falco's code", arguments: appendedExceptions)
  func appendedException(text: String, expected: String) {
    let before = rule("evt.type = open", extra: "  exceptions:\n  - {name: e, fields: proc.name, values: [a]}\n")
    let after = "- rule: R\n  exceptions: [\(text)]\n  override: {exceptions: append}\n"
    #expect(Self.outcomes([before + after]) == [expected])
  }

  static let appendedExceptions: [(String, String)] = [
    ("{name: e, values: [b]}", "ok"),
    ("{name: e}", "ok LOAD_APPEND_NO_VALUES"),
    ("{name: e, value: [b]}", "ok LOAD_APPEND_NO_VALUES"),
    ("{name: f, fields: fd.name, values: [b]}", "ok"),
    ("{name: e, fields: fd.name, values: [b]}", "LOAD_ERR_VALIDATE"),
    ("{name: e, comps: in, values: [b]}", "LOAD_ERR_VALIDATE"),
    ("{name: f, values: [b]}", "LOAD_ERR_VALIDATE"),
    ("{name: f, fields: fd.name}", "LOAD_ERR_VALIDATE LOAD_APPEND_NO_VALUES"),
  ]

  @Test("a condition or output gets Falco's code", arguments: conditions)
  func condition(text: String, expected: String) {
    #expect(Self.outcomes([text]) == [expected])
  }

  static let conditions: [(String, String)] = [
    (rule("evt.type = open and"), "LOAD_ERR_COMPILE_CONDITION"),
    (rule("evt.type = open and no.field = 1"), "LOAD_ERR_COMPILE_CONDITION"),
    (rule("evt.type = nothing"), "LOAD_ERR_COMPILE_CONDITION"),
    (rule("evt.type = open and fd.num contains 1"), "LOAD_ERR_COMPILE_CONDITION"),
    (rule("evt.type = open and nowhere"), "LOAD_ERR_VALIDATE"),
    (rule("evt.type = open", output: "%no.field"), "LOAD_ERR_COMPILE_OUTPUT"),
    (rule("evt.type = open", output: "100%"), "LOAD_ERR_COMPILE_OUTPUT"),
    (rule("evt.type = open", output: "x %container.info"), "ok LOAD_DEPRECATED_ITEM"),
    (rule("evt.type = open", output: "%container.info"), "LOAD_ERR_COMPILE_OUTPUT LOAD_DEPRECATED_ITEM"),
    (rule("proc.name = x"), "ok LOAD_NO_EVTTYPE"),
    (rule("evt.type != open"), "ok LOAD_NO_EVTTYPE"),
    (rule("evt.type = open or proc.name = x"), "ok LOAD_NO_EVTTYPE"),
    (rule("evt.type = open and evt.type = close"), "ok LOAD_NO_EVTTYPE"),
    (rule("proc.name = x", extra: "  warn_evttypes: false"), "ok"),
    (rule("evt.type = open and proc.name = proc.pname"), "ok LOAD_COMPILE_CONDITION"),
    (rule("evt.type = open and proc.name = \"proc.pname\""), "ok LOAD_COMPILE_CONDITION"),
    (
      rule("evt.type = open and proc.name in (a, proc.pname, fd.name)"),
      "ok LOAD_COMPILE_CONDITION LOAD_COMPILE_CONDITION"
    ),
    (rule("evt.type = open and proc.name = val(proc.pname)"), "ok"),
    (rule("evt.type = open and proc.name regex '.*sh'"), "ok LOAD_COMPILE_CONDITION"),
    (rule("evt.type = open and proc.name regex '^sh$'"), "ok LOAD_COMPILE_CONDITION"),
    (rule("evt.type = open and proc.name regex 'ba*sh'"), "ok"),
    (
      rule("no.field = 1 or proc.name contains", extra: "  skip-if-unknown-filter: true"), "LOAD_ERR_COMPILE_CONDITION"
    ),
    (rule("no.field = 1", extra: "  skip-if-unknown-filter: true"), "ok LOAD_UNKNOWN_FILTER"),
    (rule("evt.type = nothing", extra: "  skip-if-unknown-filter: true"), "ok LOAD_UNKNOWN_FILTER"),
    (rule("evt.type = open", output: "%no.field", extra: "  skip-if-unknown-filter: true"), "ok LOAD_UNKNOWN_FILTER"),
    (rule("evt.type = open and nowhere", extra: "  skip-if-unknown-filter: true"), "LOAD_ERR_VALIDATE"),
    ("- macro: m\n  condition: no.field = 1\n" + a, "ok LOAD_UNUSED_MACRO"),
    ("- macro: m\n  condition: (\n" + a, "LOAD_ERR_COMPILE_CONDITION"),
    ("- macro: m\n  condition: nowhere\n" + a, "LOAD_ERR_VALIDATE"),
    (
      rule("evt.type = open", extra: "  enabled: false").replacing("open", with: "no_such"),
      "LOAD_ERR_COMPILE_CONDITION"
    ),
  ]

  @Test("a file is told what it breaks in an earlier one, and the earlier one's warnings again")
  func later() {
    let first = "- macro: m\n  condition: proc.name = x\n" + rule("m", name: "A")
    #expect(
      Self.outcomes([first, "- macro: m\n  condition: no.field = 1\n", ""]) == [
        "ok LOAD_NO_EVTTYPE", "LOAD_ERR_COMPILE_CONDITION", "LOAD_ERR_COMPILE_CONDITION",
      ])
    #expect(Self.outcomes([first, Self.a.replacing("A", with: "B")]) == ["ok LOAD_NO_EVTTYPE", "ok LOAD_NO_EVTTYPE"])
  }

  @Test("what stands before a file's first error counts for the files behind it")
  func broken() {
    let second = "- rule: A\n  enabled: false\n"
    #expect(
      Self.outcomes([Self.a + "- rule: B\n" + Self.a, second]) == [
        "LOAD_ERR_YAML_VALIDATE", "ok LOAD_DEPRECATED_ITEM",
      ])
  }

  @Test("errors in outputs come before those in conditions, macros before rules")
  func order() {
    let rules = rule("no.field = 1", output: "%no.field")
    #expect(Self.outcomes([rules]) == ["LOAD_ERR_COMPILE_OUTPUT"])
    #expect(Self.outcomes([rules + "- macro: m\n  condition: nowhere\n"]) == ["LOAD_ERR_VALIDATE"])
    #expect(
      Self.outcomes([rules + "- macro: m\n  condition: nowhere\n- macro: n\n  condition: (\n"]) == [
        "LOAD_ERR_COMPILE_CONDITION"
      ])
  }

  @Test("the way to a mistake leads from the file to the character")
  func locations() throws {
    let text =
      "- macro: m\n  condition: proc.name = x\n- rule: A\n  desc: D\n  condition: evt.type = open and no.field = 1\n"
      + "  output: x\n  priority: INFO\n"
    let issue = try #require(Ruleset.loadResults(sourceFiles([text]))[0].errors.first)
    #expect(issue.message == "filter_check called with nonexistent field no.field")
    #expect(issue.locations.map(\.itemType) == ["rules content", "rule", "rule condition", "condition expression"])
    #expect(issue.locations.map(\.itemName) == ["", "A", "", ""])
    #expect(issue.locations.map(\.line) == [0, 2, 4, 5])
    #expect(issue.locations.map(\.column) == [0, 2, 13, 34])
    #expect(issue.locations.map(\.name) == ["a.yaml", "a.yaml", "a.yaml", "\"evt.type = open a...\""])
    #expect(issue.snippet == "evt.type = open and no.field = 1\n                    ^\n")
  }
}
