// SPDX-License-Identifier: Apache-2.0

import MartletRules
import Testing

/// What Falco says to rule files, word for word, and where it says that it is.
@Suite("Falco's messages")
struct LoadMessageTests {
  static let base = "- rule: A\n  desc: D\n  condition: evt.type = open\n  priority: INFO\n  output: x\n"

  /// "message @ rule A / exception e" for the first error, or else the first warning.
  static func outcome(_ text: String) -> String {
    let result = Ruleset.loadResults(sourceFiles([text]))[0]
    guard let issue = result.errors.first ?? result.warnings.first else { return "ok" }
    let trail = issue.locations.dropFirst().map { $0.itemName.isEmpty ? $0.itemType : "\($0.itemType) \($0.itemName)" }
    return "\(issue.message) @ \(trail.joined(separator: " / "))"
  }

  @Test("of an exception", arguments: exceptions)
  func exception(text: String, expected: String) {
    #expect(Self.outcome(Self.base + "  exceptions: [\(text)]\n") == expected)
  }

  static let exceptions: [(String, String)] = [
    ("{name: e, fields: proc.name, values: [v]}", "ok"),
    ("{name: e, fields: [proc.name], comps: [exists]}", "ok"),
    ("{name: e, fields: proc.name, comps: [], values: [v]}", "ok"),
    ("e", "Rule exception must be a mapping @ rule A / exceptions / exception"),
    ("{fields: fd.num}", "Item has no mapping for key 'name' @ rule A / exceptions / exception"),
    ("{name: , fields: fd.num}", "Mapping for key 'name' is empty @ rule A / exceptions / exception"),
    ("{name: '', fields: fd.num}", "Value must be non-empty @ rule A / exceptions / exception / value for name"),
    ("{name: [e]}", "Value is not a scalar value @ rule A / exceptions / exception / value for name"),
    ("{name: e}", "Item has no mapping for key 'fields' @ rule A / exception e"),
    ("{name: e, fields: ''}", "Value must be non-empty @ rule A / exception e / value for fields"),
    (
      "{name: e, fields: ['']}",
      "Value must be non-empty @ rule A / exception e / value for fields / exception / value for"
    ),
    ("{name: e, fields: [~]}", "'' is not a supported filter field @ rule A / exception e"),
    (
      "{name: e, fields: []}",
      "Rule exception item must have fields property with a list of fields @ rule A / exception e"
    ),
    ("{name: e, fields: fd.num, comps: ''}", "Value must be non-empty @ rule A / exception e / value for comps"),
    (
      "{name: e, fields: fd.num, values: 3}",
      "Rule exception values must be a sequence @ rule A / exception e / exception values"
    ),
    (
      "{name: e, fields: fd.num, values: ['']}",
      "Value must be non-empty @ rule A / exception e / exception values / exception value / value for"
    ),
    (
      "{name: e, fields: fd.num, values: [[3]]}",
      "Expected values array to contain a list of strings @ rule A / exception e"
    ),
  ]

