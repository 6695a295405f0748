// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

/// `martlet match` as a process.
@Suite("command: match", .timeLimit(.minutes(5)))
struct MatchCommandTests {
  private static let events = """
    {"evt.type": "execve", "proc.name": "bash", "proc.pname": "sshd"}
    # a remark

    {"evt.type": "openat", "proc.name": "cat", "fd.name": "/tmp/x", "fd.realpath": "/etc/shadow"}
    {"evt.type": "openat", "proc.name": {"$pending": true}}

    """

  @Test("a line of true or false for each event, from a file or standard input")
  func truths() throws {
    let folder = try TestFolder()
    let path = try folder.write("e.jsonl", Self.events)
    let file = try Command.run(["match", "proc.name = bash", path])
    #expect(file.succeeded && file.output == "true\nfalse\nunknown\n" && file.errors.isEmpty)
    let piped = try Child.run([
      "/bin/sh", "-c", "exec \"$0\" match 'not proc.pname exists' < \"$1\"", Command.path, path,
    ])
    #expect(piped.succeeded && piped.output == "false\ntrue\ntrue\n")
    let resolved = try Command.run(["match", "fd.name = /etc/shadow", path])
    #expect(resolved.output == "false\ntrue\nfalse\n")
  }

  @Test("a recording gives a line for each of its events")
  func recording() throws {
    let recording = Repository.path("Sources/MartletAgent/Demo/demo.martlet")
    let opens = try Command.run(["match", "evt.type = openat and fd.name = /etc/shadow", recording])
    #expect(opens.succeeded)
    let lines = opens.output.split(separator: "\n")
    #expect(lines.contains("true") && lines.contains("false") && Set(lines).count == 2)
  }

  @Test("--explain shows the tree")
  func explain() throws {
    let folder = try TestFolder()
    let path = try folder.write("e.jsonl", Self.events)
    let result = try Command.run(["match", "--explain", "evt.type = execve and proc.name = sh", path])
    #expect(result.succeeded)
    #expect(
      result.output.hasPrefix(
        """
        false
        * false    and
            true     evt.type = execve   evt.type is execve
          * false    proc.name = sh      proc.name is bash

        """))
  }

  @Test("a condition that does not compile is explained, and nothing is tried")
  func invalid() throws {
    let result = try Command.run(["match", "proc.nmae = sh", "/nonexistent"])
    #expect(result.status == .exited(3) && result.output.isEmpty)
    #expect(result.errors.contains("error[R0101]: unknown field 'proc.nmae'"))
    let macro = try Command.run(["match", "container and proc.name = sh", "/nonexistent"])
    #expect(macro.status == .exited(3) && macro.errors.contains("error[R0102]"))
  }

  @Test("where there are no events there are no answers, but the condition is checked")
  func nothing() throws {
    let none = try Command.run(["match", "proc.name = bash", "/dev/null"])
    #expect(none.succeeded && none.output.isEmpty && none.errors.isEmpty)
    #expect(try Command.run(["match", "proc.name = ", "/dev/null"]).status == .exited(3))
  }

  @Test("events that cannot be read fail, after the answers before them")
  func damage() throws {
    let folder = try TestFolder()
    let path = try folder.write("e.jsonl", Self.events + "{\"user.uid\": \"x\"}\n")
    let result = try Command.run(["match", "proc.name = bash", path])
    #expect(result.status == .exited(1) && result.output == "true\nfalse\nunknown\n")
    #expect(result.errors.contains("line 6"))
    let missing = try Command.run(["match", "proc.name = bash", "/nonexistent"])
    #expect(missing.status == .exited(1) && missing.errors.contains("/nonexistent"))
  }
}
