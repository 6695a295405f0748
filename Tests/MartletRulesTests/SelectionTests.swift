// SPDX-License-Identifier: Apache-2.0

import MartletRules
import Testing

@Suite("Which rules count")
struct SelectionTests {
  private static let rules =
    rule("evt.type = open", name: "Read a file", extra: "  tags: [host, file]")
    + rule("evt.type = open", name: "Read a key", extra: "  tags: [file]\n  enabled: false")
    + rule("evt.type = open", name: "Dial").replacing("NOTICE", with: "ERROR")

  @Test("switches apply in order, to names with '*' and to tags", arguments: switches)
  func switched(words: [String], expected: [String]) throws {
    var options = CompileOptions()
    options.selections = words.map { RuleSelection(String($0.dropFirst()), isEnabled: $0.hasPrefix("+")) }
    let rules = try #require(compile([Self.rules], options).ruleset).rules
    #expect(rules.count == 3)
    #expect(rules.filter(\.isEnabled).map(\.name) == expected)
  }

  static let switches: [([String], [String])] = [
    ([], ["Read a file", "Dial"]),
    (["-*"], []),
    (["-Read*"], ["Dial"]),
    (["-Read"], ["Read a file", "Dial"]),
    (["-*a*"], []),
    (["-*a f*"], ["Dial"]),
    (["+tag:file"], ["Read a file", "Read a key", "Dial"]),
    (["+tag:fil*"], ["Read a file", "Dial"]),
    (["-*", "+tag:host"], ["Read a file"]),
    (["+tag:host", "-*"], []),
  ]

  @Test("less urgent rules than asked for are left out, after they were checked")
  func priority() throws {
    var options = CompileOptions()
    options.leastPriority = .error
    #expect(try #require(compile([Self.rules], options).ruleset).rules.map(\.name) == ["Dial"])
    #expect(compile([Self.rules + rule("no.field = 1")], options).ruleset == nil)
  }

  @Test("outputs and fields are added to the rules that an amendment fits")
  func amendments() throws {
    var file = OutputAmendment(extraOutput: "on %fd.name")
    file.tags = ["file"]
    var dial = OutputAmendment()
    dial.rule = "Dial"
    dial.extraFields = [.text(key: "who", template: "%user.name"), .field("fd.sport"), .field("toupper(proc.name)")]
    var other = OutputAmendment(extraOutput: "never")
    other.source = "other"
    var suggested = OutputAmendment()
    suggested.isSuggestedOutput = true
    suggested.tags = ["host"]
    var options = CompileOptions()
    options.outputAmendments = [file, dial, other, suggested]
    let rules = try #require(compile([Self.rules], options).ruleset).rules
    #expect(rules[0].output.text.hasPrefix("x on %fd.name container_id=%container.id container_name="))
    #expect(rules[0].output.text.hasSuffix(" k8s_pod_name=%k8s.pod.name k8s_ns_name=%k8s.ns.name"))
    #expect(rules.dropFirst().map(\.output.text) == ["x on %fd.name", "x"])
    #expect(rules.map { $0.extraFields.map(\.key) } == [[], [], ["fd.sport", "toupper(proc.name)", "who"]])
    options.outputAmendments[1].extraFields = [.field("no.field")]
    #expect(compile([Self.rules], options).ruleset == nil)
    #expect(Ruleset.loadResults(sourceFiles([Self.rules]), options)[0].errors.map(\.code) == [.compileOutput])
  }
}
