// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

/// What a node supports, and what is said where it does not. Runs on the real kernel; attached to no cgroup.
@Suite(
  "command: doctor", .timeLimit(.minutes(5)),
  .enabled(if: KernelSupport.isAvailable, Comment(rawValue: KernelSupport.missing ?? "")))
struct DoctorTests {
  private static let noCgroup = ["env", "MARTLET_CGROUP=none"]

  /// Root with some capabilities taken away, as in a container.
  private static func without(_ capabilities: String, cgroup: String = "none") -> [String] {
    ["env", "MARTLET_CGROUP=\(cgroup)", "setpriv", "--bounding-set", capabilities, "--inh-caps", capabilities]
  }

  private func hooks(_ output: String) throws -> (root: [String: Any], hooks: [String: [String: Any]]) {
    let root = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
    let hooks = try #require(root["hooks"] as? [[String: Any]])
    return (
      root, Dictionary(uniqueKeysWithValues: hooks.compactMap { hook in (hook["name"] as? String).map { ($0, hook) } })
    )
  }

  @Test(
    "all that is attached is proven, with every capability and with two",
    arguments: [noCgroup, without("-all,+bpf,+perfmon")])
  func well(setting: [String]) throws {
    let result = try Command.run(["doctor", "--format", "json"], behind: setting)
    #expect(result.succeeded && result.errors.isEmpty, "\(result.output) \(result.errors)")
    let (root, hooks) = try hooks(result.output)
    #expect(root["well"] as? Bool == true && root["btf"] as? Bool == true && root["failure"] is NSNull)
    for name in ["exec", "fork", "exit", "system calls", "connect", "signals", "seed"] {
      #expect(hooks[name]?["proof"] as? String == "proven", "\(name)")
    }
    let datagrams = try #require(hooks["sendmsg4"])
    #expect(datagrams["attached"] as? Bool == false && datagrams["required"] as? Bool == false)
    #expect(datagrams["cause"] as? String == "no cgroup is configured")
    #expect(datagrams["unseen"] as? String == "datagrams sent without connect")
    #expect((root["ring_bytes_total"] as? Int ?? 0) >= 256 << 10)
  }

  @Test("a person reads the same as text")
  func text() throws {
    let result = try Command.run(["doctor"], behind: Self.noCgroup)
    #expect(result.succeeded)
    for part in [
      "kernel       ", "CAP_BPF: held", "hook         exec ", ": proven", "NOT ATTACHED (no cgroup is configured)",
    ] {
      #expect(result.output.contains(part), "\(part)")
    }
    #expect(result.output.hasSuffix("\nthis node can be watched\n"))
  }

  private static let lacks: [(capabilities: String, message: String, help: String)] = [
    ("-all", "lacks the capability CAP_BPF", "run as root, or give the service or container CAP_BPF"),
    ("-sys_admin,-bpf", "lacks the capability CAP_BPF", "give the service or container CAP_BPF"),
    ("-sys_admin,-perfmon", "lacks the capability CAP_PERFMON", "give the service or container CAP_PERFMON"),
  ]

  @Test("a capability that is missing is named, with the way to it, and nothing is tried", arguments: lacks.indices)
  func lacking(index: Int) throws {
    let (capabilities, message, help) = Self.lacks[index]
    let doctor = try Command.run(["doctor"], behind: Self.without(capabilities))
    #expect(doctor.status == .exited(1))
    #expect(
      doctor.output.contains(message) && doctor.output.contains(help)
        && doctor.output.contains("hooks        not tried"))
    #expect(doctor.output.hasSuffix("\nthis node cannot be watched as it should be\n"))
    let run = try Command.run(["run"], behind: Self.without(capabilities))
    #expect(run.status == .exited(1) && run.output.isEmpty)
    #expect(run.errors.contains(message) && run.errors.contains("help: ") && run.errors.contains(help))
  }

  @Test("capabilities that hold in a user namespace only are told from those that help")
  func userNamespace() throws {
    let doctor = try Command.run(
      ["doctor"], behind: ["env", "MARTLET_CGROUP=none", "unshare", "--user", "--map-root-user"])
    #expect(doctor.status == .exited(1))
    #expect(doctor.output.contains("in a user namespace") && doctor.output.contains("run it outside"))
  }

  @Test("what a capability adds is left out without it, with a warning")
  func degraded() throws {
    let agent = try AgentProcess(
      Self.without("-sys_admin,-net_admin", cgroup: "/nonexistent").dropFirst() + [try Command.path, "run"],
      binary: "/usr/bin/env")
    try agent.waitUntilReady()
    #expect(try agent.terminate() == .exited(0))
    #expect(
      agent.log.contains(
        "not watched (this process lacks the capability CAP_NET_ADMIN): datagram connects through io_uring"))
  }

  @Test("a doctor beside a running agent leaves it alone; who signals the agent is told without any rule")
  func beside() throws {
    let folder = try TestFolder()
    let rule = try folder.write(
      "rule.yaml",
      "- rule: Never\n  desc: d\n  condition: evt.type=execve and proc.name=none\n  output: o\n  priority: NOTICE\n")
    let agent = try AgentProcess(["run", "-r", rule], environment: ["MARTLET_CGROUP": "none"])
    try agent.waitUntilReady()
    #expect(try Command.run(["doctor"], behind: Self.noCgroup).succeeded)
    try Command.shell("kill -URG \(agent.pid)")
    // Others on this machine may lay hands on programs meanwhile.
    func isSignal(_ alert: ArrivedAlert) -> Bool { alert.field("martlet.subject") == "signal" }
    let alerts = try agent.alerts(matching: isSignal)
    #expect(alerts[0]["source"] == "internal" && alerts[0].field("martlet.detail") == "signal 23 by 'sh'")
    #expect(alerts[0]["priority"] == "Notice" && alerts[0].field("proc.name") == "sh")
    #expect(try agent.terminate() == .exited(0))
    let last = agent.printed.compactMap(ArrivedAlert.init)
    #expect(last.filter(isSignal).count == 2 && last.last(where: isSignal)?.line.text.contains("signal 15") == true)
    #expect(!last.contains { $0.rule == "Never" })
  }
}
