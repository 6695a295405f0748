// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

/// Containers that are over before anybody could ask who their users are.
@Suite(
  "users of brief containers", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: ContainerSupport.isAvailable, Comment(rawValue: ContainerSupport.missing ?? "")))
struct UserNameTests {
  private static let rules = """
    - rule: Read by its keeper
      desc: Decided by the name alone
      condition: evt.type in (open, openat) and fd.name = /etc/shadow and user.name = keeper
      output: "%user.name %user.homedir %group.name"
      priority: WARNING
    - rule: Program run
      desc: The name is of interest to its alert only
      condition: evt.type in (execve, execveat) and container.id != host and proc.name in (cat, true)
      output: "%user.name %user.shell"
      priority: NOTICE
    """
  private static let files = [
    (path: "etc/passwd", contents: "keeper:x:0:0:keeper:/keep:/bin/keep\n"),
    (path: "etc/group", contents: "keepers:x:0:\n"),
  ]

  @Test("the first alerts of containers that run one brief program tell its user, as their own files have it: 20 of 20")
  func firsts() throws {
    let folder = try TestFolder()
    let agent = try AgentProcess(["run", "-r", folder.write("rules.yaml", Self.rules), "--runtime", "none"])
    try agent.waitUntilReady()
    for _ in 0..<20 {
      try RuncContainer.with(arguments: ["cat", "/etc/shadow"], files: Self.files) { container in
        let id = String(container.id.prefix(12))
        _ = try agent.alerts(count: 2) { $0.field("container.id") == id }
        let alerts = agent.printed.compactMap(ArrivedAlert.init).filter { $0.field("container.id") == id }
        #expect(alerts.map(\.rule) == ["Program run", "Read by its keeper"], "in the order in which it happened")
        #expect(alerts.allSatisfy { $0.field("user.name") == "keeper" && $0["enrichment"] == "none" })
        #expect(alerts.first?.field("user.shell") == "/bin/keep")
        #expect(alerts.last?.field("user.homedir") == "/keep" && alerts.last?.field("group.name") == "keepers")
      }
    }
    #expect(try agent.terminate() == .exited(0))
  }
}
