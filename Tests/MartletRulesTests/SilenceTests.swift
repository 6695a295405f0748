// SPDX-License-Identifier: Apache-2.0

import MartletRules
import Testing

/// Rules and options that would do nothing, and used to say nothing.
@Suite("What would do nothing")
struct SilenceTests {
  // MARK: Rules

  @Test(
    "an enabled rule that nothing captured satisfies is warned of, and not in Falco's words",
    arguments: [
      ("evt.type = write and fd.name = /etc/x", "the event 'write' is not captured"),
      ("evt.type in (write, read)", "the events 'read', 'write' are not captured"),
      ("evt.type = open and evt.buffer contains x", "the field 'evt.buffer' is not captured"),
      ("evt.type in (write, open)", nil), ("evt.type = open", nil), ("evt.num = 0", nil),
    ] as [(String, String?)])
  func neverFires(condition: String, reason: String?) throws {
    let text = rule(condition)
    let found = compile(text).diagnostics.filter { $0.code == .neverFires }.map(\.message)
    #expect(found == (reason.map { ["rule 'R' never fires on a live node: \($0)"] } ?? []))
    let result = try #require(Ruleset.loadResults(sourceFiles([text])).first)
    #expect(!result.warnings.contains { $0.message.contains("never fires") })
    let disabled = compile(rule(condition, extra: "  enabled: false"))
    #expect(!disabled.diagnostics.contains { $0.code == .neverFires } && disabled.ruleset?.neverFiring.isEmpty == true)
  }

  @Test("tests of the type that exclude each other are no test of every type; Falco's words stay")
  func neverHolds() throws {
    let text = rule("evt.type = execve and evt.type = openat")
    #expect(compile(text).diagnostics.map(\.message) == ["rule 'R' can never hold"])
    let result = try #require(Ruleset.loadResults(sourceFiles([text])).first)
    #expect(
      result.warnings.map(\.message)
        == ["Rule matches too many evt.type values. This has a significant performance penalty."])
  }

  // MARK: Switches

  @Test(
    "a switch that fits no rule is warned of, with what was probably meant",
    arguments: [
      ("Shel in container", "no rule is called 'Shel in container'", "did you mean 'Shell in container'?"),
      ("tag:contaner", "no rule has the tag 'contaner'", "did you mean 'tag:container'?"),
      ("container", "no rule is called 'container'", "did you mean 'tag:container'?"),
      ("Shop*", "no rule fits 'Shop*'", nil), ("Shell*", nil, nil), ("tag:container", nil, nil),
    ] as [(String, String?, String?)])
  func selections(text: String, message: String?, help: String?) {
    let rules = rule("evt.type = open", name: "Shell in container", extra: "  tags: [container]")
    for isEnabled in [true, false] {
      var options = CompileOptions()
      // It is there, however urgent.
      options.leastPriority = .error
      options.selections = [RuleSelection("*", isEnabled: isEnabled), RuleSelection(text, isEnabled: isEnabled)]
      let found = compile([rules], options).diagnostics
      #expect(found.map(\.message) == (message.map { [$0] } ?? []))
      #expect(found.flatMap(\.help).map(\.text) == (help.map { [$0] } ?? []))
      #expect(found.allSatisfy { $0.severity == .warning && $0.primary.span.line == 2 })
      #expect(found.allSatisfy { $0.primary.span.path == (isEnabled ? "--enable" : "--disable") })
    }
  }

  @Test("a mistake in what is appended to outputs is told once, where it stands")
  func appendedOutput() throws {
    var options = CompileOptions()
    options.outputAmendments = [
      OutputAmendment(extraOutput: "by %proc.name"), OutputAmendment(extraOutput: "x %nosuch"),
    ]
    let rules = rule("evt.type = open", name: "A") + rule("evt.type = open and proc.name = x", name: "B")
    let result = compile([rules], options)
    #expect(result.ruleset == nil)
    #expect(result.diagnostics.filter { $0.severity == .error }.map(\.code) == [.unknownField])
    let place = try #require(result.diagnostics.first { $0.severity == .error }).primary.span.start
    #expect(place.description == "--append-output:2:4")
    #expect(Ruleset.loadResults(sourceFiles([rules]), options)[0].errors.map(\.code) == [.compileOutput])
  }

  // MARK: Names of lists

  private static let lists = "- list: shell_binaries\n  items: [bash, sh]\n"

  @Test(
    "a text that is a slip away from a list's name is warned of, once",
    arguments: [
      ("proc.name in (shell_binareis)", ["shell_binareis"]),
      ("proc.name in (x, shell_binarys) or proc.pname in (shell_binaries)", ["shell_binarys"]),
      ("proc.name in ('shell_binareis')", []), ("proc.name in (shell_binaries)", []),
      ("proc.name in (shell_programs)", []), ("proc.name in (shellbinaries)", []),
      ("proc.name in (mine)", ["shell_binaris"]), ("proc.name in (mine) or proc.pname in (mine)", ["shell_binaris"]),
      ("proc.name in (quoted)", []), ("proc.name in (mine, twice)", []),
    ] as [(String, [String])])
  func misspelledLists(condition: String, expected: [String]) {
    var lists = Self.lists + "- list: mine\n  items: [shell_binaris, login]\n"
    lists += "- list: quoted\n  items: [\"shell_binareiz\"]\n"
    if condition.contains("twice") { lists += "- list: twice\n  items: [shell_binaris]\n" }
    let found = compile(lists + rule("evt.type = open and (\(condition))")).diagnostics
      .filter { $0.code == .misspelledList }
    #expect(
      found.map(\.message)
        == expected.map { "'\($0)' is compared as a text, and there is a list 'shell_binaries'" })
  }

  @Test("a list that names a later one has its items")
  func laterList() throws {
    let lists = "- list: outer\n  items: [inner, zsh]\n- list: inner\n  items: [sh]\n"
    let found = try compiledRule("evt.type = open and proc.name in (outer)", before: lists)
    #expect(found.condition.description == "(evt.type = open and proc.name in (sh, zsh))")
  }

  // MARK: Conditions

  @Test(
    "signs that are no operator are named",
    arguments: [("proc.name ~= x", "~="), ("proc.name !x", "!"), ("proc.name & x", "&")])
  func unknownOperator(condition: String, sign: String) {
    let check = ConditionCheck(Array(condition.utf8))
    #expect(check.diagnostics.map(\.message) == ["unknown operator '\(sign)'"])
    #expect(check.diagnostics.map(\.primary.span.column) == [11])
  }

  @Test("a condition may name the macros and lists of files, whose errors are told as well")
  func conditionAmongFiles() {
    let text = Self.lists + "- macro: shell\n  condition: proc.name in (shell_binaries)\n"
    let good = ConditionCheck(Array("evt.type = execve and shell".utf8), among: sourceFiles([text]))
    #expect(good.condition?.description == "(evt.type = execve and proc.name in (bash, sh))")
    #expect(good.diagnostics.isEmpty && good.events == ["execve"])
    let broken = ConditionCheck(
      Array("evt.type = execve".utf8), among: sourceFiles([text + "- macro: a\n  condition: b\n"]))
    #expect(broken.condition == nil && broken.diagnostics.map(\.primary.span.path) == ["a.yaml"])
    #expect(broken.json.contains(#""path":"a.yaml""#))
  }
}
