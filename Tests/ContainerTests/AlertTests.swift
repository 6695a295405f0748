// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

/// The whole way, as users meet it: acts in a real container, the agent as a process, alerts on its stdout.
@Suite(
  "alerts from real containers", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: ContainerSupport.isAvailable, Comment(rawValue: ContainerSupport.missing ?? "")))
struct AlertTests {
  /// A thing done in a container, and the alert that has to come of it.
  struct Act: Sendable, CustomTestStringConvertible {
    var arguments: [String]
    var terminal = false
    var rule: String
    /// Fields of the alert, among them who did it and what was touched.
    var fields: [String: String]

    var testDescription: String { arguments.joined(separator: " ") }
  }

  static let shell = Act(
    arguments: ["sh", "-c", "exit 0"], terminal: true, rule: "Shell in container",
    fields: [
      "evt.type": "execve", "proc.name": "sh", "proc.exepath": "/bin/busybox", "proc.cmdline": "sh -c exit 0",
      "proc.cwd": "/",
    ])
  static let secret = Act(
    arguments: ["cat", "/etc/shadow"], rule: "Password file read in container",
    fields: [
      "proc.name": "cat", "proc.cmdline": "cat /etc/shadow", "fd.name": "/etc/shadow", "fd.realpath": "/etc/shadow",
    ])
  static let egress = Act(
    arguments: ["nc", "-w", "1", "203.0.113.7", "443"], rule: "Unknown egress from container",
    fields: ["evt.type": "connect", "proc.name": "nc", "fd.sip": "203.0.113.7", "fd.sport": "443", "fd.l4proto": "tcp"])
  static let model = Act(
    arguments: ["head", "-c", "1", "/models/x.safetensors"], rule: "Model opened in container",
    fields: ["proc.name": "head", "fd.name": "/models/x.safetensors"])

  @Test("each act gives one alert that says who and what", arguments: [shell, secret, egress, model])
  func act(_ act: Act) throws {
    let agent = try startedAgent()
    try RuncContainer.with { container in
      _ = try container.exec(act.arguments, terminal: act.terminal)
      let alerts = try settledAlerts(of: agent, in: container)
      #expect(alerts.count == 1, "\(alerts.map(\.line.text))")
      let alert = try #require(alerts.first)
      #expect(alert.rule == act.rule)
      for (name, expected) in act.fields { #expect(alert.field(name) == expected, "\(name)") }
      #expect(alert.field("container.id") == String(container.id.prefix(12)))
      #expect(container.cgroupPath.contains("pod\(alert.field("k8s.pod.uid") ?? "-")/"))
      #expect(alert.field("proc.pname") == "runc")
      #expect(alert["hostname"] == ProcessInfo.processInfo.hostName)
    }
    try expectCleanEnd(agent)
  }

  @Test(
    "another spelling of a secret's name hides nothing",
    arguments: [
      "/tmp/link", "/proc/self/root/etc/shadow", "/tmp/../etc/shadow", "/etc/./shadow", "//etc//shadow",
      "../../etc/shadow", "/proc/self/cwd/etc/shadow",
    ])
  func spelling(path: String) throws {
    let agent = try startedAgent()
    try RuncContainer.with { container in
      _ = try container.exec(["ln", "-s", "/etc/shadow", "/tmp/link"])
      let result = try container.exec(["cat", path])
      #expect(result.succeeded)
      let alerts = try settledAlerts(of: agent, in: container)
      #expect(alerts.map(\.rule) == ["Password file read in container"])
      #expect(alerts.first?.field("fd.realpath") == "/etc/shadow")
    }
    try expectCleanEnd(agent)
  }

  @Test("what a site's own list allows gives nothing")
  func allowed() throws {
    let folder = try TestFolder()
    let rules = try folder.write(
      "site.yaml",
      """
      - list: shell_allowed_commands
        items: ["sh -c exit 0"]
      - list: secret_allowed_files
        items: [/etc/shadow]
      - list: egress_allowed_networks
        items: ['"203.0.113.0/24"']
      - list: model_allowed_directories
        items: [/models]
      """)
    let agent = try startedAgent(["-r", rules])
    try RuncContainer.with { container in
      for act in [Self.shell, Self.secret, Self.egress, Self.model] {
        _ = try container.exec(act.arguments, terminal: act.terminal)
      }
      // Not allowed: its alert shows that everything before it has been judged.
      _ = try container.exec(["sh", "-c", "exit 1"], terminal: true)
      let alerts = try settledAlerts(of: agent, in: container)
      #expect(alerts.map { $0.field("proc.cmdline") } == ["sh -c exit 1"])
    }
    try expectCleanEnd(agent)
  }

  @Test("how long alerts take is measured; that each comes is checked")
  func latency() throws {
    let agent = try startedAgent()
    try RuncContainer.with { container in
      for _ in 0..<50 { _ = try container.exec(["cat", "/etc/shadow"]) }
      let alerts = try agent.alerts(count: 50) { $0.field("container.id") == String(container.id.prefix(12)) }
      let latencies = try alerts.map { alert in
        Double(alert.arrival) / 1e6 - Double(try #require(alert.number("evt.time"))) / 1e6
      }.sorted()
      print(
        "latency from event to JSON line, ms: median \(latencies[latencies.count / 2]), max \(latencies[latencies.count - 1])"
      )
      #expect(alerts.count == 50)
    }
    try expectCleanEnd(agent)
  }

  // MARK: - Steps

  private func startedAgent(_ more: [String] = []) throws -> AgentProcess {
    let agent = try AgentProcess(["run", "-r", Repository.path("rules")] + more)
    try agent.waitUntilReady()
    return agent
  }

  /// All alerts of the container, once a last act of ours has been reported: what came before it has been judged.
  private func settledAlerts(of agent: AgentProcess, in container: RuncContainer) throws -> [ArrivedAlert] {
    let last = "/tmp/last.onnx"
    _ = try container.exec(["touch", last])
    _ = try container.exec(["cat", last])
    func isOurs(_ alert: ArrivedAlert) -> Bool { alert.field("container.id") == String(container.id.prefix(12)) }
    _ = try agent.alerts { isOurs($0) && $0.field("fd.name") == last }
    return agent.printed.compactMap(ArrivedAlert.init).filter { isOurs($0) && $0.field("fd.name") != last }
  }

  private func expectCleanEnd(_ agent: AgentProcess) throws {
    #expect(try agent.terminate() == .exited(0))
    #expect(agent.log.contains(" events ") && agent.log.contains(" matched, ") && agent.log.contains(" lost; "))
  }
}
