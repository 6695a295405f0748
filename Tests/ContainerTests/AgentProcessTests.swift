// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

/// The harness that runs the agent, tried on shell scripts that behave like one.
@Suite("agent harness", .timeLimit(.minutes(5)))
struct AgentProcessTests {
  @Test("waits for readiness, collects alerts with their arrival, and reports how the agent ended")
  func wholeLife() throws {
    let agent = try fakeAgent(
      """
      trap 'echo "{\\"rule\\":\\"last\\"}"; exit 3' TERM
      echo 'starting' >&2; echo 'watching this node' >&2
      echo '{"rule":"A","priority":"Notice","tags":["x"],"output_fields":{"proc.pid":7,"fd.name":"/etc/shadow"}}'
      while :; do sleep 0.05; done
      """)
    let before = realtimeNanoseconds()
    try agent.waitUntilReady()
    let alert = try #require(try agent.alerts { $0.rule == "A" }.first)

    #expect(alert.priority == "Notice")
    #expect(alert.tags == ["x"])
    #expect(alert.field("fd.name") == "/etc/shadow")
    #expect(alert.number("proc.pid") == 7)
    #expect(alert.field("container.id") == nil)
    #expect(alert.arrival + 1_000_000_000 > before && alert.arrival <= realtimeNanoseconds())
    #expect(try agent.terminate() == .exited(3))
    #expect(agent.printed.count == 2, "what an agent prints while it stops is kept")
    #expect(agent.log == "starting\nwatching this node\n")
  }

  @Test("waits for as many alerts as asked and skips lines that are none")
  func countsAlerts() throws {
    let agent = try fakeAgent(
      """
      echo 'not json'; echo '{"message":"no rule"}'
      for i in 1 2 3; do echo '{"rule":"R"}'; sleep 0.05; done
      """)
    #expect(try agent.alerts(count: 3) { $0.rule == "R" }.count == 3)
    #expect(try agent.waitForExit() == .exited(0))
  }

  @Test("an expected alert that does not come is an error that shows the log")
  func missingAlert() throws {
    let agent = try fakeAgent("echo 'no rules loaded' >&2; echo watching >&2; exec sleep 600")
    try agent.waitUntilReady()
    let error = #expect(throws: HarnessError.self) {
      try agent.alerts(within: .milliseconds(300)) { _ in true }
    }
    #expect(error?.description.contains("no rules loaded") == true)
  }

  @Test("an agent that ends before it is ready is reported at once, not at the deadline")
  func endsEarly() throws {
    let agent = try fakeAgent("exit 3")
    // Longer than any test of the suite may take.
    #expect(throws: HarnessError.self) { try agent.waitUntilReady(within: .seconds(600)) }
  }

  @Test("an agent that is let go is killed")
  func killedWhenForgotten() throws {
    var agent: AgentProcess? = try fakeAgent("echo watching >&2; exec sleep 60")
    try agent?.waitUntilReady()
    let pid = try #require(agent?.pid)
    agent = nil
    let deadline = Deadline.untilHung
    while kill(pid, 0) == 0, !deadline.hasPassed { usleep(10_000) }
    #expect(kill(pid, 0) != 0)
  }

  @Test("a program that does not exist is an error")
  func missingBinary() {
    #expect(throws: HarnessError.self) { try AgentProcess(["run"], binary: "/nonexistent/martlet") }
  }

  private func fakeAgent(_ script: String) throws -> AgentProcess {
    try AgentProcess(["-c", script], binary: "/bin/sh")
  }
}
