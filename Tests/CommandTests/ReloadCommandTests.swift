// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

/// How a running agent takes other rules. On the real kernel, with rules that an exec breaks.
@Suite(
  "reloading rules", .timeLimit(.minutes(5)),
  .enabled(if: KernelSupport.isAvailable, Comment(rawValue: KernelSupport.missing ?? "")))
struct ReloadCommandTests {
  /// A program that does nothing, under a name that nobody else uses: others run theirs while these tests see all of the
  /// machine.
  private func program(_ name: String, in folder: TestFolder) throws -> String {
    let path = folder.path + "/" + name
    // Not written by this process: while a child of another test holds it open for that, nobody can run it.
    try #require(Child.run(["cp", "/bin/true", path]).succeeded)
    return path
  }

  /// Of the execs of one program, with what is known of the process that it is the child of.
  private func rule(_ name: String, program: String, types: String = "execve") -> String {
    """
    - rule: \(name)
      desc: d
      condition: evt.type in (\(types)) and proc.exepath endswith "/\(program)"
      output: ran %proc.exepath by %proc.pname
      priority: DEBUG

    """
  }

  private func run(_ arguments: [String]) throws -> AgentProcess {
    let agent = try AgentProcess(["run"] + arguments, environment: ["MARTLET_CGROUP": "none"])
    try agent.waitUntilReady()
    return agent
  }

  private func awaitLog(_ text: String, count: Int = 1, of agent: AgentProcess) -> Bool {
    let deadline = Deadline.untilHung
    while !deadline.hasPassed {
      if agent.log.components(separatedBy: text).count > count { return true }
      usleep(20_000)
    }
    return false
  }