  @Test("the third exception of a name is the second of two others")
  func repeatedException() {
    let text = Self.base + "  exceptions:\n" + String(repeating: "  - {name: e, fields: fd.num}\n", count: 3)
    #expect(
      Ruleset.loadResults(sourceFiles([text]))[0].warnings.map(\.code)
        == Array(repeating: .exceptionNameNotUnique, count: 3))
  }

  @Test("of an item", arguments: items)
  func item(text: String, expected: String) {
    #expect(Self.outcome(text) == expected)
  }

  private static let plugins = "required plugin versions"
  static let items: [(String, String)] = [
    ("- rule: A\n", "Item has no mapping for key 'enabled' @ rule A"),
    ("- rule: A\n  tags: [t]\n  override: {}\n", "Item has no mapping for key 'enabled' @ rule A"),
    (
      base + "- rule: A\n  condition: and fd.num = 1\n  tags: [t]\n  output: y\n  override: {condition: append}\n",
      "Unexpected key 'output': no corresponding entry under 'override' is defined. @ rule A / overrides output"
    ),
    (
      base + "- rule: A\n  desc: y\n  override: {desc: }\n",
      "Invalid override operation for key 'desc': 'null'. Allowed values are: append replace  "
        + "@ rule A / overrides / value for desc"
    ),
    (
      base + "- rule: A\n  exceptions: [{name: n, values: [v]}]\n  override: {exceptions: append}\n",
      "Rule exception must have fields property with a list of fields @ rule A / exception n"
    ),
    ("- required_plugin_versions: [a]\n", "Plugin version must be a mapping @ \(plugins) / \(plugins) entry"),
    (
      "- required_plugin_versions: [{name: '', version: 1.0.0}]\n",
      "Value must be non-empty @ \(plugins) / \(plugins) entry / value for name"
    ),
    (
      "- required_plugin_versions: [{name: p, version: [1]}]\n",
      "Value is not a scalar value @ \(plugins) / \(plugins) entry p / value for version"
    ),
    (
      "- required_plugin_versions: [{name: container, version: 0.1.0, alternatives: [q]}]\n",
      "Plugin version alternative must be a mapping @ \(plugins) / \(plugins) entry container / \(plugins) alternative"
    ),
    (
      "- required_plugin_versions: [{name: container, version: 0.1.0, alternatives: [{name: q}]}]\n",
      "Item has no mapping for key 'version' @ \(plugins) / \(plugins) entry container / \(plugins) alternative q"
    ),
  ]

  @Test("of an output", arguments: outputs)
  func output(text: String, expected: String) {
    #expect(Self.outcome(rule("evt.type = open", name: "A", output: text)) == "\(expected) @ rule A / rule output")
  }

  static let outputs: [(String, String)] = [
    ("99%", "invalid formatting syntax: formatting cannot end with a %"),
    ("x %30", "invalid formatting syntax: formatting cannot end with a number"),
    ("%no.field", "unknown filter: unexpected token after '"),
    ("5 % of %fd.num", "unknown filter: unexpected token after '"),
    ("%tolower(no.field)", "unknown filter: unexpected token after '"),
  ]

  @Test("a rule that asks for it is skipped for whatever in its output is unknown, not for one that ends early")
  func skipped() {
    func codes(_ output: String) -> [UpstreamCode] {
      let text = rule("evt.type = open", output: output, extra: "  skip-if-unknown-filter: true")
      let result = Ruleset.loadResults(sourceFiles([text]))[0]
      return (result.errors + result.warnings).map(\.code)
    }
    #expect(codes("5 % of it") == [.unknownFilter])
    #expect(codes("%tolower(no.field)") == [.unknownFilter])
    #expect(codes("5%") == [.compileOutput])
  }

  @Test("what is appended to an output or replaces it is not trimmed, what defines it is")
  func trimming() throws {
    let amended =
      Self.base.replacing("output: x", with: "output: '  x '")
      + "- rule: A\n  output: ' y '\n  override: {output: append}\n"
    #expect(try #require(compile(amended).ruleset).rules[0].output.text == "x  y ")
  }

  @Test("the schema has a say of its own", arguments: documents)
  func schema(text: String, expected: Bool?) {
    #expect(Ruleset.loadResults(sourceFiles([text]))[0].schemaWarnings?.isEmpty == expected)
  }

  static let documents: [(String, Bool?)] = [
    (base, true), ("", nil), ("- [", nil), ("a: b", false), ("- required_engine_version: 7", true),
    (base.replacing("INFO", with: "info"), false), (base + "  colour: red\n", false),
    (base + "  tags: t\n", false), (base + "  enabled: perhaps\n", false), (base + "  capture_duration: long\n", false),
    (base + "  exceptions: [{name: e, fields: fd.num, value: [1]}]\n", false),
    (base + "- rule: A\n  tags: [t]\n  override: {tags: replace}\n", true),
    (base + "- rule: A\n  tags: [t]\n  override: {tags: remove}\n", false),
    ("- required_plugin_versions: [{name: container}]\n", false),
  ]

  @Test("a file that cannot be read has a result, too")
  func unreadable() {
    let json = LoadResult.json([LoadResult(unreadable: "gone.yaml", reason: "no such file")], [])
    #expect(json.contains(#""code":"LOAD_ERR_FILE_READ","codedesc":"File read error""#))
    #expect(json.contains(#""name":"gone.yaml","successful":false"#) && !json.contains("schema"))
  }
}
