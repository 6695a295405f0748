// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

/// Rule files that are wrong, as the person who wrote them meets them: code, place and help, and exit status 3.
@Suite("command: wrong input", .timeLimit(.minutes(5)))
struct WrongInputTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let text: String
    /// What the diagnostic has to say: code, line and column, help.
    let parts: [String]

    init(_ name: String, _ text: String, _ parts: String...) {
      self.name = name
      self.text = text
      self.parts = parts
    }

    var testDescription: String { name }
  }

  private static func rule(_ condition: String, more: String = "") -> String {
    "- rule: R\n  desc: d\n  condition: \(condition)\n  output: x\n  priority: notice\n\(more)"
  }

  static let cases: [Case] = [
    Case("an unknown field", rule("proc.nmae = x"), "error[R0101]", ":3:14", "did you mean 'proc.name'?"),
    Case(
      "an unknown macro", "- macro: container\n  condition: container.id != host\n" + rule("contaner"), "error[R0102]",
      ":5:14", "did you mean 'container'?"),
    Case(
      "a macro used before it is defined",
      "- macro: a\n  condition: b\n- macro: b\n  condition: proc.name = x\n" + rule("a"), "error[R0104]", ":2:14",
      "move its definition before this macro"),
    Case("a wrong operator for a type", rule("evt.rawres contains x"), "error[R0201]", ":3:25", "numbers take"),
    Case("a bad pattern", rule("proc.name regex '('"), "error[R0209]", ":3:30"),
    Case("a bad network", rule("fd.snet = 10.0.0.0/99"), "error[R0202]", ":3:24"),
    Case(
      "a missing key", "- rule: R\n  desc: d\n  condition: proc.name = x\n  output: x\n", "error[R0012]", ":1:3",
      "add 'priority:' to it"),
    Case(
      "a bad priority", rule("proc.name = x").replacing("notice", with: "notcie"), "error[R0016]", ":5:13",
      "did you mean 'NOTICE'?"),
    Case("a macro defined by itself", "- macro: a\n  condition: a\n" + rule("a"), "error[R0105]", ":2:14"),
    Case(
      "an exception of the wrong shape",
      rule(
        "proc.name = x",
        more: "  exceptions:\n    - name: e\n      fields: [proc.name, proc.pname]\n      values: [[a]]\n"),
      "error[R0021]", ":9:"),
    Case("a tab", "- rule: R\n\tdesc: d\n", "error[R0003]", ":2:1", "tab"),
    Case("binary garbage", "\u{0}\u{1}\u{2}ELF", "error[R0001]", ":1:1"),
    Case("nothing that YAML has", "- rule: [\n", "error[R0003]"),
    Case(
      "five thousand parentheses",
      rule(String(repeating: "(", count: 5000) + "proc.name = x" + String(repeating: ")", count: 5000)), "error[R0005]",
      ":3:"),
    Case(
      "ten megabytes", String(repeating: "# a line that says nothing at all\n", count: 310_000), "error[R0002]",
      "4194304 bytes"),
  ]

  @Test("is explained where it stands, and exits with 3", arguments: cases)
  func wrong(_ example: Case) throws {
    let folder = try TestFolder()
    let path = try folder.write("r.yaml", example.text)
    let result = try Command.run(["check", path])
    #expect(result.status == .exited(3))
    for part in example.parts {
      let wanted = part.hasPrefix(":") ? path + part : part
      #expect(result.output.contains(wanted), "\(wanted) in \(result.output.prefix(2000))")
    }
    #expect(result.output.utf8.count < 20_000)
    #expect(
      result.output.contains("1 file: 1 error, 0 warnings"),
      "one mistake, one diagnostic: \(result.output.prefix(2000))")
    let json = try Command.run(["check", "--format", "json", path])
    #expect(json.status == .exited(3))
    let object = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    let results = try #require(object["falco_load_results"] as? [[String: Any]])
    #expect(results.map { $0["successful"] as? Bool } == [false])
    #expect((results[0]["errors"] as? [Any])?.count == 1)
  }

  @Test("an unknown key is a warning, as in Falco, with what was probably meant")
  func unknownKey() throws {
    let folder = try TestFolder()
    let path = try folder.write("r.yaml", Self.rule("evt.type = open", more: "  enabeld: false\n"))
    let result = try Command.run(["check", path])
    #expect(result.succeeded && result.output.contains("warning[R0015]") && result.output.contains("\(path):6:3"))
    #expect(result.output.contains("did you mean 'enabled'?"))
  }
}
