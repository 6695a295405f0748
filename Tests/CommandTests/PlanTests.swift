// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

/// `martlet check --plan` and `--explain`.
@Suite("command: plan and explanations of codes", .timeLimit(.minutes(5)))
struct PlanTests {
  private static let rules = """
    - rule: Shadow
      desc: D
      condition: evt.type in (open, openat) and fd.num >= 0 and fd.name = /etc/shadow and container.id != host
      output: x
      priority: NOTICE
    - rule: Wide
      desc: D
      condition: evt.type = openat and fd.name contains secret
      output: x
      priority: NOTICE
    - rule: User
      desc: D
      condition: evt.type = openat and user.uid > 999
      output: x
      priority: NOTICE

    """

  @Test("the plan names what is looked for, what blocks, and who keeps opens coming")
  func plan() throws {
    let folder = try TestFolder()
    let path = try folder.write("r.yaml", Self.rules)
    let text = try Command.run(["check", "--plan", path])
    #expect(text.succeeded)
    for part in [
      "Shadow\n  open, openat: in containers only\n", "looks for: component 'shadow'\n",
      "the kernel cannot test: fd.name contains secret\n  whatever the name, anywhere\n",
      "looks for: user ids 1000 to 4294967295\n", "opens of the host: kept coming by 'Wide'\n",
    ] {
      #expect(text.output.contains(part), "\(part) in \(text.output)")
    }
    let json = try Command.run(["check", "--plan", "--format", "json", path])
    let object = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    let plan = try #require((object["martlet"] as? [String: Any])?["plan"] as? [[String: Any]])
    #expect(plan.map { $0["rule"] as? String } == ["Shadow", "Wide", "User"])
    #expect((plan[0]["opens"] as? [String: Any])?["names"] as? [String] == ["component 'shadow'"])
  }

  @Test("rules that ask together for more than the kernel tells apart are said to keep all coming")
  func together() throws {
    let folder = try TestFolder()
    let rules = (1...8).map { number in
      """
      - rule: User \(number)
        desc: D
        condition: evt.type in (openat, connect) and user.uid = \(number * 10) and container.id != host
        output: x
        priority: NOTICE

      """
    }
    let text = try Command.run(["check", "--plan", try folder.write("r.yaml", rules.joined())]).output
    for what in ["opens", "connections"] {
      #expect(text.contains("\(what) of containers: kept coming, as the rules together"), "\(text)")
      #expect(text.contains("\(what) of the host: sent only where"), "\(text)")
    }
  }

  @Test("the bundled rules let no open of the host out of the kernel, nor one in a container whose name fits no rule")
  func bundled() throws {
    let plan = try Command.run(["check", "--plan", "bundled"])
    #expect(plan.output.contains("opens of the host: sent only where a name or the user fits\n"), "\(plan.output)")
    #expect(plan.output.contains("opens of containers: sent only where a name or the user fits\n"), "\(plan.output)")
  }

  @Test("a code is explained, in any case; another word is a matter of usage")
  func codes() throws {
    let known = try Command.run(["check", "--explain", "r0101"])
    #expect(known.succeeded && known.output.hasPrefix("R0101: ") && known.output.contains("(error)\n\n"))
    let unknown = try Command.run(["check", "--explain", "R9999"])
    #expect(unknown.status == .exited(2) && unknown.errors.contains("there is no code 'R9999'"))
    #expect(try Command.run(["check", "--explain", "R0101", "x.yaml"]).status == .exited(2))
  }
}
