// SPDX-License-Identifier: Apache-2.0

import MartletRules
import Testing

@Suite("Files of rule tests")
struct RuleTestTests {
  private func read(_ text: String) -> RuleTestReading {
    RuleTest.read([SourceFile(path: "a.test.yaml", text: text)], ruleNames: ["Shell in container", "Shadow read"])
  }

  @Test("events become event lines, with values of their fields' types")
  func events() throws {
    let reading = read(
      """
      - test: T
        given:
          - {evt.type: execve, proc.name: 7, proc.tty: 34816, evt.is_open_read: true, evt.rawres: -2, proc.pname: ~}
          - {"proc.aname[2]": sshd, container.id: {$pending: true}, proc.exe: {$hex: ff00}, proc.cmdline: "true"}
          - '{"proc.name": "x"}'
        not: "*"
      """)
    #expect(reading.diagnostics.isEmpty)
    let test = try #require(reading.tests.first)
    #expect(
      test.given.map { String(decoding: $0.json, as: UTF8.self) } == [
        #"{"evt.type":"execve","proc.name":"7","proc.tty":34816,"evt.is_open_read":true,"evt.rawres":-2,"proc.pname":null}"#,
        #"{"proc.aname[2]":"sshd","container.id":{"$pending":true},"proc.exe":{"$hex":"ff00"},"proc.cmdline":"true"}"#,
        #"{"proc.name": "x"}"#,
      ])
    #expect(test.given.map(\.span.line) == [3, 4, 5])
    #expect(test.location.line == 1)
  }

  @Test("expectations come alone or in lists, short or long")
  func expectations() throws {
    let reading = read(
      """
      - test: short
        given: {evt.type: execve}
        expect: Shell in container
        not: Sh*w read
      - test: long
        given: {evt.type: execve}
        expect:
          - Shadow read
          - {rule: Shell in container, priority: INFO, output_fields: {proc.tty: 7, proc.name: 7}}
      """)
    #expect(reading.diagnostics.isEmpty)
    #expect(
      reading.tests.map { $0.expected.map(\.rule) } == [["Shell in container"], ["Shadow read", "Shell in container"]])
    #expect(reading.tests.map { $0.forbidden.map(\.text) } == [["Sh*w read"], []])
    let alert = try #require(reading.tests.last?.expected.last)
    #expect(alert.priority == .informational)
    #expect(
      alert.outputFields.map { "\($0.name) \(String(decoding: $0.json, as: UTF8.self))" } == [
        "proc.tty 7", #"proc.name "7""#,
      ])
  }

  @Test("one broken test does not hide the others")
  func isolation() {
    let reading = read("- test: broken\n- test: fine\n  given: {evt.type: execve}\n  not: '*'\n")
    #expect(reading.tests.map(\.name) == ["fine"] && reading.hasErrors)
  }

  @Test(
    "names and patterns",
    arguments: [
      ("*", "", true), ("*", "anything", true), ("a*", "abc", true), ("a*", "bc", false), ("*c", "abc", true),
      ("a*c", "abbbc", true), ("a*c", "abcd", false), ("*b*b*", "abcb", true), ("*b*b*", "ab", false),
      ("abc", "abc", true), ("abc", "ABC", false), ("", "", true), ("", "a", false), ("a**", "a", true),
      ("*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
    ])
  func patterns(pattern: String, name: String, expected: Bool) {
    #expect(RuleNamePattern(pattern).matches(name) == expected)
  }
}
