// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

/// The command as a process: what scripts rely on.
@Suite("command", .timeLimit(.minutes(5)))
struct CommandTests {
  @Test(
    "unknown words are a matter of usage",
    arguments: [
      ["frobnicate"], ["run", "--nonsense"], ["check"], ["check", "--format", "xml", "x"],
      ["run", "--ring-budget", "0"],
      ["record", "-o", "x", "--ring-budget", "1048577"],
      ["run", "--model-folder", "store"], ["run", "--model-bundles", "x", "--model-folder", "a/b"],
      ["run", "--model-bundles", "x", "--model-loader", "a-name-of-more-than-fifteen-bytes"],
      ["run", "--name-wait", "61"], ["record", "-o", "x", "--name-wait", "-1"],
    ])
  func usage(arguments: [String]) throws {
    let result = try Command.run(arguments)
    #expect(result.status == .exited(2))
    #expect(result.output.isEmpty && result.errors.contains("Usage: "))
  }

  @Test("help and version are results")
  func help() throws {
    let version = try Command.run(["--version"])
    #expect(version.succeeded && version.errors.isEmpty)
    #expect(version.output.wholeMatch(of: #/\d+\.\d+\.\d+\n/#) != nil)
    let help = try Command.run(["run", "--help"])
    #expect(help.succeeded && help.output.contains("--rules <path>") && help.errors.isEmpty)
    let completion = try Command.run(["--generate-completion-script", "bash"])
    #expect(completion.succeeded && completion.output.contains("martlet"))
    #expect(completion.output.contains("proc.aname") && completion.output.contains("R0101"))
  }

  @Test(
    "rules that cannot be read are named, with the reason", arguments: [["check"], ["run", "-r"], ["rules", "-r"]])
  func unreadable(arguments: [String]) throws {
    let result = try Command.run(arguments + ["/nonexistent/rules.yaml"])
    #expect(result.status == .exited(3))
    #expect(result.errors.contains("'/nonexistent/rules.yaml': No such file or directory"))
    let folder = try TestFolder()
    let empty = try Command.run(arguments + [folder.path])
    #expect(empty.status == .exited(3) && empty.errors.contains("no file in it ends in '.yaml'"))
  }

  @Test("a mistake in a rule is shown where it stands, and nothing is started")
  func broken() throws {
    let folder = try TestFolder()
    let path = try folder.write("rule.yaml", Self.brokenRule)
    let run = try Command.run(["run", "-r", path])
    #expect(run.status == .exited(3) && run.output.isEmpty)
    for part in [
      "error[R0101]: unknown field 'proc.nmae'", "--> \(path):3:34", "^^^^^^^^^", "did you mean 'proc.name'?",
    ] {
      #expect(run.errors.contains(part), "\(run.errors)")
    }
    let check = try Command.run(["check", path])
    #expect(check.status == .exited(3) && check.errors.isEmpty && check.output.contains("1 file: 1 error"))
    let json = try Command.run(["check", "--format", "json", path])
    #expect(json.status == .exited(3))
    let line = try #require(json.output.split(separator: "\n").first)
    let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    let results = try #require(object["falco_load_results"] as? [[String: Any]])
    #expect(results.count == 1 && results[0]["successful"] as? Bool == false)
    let errors = try #require(results[0]["errors"] as? [[String: Any]])
    #expect(errors.map { $0["code"] as? String } == ["LOAD_ERR_COMPILE_CONDITION"])
    let ours = try #require((object["martlet"] as? [String: Any])?["diagnostics"] as? [[String: Any]])
    #expect(ours.map { $0["code"] as? String } == ["R0101"])
  }

  @Test("the bundled rules and the fields are listed")
  func lists() throws {
    let rules = try Command.run(["rules"])
    #expect(
      rules.succeeded
        && rules.output.split(separator: "\n").contains {
          $0.hasPrefix("Shell in container  ") && $0.contains("  Notice  ")
        })
    let fields = try Command.run(["fields"])
    #expect(fields.succeeded && fields.output.contains(#/\nproc\.aname\[n\] +string +/#))
  }

  @Test("a site's file is loaded behind the bundled rules, and a file of that name is reached by its path")
  func bundled() throws {
    let folder = try TestFolder()
    let site = try folder.write("site.yaml", "- list: shell_allowed_parents\n  items: [tini]\n")
    let alone = try Command.run(["rules"])
    let both = try Command.run(["rules", "-r", "bundled", "-r", site])
    #expect(both.succeeded && both.errors.isEmpty && both.output == alone.output)
    let check = try Command.run(["check", "bundled", site])
    #expect(check.succeeded && check.output.hasSuffix(" rules, 0 errors, 0 warnings\n"))
    let file = try folder.write("bundled", Self.brokenRule)
    #expect(try Command.run(["check", file]).status == .exited(3))
  }

  @Test("without privileges it says what is missing and how to get it")
  func unprivileged() throws {
    // As root all capabilities are dropped; as somebody else there are none.
    let prefix = geteuid() == 0 ? ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"] : []
    let result = try Command.run(["run"], behind: prefix)
    #expect(result.status == .exited(1) && result.output.isEmpty)
    #expect(result.errors.contains("lacks the capability CAP_BPF") && result.errors.contains("help: run as root"))
  }

  static let brokenRule = """
    - rule: Broken
      desc: d
      condition: evt.type=execve and proc.nmae = sh
      output: o
      priority: NOTICE

    """
}