  @Test("SIGHUP: the rules change, what is known stays")
  func hangup() throws {
    let folder = try TestFolder()
    let (first, second) = (try program("hangup-first", in: folder), try program("hangup-second", in: folder))
    let rules = try folder.write("rules.yaml", rule("Before", program: "hangup-first"))
    let statistics = folder.path + "/stats.json"
    let agent = try run(["-r", rules, "--stats", statistics])
    // It is known from its exec, before the reload, and acts after it.
    let gate = folder.path + "/gate"
    try #require(mkfifo(gate, 0o600) == 0)
    let old = try Child(["/bin/sh", "-c", "'\(first)'; read line <'\(gate)'; '\(second)'; :"])
    defer { old.send(SIGKILL) }
    #expect(try agent.alerts { $0.rule == "Before" }.count == 1)

    _ = try folder.write("rules.yaml", rule("After", program: "hangup-second"))
    agent.send(SIGHUP)
    #expect(awaitLog("the rules were reloaded: 1 rules; the kernel captures for them already", of: agent))
    try Command.shell("echo >'\(gate)'; '\(first)'")
    let after = try #require(try agent.alerts { $0.rule == "After" }.first)
    #expect(after.field("proc.pname") == "sh")

    // Other programs, whose failed calls are seen as well.
    _ = try folder.write("rules.yaml", rule("Last", program: "hangup-second", types: "execve, openat"))
    agent.send(SIGHUP)
    #expect(awaitLog("the probe was loaded anew", of: agent))
    try Command.shell("'\(first)'; '\(second)'")
    #expect(try agent.alerts { $0.rule == "Last" && $0.field("evt.type") == "openat" }.count >= 1)

    #expect(try agent.terminate() == .exited(0))
    #expect(agent.printed.compactMap(ArrivedAlert.init).count { $0.rule == "Before" } == 1)
    let object = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: statistics)))
    let lost = try #require((object as? [String: Any])?["lost"] as? [String: Int])
    // Of all opens of the machine, which the last rules ask for, others may make more than there is room for.
    for kind in ["exec", "fork", "exit"] { #expect(lost[kind] == 0) }
  }

  @Test("rules with errors are explained and change nothing, however often they are asked for")
  func errors() throws {
    let folder = try TestFolder()
    let program = try program("errors", in: folder)
    let rules = try folder.write("rules.yaml", rule("Before", program: "errors"))
    let agent = try run(["-r", rules])
    _ = try folder.write("rules.yaml", rule("After", program: "errors").replacing("evt.type", with: "evt.typo"))
    agent.send(SIGHUP)
    #expect(awaitLog("the ones before stay in force", of: agent))
    #expect(agent.log.contains("unknown field 'evt.typo'") && agent.log.contains("the rules before stay in force"))
    let notice = try #require(try agent.alerts { $0.rule == "Martlet: rules not reloaded" }.first)
    #expect(notice["source"] == "internal" && notice.field("martlet.detail")?.contains("R0101") == true)
    #expect(agent.log.contains("not reloaded: R0101 in '\(rules)', line 3: unknown field 'evt.typo'"))
    try FileManager.default.removeItem(atPath: rules)
    agent.send(SIGHUP)
    #expect(awaitLog("the ones before stay in force", count: 2, of: agent))
    #expect(agent.log.contains("not reloaded: cannot read rules from '\(rules)': No such file or directory"))
    _ = try folder.write("rules.yaml", rule("After", program: "errors") + "  enabled: false\n")
    agent.send(SIGHUP)
    #expect(awaitLog("the ones before stay in force", count: 3, of: agent))
    #expect(agent.log.contains("not reloaded: no rule is enabled"))
    try Command.shell("'\(program)'")
    #expect(try agent.alerts { $0.rule == "Before" }.count == 1)
    // Many at once are at least one.
    _ = try folder.write("rules.yaml", rule("After", program: "errors"))
    for _ in 0..<20 { agent.send(SIGHUP) }
    #expect(awaitLog("the rules were reloaded", of: agent))
    try Command.shell("'\(program)'")
    #expect(try agent.alerts { $0.rule == "After" }.count == 1)
    #expect(try agent.terminate() == .exited(0))
  }

  @Test("a recording goes on over a reload, and replays as one")
  func recorded() throws {
    let folder = try TestFolder()
    let program = try program("recorded", in: folder)
    let rules = try folder.write("rules.yaml", rule("Before", program: "recorded"))
    let recording = folder.path + "/recording"
    let agent = try run(["-r", rules, "--record", recording])
    try Command.shell("'\(program)'")
    #expect(try agent.alerts { $0.rule == "Before" }.count == 1)
    // With the environment, for which the probe is loaded anew.
    let after = rule("After", program: "recorded").replacing("%proc.pname", with: "%proc.pname %proc.env[PATH]")
    _ = try folder.write("rules.yaml", after)
    agent.send(SIGHUP)
    #expect(awaitLog("the probe was loaded anew", of: agent))
    try Command.shell("'\(program)'")
    #expect(try agent.alerts { $0.rule == "After" }.count == 1)
    #expect(try agent.terminate() == .exited(0))
    let replay = try Command.run(["replay", recording, "-r", rules])
    #expect(replay.status == .exited(0) && replay.output.components(separatedBy: "\"rule\":\"After\"").count == 3)
  }

  @Test("--watch-rules notices files that are swapped behind a link, as those of a config map")
  func watched() throws {
    let folder = try TestFolder()
    let files = FileManager.default
    func version(_ name: String, _ rule: String) throws {
      try files.createDirectory(atPath: "\(folder.path)/..\(name)", withIntermediateDirectories: false)
      _ = try folder.write("..\(name)/site.yaml", rule)
      try files.createSymbolicLink(atPath: "\(folder.path)/..data_tmp", withDestinationPath: "..\(name)")
      #expect(rename("\(folder.path)/..data_tmp", "\(folder.path)/..data") == 0)
    }
    let outside = try TestFolder()
    let program = try program("watched", in: outside)
    try version("1", rule("Before", program: "watched"))
    try files.createSymbolicLink(atPath: "\(folder.path)/site.yaml", withDestinationPath: "..data/site.yaml")
    let agent = try run(["-r", "bundled", "-r", folder.path, "--watch-rules"])
    try version("2", rule("After", program: "watched"))
    #expect(awaitLog("the rules were reloaded", of: agent))
    try Command.shell("'\(program)'")
    #expect(try agent.alerts { $0.rule == "After" }.count == 1)
    #expect(try agent.terminate() == .exited(0))
    #expect(try Command.run(["run", "--watch-rules"]).status == .exited(2))
  }
}
