// SPDX-License-Identifier: Apache-2.0

import Glibc
import MartletRules
import Testing

/// `name.yaml` is compiled, or read as rule tests if it is a `name.test.yaml`, and what is printed has to be `name.expected`. With MARTLET_RECORD=1 in the environment the
/// expected files are written instead. A line `# limit NAME NUMBER` at the top sets a limit,
/// and one `# disable RULES` switches rules off.
@Suite("Diagnostic fixtures")
struct FixtureTests {
  static let names = TestFiles.names(in: TestFiles.fixtures)
    .filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }

  @Test("each file is explained as expected", arguments: names)
  func fixture(name: String) {
    let path = "\(TestFiles.fixtures)/\(name)"
    let found = Self.render(name)
    if getenv("MARTLET_RECORD") != nil { TestFiles.write(found, to: path + ".expected") }
    #expect(found == TestFiles.bytes(path + ".expected").text)
  }

  @Test("every code has a fixture", arguments: DiagnosticCode.allCases)
  func complete(code: DiagnosticCode) {
    #expect(
      Self.names.contains {
        TestFiles.bytes("\(TestFiles.fixtures)/\($0).expected").text.contains("[\(code.rawValue)]")
      })
  }

  @Test("every code is explained in more than a line", arguments: DiagnosticCode.allCases)
  func explained(code: DiagnosticCode) {
    #expect(code.explanation.utf8.count > 80)
    #expect(!code.title.isEmpty)
  }

  static func render(_ name: String) -> String {
    let source = SourceFile(path: "\(name).yaml", bytes: TestFiles.bytes("\(TestFiles.fixtures)/\(name).yaml"))
    if name.hasSuffix(".test") {
      let reading = RuleTest.read(
        [source], ruleNames: ["Shell in container", "Shadow read"], limits: limits(source.bytes.text))
      return DiagnosticRenderer(sources: [source]).render(reading.diagnostics)
    }
    // An engine is not a matter of these tests: one pattern is bad.
    var options = CompileOptions()
    options.limits = limits(source.bytes.text)
    let mark = "# disable "
    options.selections = source.bytes.text.split(separator: "\n").filter { $0.hasPrefix(mark) }
      .map { RuleSelection(String($0.dropFirst(mark.count)), isEnabled: false) }
    options.regexProblem = { pattern in
      pattern.text == "s(.*" ? "missing ): s(.*" : nil
    }
    let result = Ruleset.compile([source], options)
    #expect((result.ruleset == nil) == result.hasErrors)
    return DiagnosticRenderer(sources: [source] + options.sources).render(result.diagnostics)
  }

  static func limits(_ text: String) -> Limits {
    var limits = Limits()
    for line in text.split(separator: "\n") where line.hasPrefix("# limit ") {
      let words = line.split(separator: " ")
      guard let number = Int(words[3]) else { continue }
      switch words[2] {
      case "fileBytes": limits.fileBytes = number
      case "yamlDepth": limits.yamlDepth = number
      case "yamlNodes": limits.yamlNodes = number
      case "conditionDepth": limits.conditionDepth = number
      case "definitions": limits.definitions = number
      case "listItems": limits.listItems = number
      case "conditionSize": limits.conditionSize = number
      case "rulesetSize": limits.rulesetSize = number
      case "diagnostics": limits.diagnostics = number
      default: Issue.record("no limit '\(words[2])'")
      }
    }
    return limits
  }
}

extension [UInt8] {
  var text: String { String(decoding: self, as: UTF8.self) }
}
