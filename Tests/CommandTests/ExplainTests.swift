// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

/// `--explain`: why an alert was raised.
@Suite("command: explanations", .timeLimit(.minutes(5)))
struct ExplainTests {
  private static let rules = """
    - macro: shell
      condition: proc.name in (sh, bash)
    - rule: Shell
      desc: D
      condition: evt.type = execve and shell
      output: x
      priority: NOTICE
      exceptions:
        - name: trusted_image
          fields: [container.id, proc.pname]
          values: [[4f1c9e0b2a77, tini]]
        - name: own_shell
          fields: proc.pname
          values: [login]

    """

  @Test("an alert names what decided, where it stands, and the exceptions that missed a field")
  func alert() throws {
    let folder = try TestFolder()
    let rules = try folder.write("r.yaml", Self.rules)
    let line =
      #"{"evt.type": "execve", "proc.name": "b\u001bash"}"# + "\n" + #"{"evt.type": "execve", "proc.name": "bash"}"#
    let events = try folder.write("e.jsonl", line + "\n")
    let plain = try Command.run(["replay", events, "-r", rules])
    #expect(plain.succeeded && !plain.output.contains("\"explain\""))
    let result = try Command.run(["replay", events, "-r", rules, "--explain"])
    #expect(result.succeeded)
    let object = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    let explain = try #require(object["explain"] as? [String: Any])
    let predicates = try #require(explain["predicates"] as? [[String: Any]])
    #expect(
      predicates.prefix(2).map { $0["condition"] as? String } == ["evt.type = execve", "proc.name in (sh, bash)"])
    #expect(predicates.map { $0["holds"] as? Bool } == [true, true, false, false])
    #expect(predicates[1]["macros"] as? [String] == ["shell"] && predicates[1]["line"] as? Int == 2)
    #expect((predicates[1]["values"] as? [String: String]) == ["proc.name": "bash"])
    #expect(predicates.allSatisfy { ($0["file"] as? String) == rules })
    let exceptions = try #require(explain["exceptions"] as? [[String: Any]])
    #expect(exceptions.map { $0["name"] as? String } == ["trusted_image", "own_shell"])
    #expect(exceptions.map { $0["missing"] as? [String] } == [["container.id"], ["proc.pname"]])
  }
}
