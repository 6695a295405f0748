// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

/// How a running agent ends. Runs on the real kernel, with a rule that every exec breaks.
@Suite(
  "an agent's life", .timeLimit(.minutes(5)),
  .enabled(if: KernelSupport.isAvailable, Comment(rawValue: KernelSupport.missing ?? "")))
struct LifeTests {
  static let anyExec = """
    - rule: Any exec
      desc: d
      condition: evt.type in (execve, execveat)
      output: ran %proc.exepath
      priority: DEBUG

    """

  @Test("SIGINT and SIGTERM end it with a summary, and statistics that balance", arguments: [SIGINT, SIGTERM])
  func signals(signal: Int32) throws {
    let folder = try TestFolder()
    let statistics = folder.path + "/stats.json"
    let agent = try AgentProcess(["run", "-r", try folder.write("any.yaml", Self.anyExec), "--stats", statistics])
    try agent.waitUntilReady()
    try Command.shell("/bin/true")
    _ = try agent.alerts { $0.field("proc.exepath")?.hasSuffix("/true") == true }
    #expect(try agent.terminate(signal) == .exited(0))
    #expect(agent.log.contains(#/martlet: saw \d+ events \(exec \d+.*\), \d+ matched, \d+ alerts written, \d+ lost; /#))

    let object = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: statistics)))
    let root = try #require(object as? [String: Any])
    let ledger = try #require(root["ledger"] as? [String: Any])
    let hooks = try #require(ledger["hooks"] as? [String: [String: Int]])
    for (name, hook) in hooks {
      let lost = hook.filter { $0.key.hasPrefix("lost") }.values.reduce(0, +)
      // Programs that run while the counters are read may be between two of their counts.
      #expect(abs((hook["seen"] ?? -1) - (hook["filtered"] ?? 0) - (hook["delivered"] ?? 0) - lost) <= 2, "\(name)")
    }
    let events = try #require(root["events"] as? [String: Int])
    let judged = ["matched", "not_matched", "undecided"].compactMap { ledger[$0] as? Int }.reduce(0, +)
    #expect(judged == ["exec", "open", "connect", "call"].compactMap { events[$0] }.reduce(0, +) && judged > 0)
    #expect(ledger["alerts_written"] as? Int == agent.printed.count)
    #expect((ledger["malformed"] as? Int) == 0)
  }

  @Test("a runtime that it was told to ask, and that is not there, is said at the start")
  func missingRuntime() throws {
    let folder = try TestFolder()
    let agent = try AgentProcess(
      [
        "run", "-r", try folder.write("any.yaml", Self.anyExec), "--runtime", "cri:/nowhere.sock", "--runtime",
        "folder:/no",
      ])
    try agent.waitUntilReady()
    #expect(try agent.terminate() == .exited(0))
    #expect(agent.log.contains("there is no socket at '/nowhere.sock'"))
    #expect(agent.log.contains("there is no folder at '/no'"))
  }

  @Test("it ends when asked to although events keep coming")
  func underLoad() throws {
    let folder = try TestFolder()
    let rules = try folder.write(
      "open.yaml",
      """
      - rule: Any open
        desc: d
        condition: evt.type in (open, openat)
        output: opened %fd.name
        priority: DEBUG

      """)
    let agent = try AgentProcess(
      ["-c", "exec '\(Command.path)' run -r '\(rules)' >/dev/null"], binary: "/bin/bash")
    try agent.waitUntilReady()
    let load = try Child(["/bin/sh", "-c", "while :; do : </etc/hostname; done"])
    defer { load.send(SIGKILL) }
    #expect(try agent.terminate() == .exited(0))
    #expect(agent.log.contains("martlet: saw "))
  }

  @Test("it ends when nobody reads its alerts any more")
  func closedOutput() throws {
    let folder = try TestFolder()
    let rules = try folder.write("any.yaml", Self.anyExec)
    let log = folder.path + "/log"
    let pipeline = try AgentProcess(
      [
        "-c",
        "'\(Command.path)' run -r '\(rules)' 2>'\(log)' | { echo watching >&2; head -n 1; }; exit ${PIPESTATUS[0]}",
      ],
      binary: "/bin/bash")
    let deadline = Deadline.untilHung
    var status: ContainerTesting.ExitStatus?
    // Something for it to report, until it has.
    while status == nil, !deadline.hasPassed {
      try Command.shell("/bin/true")
      status = try? pipeline.waitForExit(within: .milliseconds(50))
    }
    #expect(status == .exited(1))
    #expect(pipeline.printed.count == 1)
    let text = try String(contentsOfFile: log, encoding: .utf8)
    #expect(text.contains("nobody reads the alerts any more") && text.contains("martlet: saw "))
    #expect(!text.contains("Fatal") && !text.contains("crash"))
  }

  @Test("on a full disk it says so, goes on watching, and counts what it could not write")
  func fullOutput() throws {
    let folder = try TestFolder()
    let rules = try folder.write("any.yaml", Self.anyExec)
    let statistics = folder.path + "/stats.json"
    let agent = try AgentProcess(
      ["-c", "exec '\(Command.path)' run -r '\(rules)' --stats '\(statistics)' >/dev/full"], binary: "/bin/bash")
    try agent.waitUntilReady()
    try Command.shell("/bin/true")
    try Command.shell("/bin/true")
    #expect(try agent.terminate() == .exited(1))
    let complaints = agent.log.split(separator: "\n").filter { $0.contains("cannot write alerts: No space left") }
    #expect(complaints.count == 1)
    #expect(agent.log.contains(#/ 0 alerts written, [1-9]\d* not written, /#))
  }

  @Test("with --check-filter the kernel marks what it would drop, and no alert comes of that")
  func filterCheck() throws {
    let folder = try TestFolder()
    let statistics = folder.path + "/stats.json"
    let rules = try folder.write(
      "open.yaml",
      """
      - rule: Some open
        desc: d
        condition: evt.type in (open, openat) and fd.name endswith .wanted
        output: opened %fd.name
        priority: DEBUG

      """)
    let wanted = try folder.write("file.wanted", "")
    let agent = try AgentProcess(["run", "-r", rules, "--check-filter", "--stats", statistics])
    try agent.waitUntilReady()
    try Command.shell("for i in 1 2 3; do : </etc/hostname; done; : <'\(wanted)'")
    _ = try agent.alerts { $0.field("fd.name") == wanted }
    #expect(try agent.terminate() == .exited(0))
    let object = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: statistics)))
    let ledger = try #require((object as? [String: Any])?["ledger"] as? [String: Any])
    #expect(try #require(ledger["marked"] as? Int) >= 3 && ledger["marked_matched"] as? Int == 0)
    let recorded = try Command.run(["run", "--check-filter", "--record", "\(folder.path)/recording"])
    #expect(recorded.status == .exited(2) && recorded.errors.contains("exclude each other"))
  }

  @Test("the environment can name the node")
  func hostname() throws {
    let folder = try TestFolder()
    let agent = try AgentProcess(
      ["run", "-r", try folder.write("any.yaml", Self.anyExec)], environment: ["MARTLET_HOSTNAME": "node-7"])
    try agent.waitUntilReady()
    try Command.shell("/bin/true")
    let alert = try #require(try agent.alerts { $0.field("proc.exepath")?.hasSuffix("/true") == true }.first)
    #expect(alert["hostname"] == "node-7")
    #expect(try agent.terminate() == .exited(0))
  }

  @Test("an agent that goes round is alive, one that is stopped is not")
  func heartbeat() throws {
    let folder = try TestFolder()
    let file = folder.path + "/heartbeat"
    #expect(try Command.run(["alive", file]).status == .exited(1))
    let agent = try AgentProcess(["run", "--heartbeat", file])
    try agent.waitUntilReady()
    // The first round ends when its events have been judged.
    let deadline = Deadline.untilHung
    var status = try Command.run(["alive", file]).status
    while status != .exited(0), !deadline.hasPassed { status = try Command.run(["alive", file]).status }
    #expect(status == .exited(0))
    #expect(try agent.terminate() == .exited(0))
    var old = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
    utimensat(AT_FDCWD, file, &old, 0)
    let stopped = try Command.run(["alive", file, "--max-age", "5"])
    #expect(stopped.status == .exited(1) && stopped.errors.contains(" seconds ago"))
    var future = [timespec(tv_sec: time(nil) + 3600, tv_nsec: 0), timespec(tv_sec: time(nil) + 3600, tv_nsec: 0)]
    utimensat(AT_FDCWD, file, &future, 0)
    let ahead = try Command.run(["alive", file])
    #expect(ahead.status == .exited(1) && ahead.errors.contains(" seconds ahead of the clock"))
    #expect(try Command.run(["alive", file, "--max-age", "7200"]).status == .exited(0))
    #expect(try Command.run(["run", "--heartbeat", "/nonexistent/heartbeat"]).status == .exited(1))
  }

  @Test("statistics that cannot be written are an error before anything is watched")
  func unwritableStatistics() throws {
    let result = try Command.run(["run", "--stats", "/nonexistent/stats.json"])
    #expect(result.status == .exited(1) && !result.errors.contains("watching this node"))
    #expect(result.errors.contains("cannot write statistics to '/nonexistent/stats.json'"))
  }

  @Test("SIGUSR1 writes the statistics so far, SIGUSR2 means nothing, and neither ends the agent")
  func statisticsNow() throws {
    let folder = try TestFolder()
    let statistics = folder.path + "/stats.json"
    let rules = try folder.write("any.yaml", Self.anyExec)
    let agent = try AgentProcess(["run", "-r", rules, "--stats", statistics])
    try agent.waitUntilReady()
    try Command.shell("/bin/true")
    _ = try agent.alerts { $0.field("proc.exepath")?.hasSuffix("/true") == true }
    #expect(!FileManager.default.fileExists(atPath: statistics))
    agent.send(SIGUSR2)
    agent.send(SIGUSR1)
    let deadline = Deadline.untilHung
    while !agent.log.contains("the statistics so far were written"), !deadline.hasPassed { usleep(20_000) }
    let object = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: statistics)))
    #expect((object as? [String: Any])?["alerts"] as? Int ?? 0 >= 1)
    #expect(try agent.terminate() == .exited(0))

    let without = try AgentProcess(["run", "-r", rules])
    try without.waitUntilReady()
    without.send(SIGUSR1)
    let second = Deadline.untilHung
    while !without.log.contains("there is no file to write statistics to"), !second.hasPassed { usleep(20_000) }
    #expect(without.log.contains("'--stats FILE' names one"))
    #expect(try without.terminate() == .exited(0))
  }
}
