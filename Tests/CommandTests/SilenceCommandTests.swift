// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

/// What would do nothing is said, not left to be found out.
@Suite("command: rules and options that do nothing", .timeLimit(.minutes(5)))
struct SilenceCommandTests {
  private static func rule(_ name: String, _ type: String, more: String = "") -> String {
    "- rule: \(name)\n  desc: d\n  condition: evt.type = \(type)\n  output: x\n  priority: notice\n\(more)"
  }

  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  @Test("rules that never fire: 'check' and 'rules' say which, 'run' how many")
  func neverFires() throws {
    let path = try folder.write("r.yaml", Self.rule("Write", "write") + Self.rule("Open", "openat"))
    let check = try Command.run(["check", "--plan", path])
    #expect(check.succeeded && check.output.contains("warning[R0327]: rule 'Write' never fires on a live node"))
    #expect(check.output.contains("\nnever fires: 'Write'\n"))
    #expect(check.output.hasSuffix("1 file: 2 rules, 0 errors, 1 warning\n"))
    let rules = try Command.run(["rules", "-r", path])
    #expect(rules.succeeded && rules.errors.isEmpty)
    #expect(rules.output.split(separator: "\n").map { $0.contains("  never fires  ") } == [true, false])
    let prefix = geteuid() == 0 ? ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"] : []
    let run = try Command.run(["run", "-r", path], behind: prefix)
    #expect(
      run.errors.contains(
        "warning: 1 of 2 enabled rules can never fire on a live node: 'Write'; 'martlet check' says why\n"))
  }

  @Test("no rule that is enabled: 'check' warns of what 'run' would refuse, and 'run' says why")
  func idle() throws {
    let off = try folder.write("off.yaml", Self.rule("A", "open", more: "  enabled: false\n"))
    let check = try Command.run(["check", off])
    #expect(check.succeeded)
    #expect(
      check.output.hasSuffix(
        "warning: no rule is enabled: 'run' would not start with these\n1 file: 1 rule, disabled, 0 errors, 1 warning\n"
      ))
    let empty = try folder.write("empty.yaml", "- list: l\n  items: [a]\n")
    let cases = [
      ([off], "1 rule switched off: '--enable NAME' switches rules on"),
      ([empty], "there is no rule in these files"),
      ([off, "--priority", "error"], "no rule in these files is as urgent as '--priority' asks"),
    ]
    for (arguments, help) in cases {
      let run = try Command.run(["run", "-r"] + arguments)
      #expect(run.status == .exited(3) && run.errors.contains("help: \(help)"), "\(run.errors)")
    }
  }

  @Test("'check' counts the rules that are disabled, in text and as JSON")
  func counts() throws {
    let text = ["A", "B", "C"].map { Self.rule($0, "openat") }.joined()
    let path = try folder.write("r.yaml", text)
    let check = try Command.run(["check", "--disable", "B", "--rule-matching", "all", path])
    #expect(check.output.hasSuffix("1 file: 3 rules, 1 of them disabled, 0 errors, 0 warnings\n"), "\(check.output)")
    let json = try Command.run(["check", "--disable", "B", "--format", "json", path])
    let object = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    let rules = (object["martlet"] as? [String: Any])?["rules"] as? [String: Any]
    #expect(rules?["disabled"] as? Int == 1 && rules?["enabled"] as? Int == 2)
  }

  @Test("a switch that fits nothing and a template with a mistake are shown as they were given")
  func options() throws {
    let path = try folder.write("r.yaml", Self.rule("Shell", "openat") + Self.rule("Other", "execve"))
    let result = try Command.run(["rules", "-r", path, "--disable", "Shel", "--append-output", "x %nosuch"])
    #expect(result.status == .exited(3))
    for part in ["no rule is called 'Shel'", "help: did you mean 'Shell'?", "--> --append-output:1:4", "x %nosuch"] {
      #expect(result.errors.contains(part), "\(part) in \(result.errors)")
    }
    #expect(result.errors.components(separatedBy: "'nosuch'").count == 2)
  }

  @Test("a condition is checked among the macros and lists of files; options without effect are refused")
  func condition() throws {
    let text =
      "- list: shells\n  items: [sh]\n- macro: spawned\n  condition: evt.type = execve and proc.name in (shells)\n"
    let path = try folder.write("m.yaml", text)
    let good = try Command.run(["check", "--condition", "spawned", path])
    #expect(good.succeeded && good.output == "condition: spawned\nevents: execve\n", "\(good.output)")
    #expect(try Command.run(["check", "--condition", "spawned"]).status == .exited(3))
    for arguments in [
      ["--condition", "spawned", "--plan", path], ["--condition", "spawned", "--disable", "x", path],
      ["--explain", "R0101", "--format", "json"], ["--explain", "R0101", "--plan"],
    ] {
      #expect(try Command.run(["check"] + arguments).status == .exited(2), "\(arguments)")
    }
  }

  @Test("names of rules cannot write on a terminal, and a field that is not there is guessed, with the right usage")
  func names() throws {
    let path = try folder.write("r.yaml", Self.rule(#""a\e[31m""#, "openat"))
    let rules = try Command.run(["rules", "-r", path])
    #expect(rules.succeeded && rules.output.hasPrefix("a\u{fffd}[31m  "))
    let fields = try Command.run(["fields", "proc.nmae"])
    #expect(fields.status == .exited(2))
    #expect(fields.errors.contains("no field begins with 'proc.nmae': did you mean 'proc.name'?"))
    #expect(fields.errors.contains("martlet fields "))
  }
}
