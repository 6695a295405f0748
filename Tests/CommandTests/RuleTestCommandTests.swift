// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

/// `martlet test` as a process.
@Suite("command: test", .timeLimit(.minutes(5)))
struct RuleTestCommandTests {
  private static let tests = """
    - test: a shell
      given: {evt.type: execve, evt.rawres: 0, container.id: 4f1c9e0b2a77, proc.tty: 1, proc.name: bash}
      expect: {rule: Shell in container, output_fields: {proc.tty: 1}}
    - test: a shell outside
      given: {evt.type: execve, evt.rawres: 0, container.id: host, proc.tty: 1, proc.name: bash}
      expect: Shell in container
    - test: a shell that is to be let alone
      given: {evt.type: execve, evt.rawres: 0, container.id: 4f1c9e0b2a77, proc.tty: 1, proc.name: bash}
      not: "Shell *"

    """

  @Test("the project's own tests pass, without root")
  func own() throws {
    let folder = Repository.path("rules/tests")
    let result = try Command.run(["test", folder], behind: ["setpriv", "--reuid=65534", "--clear-groups"])
    #expect(result.succeeded && result.errors.isEmpty)
    #expect(result.output.contains("\nok     a shell with a terminal\n") || result.output.hasPrefix("ok     a shell"))
    #expect(result.output.contains(#/\n[1-9]\d* passed, 0 failed\n/#))
  }

  @Test("failures show where, what came nearest and what decided; the status is 4")
  func failures() throws {
    let folder = try TestFolder()
    let path = try folder.write("a.test.yaml", Self.tests)
    let result = try Command.run(["test", folder.path])
    #expect(result.status == .exited(4) && result.errors.isEmpty)
    for part in [
      "ok     a shell\n", "FAILED a shell outside\n  \(path):6:11: expected 'Shell in container', got no alert\n",
      "nearest is event 1 (line 5):", "* false    container.id != host", "container.id is host, in macro 'container'",
      "'Shell in container' must not raise an alert here\n", "it holds on event 1 (line 8):", "1 passed, 2 failed\n",
    ] {
      #expect(result.output.contains(part), "\(part) in \(result.output)")
    }
    let json = try Command.run(["test", path, "--format", "json"])
    #expect(json.status == .exited(4) && json.errors == "1 passed, 2 failed\n")
    let objects = try json.output.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    #expect(objects.map { $0["passed"] as? Bool } == [true, false, false])
    #expect(objects.map { $0["line"] as? Int } == [1, 4, 7])
  }

  @Test("tests that cannot be run are invalid, not failed")
  func invalid() throws {
    let folder = try TestFolder()
    let path = try folder.write("a.test.yaml", Self.tests.replacing("Shell in container", with: "Shell in contianer"))
    let result = try Command.run(["test", path])
    #expect(result.status == .exited(3) && result.output.isEmpty)
    #expect(result.errors.contains("error[R0502]: there is no rule 'Shell in contianer'"))
    #expect(result.errors.contains("did you mean 'Shell in container'?"))
    let empty = try Command.run(["test", try folder.write("b.test.yaml", "")])
    #expect(empty.status == .exited(3) && empty.errors.contains("there is no test in"))
    let value = "- test: t\n  given: {evt.type: execve, proc.tty: many}\n  not: \"*\"\n"
    let wrong = try Command.run(["test", try folder.write("c.test.yaml", value)])
    #expect(wrong.status == .exited(4) && wrong.output.contains("event 1: 'proc.tty' takes a whole number (uint32)"))
  }

  @Test("tests that are not there are called tests")
  func missing() throws {
    let result = try Command.run(["test", "/nonexistent"])
    #expect(result.status == .exited(3))
    #expect(result.errors.contains("cannot read tests from '/nonexistent': No such file or directory"))
  }

  @Test("a folder's tests are no rules, and its rules no tests")
  func kinds() throws {
    let folder = try TestFolder()
    _ = try folder.write("a.test.yaml", Self.tests)
    let alone = try Command.run(["check", folder.path])
    #expect(alone.status == .exited(3) && alone.errors.contains("no file in it ends in '.yaml'"))
    _ = try folder.write("site.yaml", "- list: shell_allowed_parents\n  items: [tini]\n")
    #expect(try Command.run(["check", "bundled", folder.path]).succeeded)
  }
}
