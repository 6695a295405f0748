// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import MartletAgent
import MartletEvents
import MartletRules

/// `martlet test`: run rule tests.
struct TestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Run rule tests: events and the alerts they are to raise.",
    discussion: """
      Needs neither root nor a kernel. A file of tests is YAML; folders are searched for files that end in
      '.test.yaml', which other commands leave out of the rules:

        - test: a shell with a terminal in a container
          given:
            - {evt.type: execve, proc.name: bash, proc.tty: 34816, container.id: 4f1c9e0b2a77}
          expect:
            - rule: Shell in container
              priority: notice
              output_fields: {proc.name: bash}
          not: ["Model *"]

      'given' takes the fields of event lines. Alerts are expected in order, others may come between them; 'not: "*"'
      forbids all that are not expected. A test that fails shows what came nearest, predicate by predicate. Exit
      status: 0 all passed, 4 some failed, 3 the tests or the rules have errors.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text, json
  }

  @Argument(
    help: ArgumentHelp("Files of rule tests, and folders with such files.", valueName: "path"),
    completion: .file(extensions: ["yaml", "yml"]))
  var paths: [String]

  @OptionGroup var rules: RuleOptions

  @Option(help: "text, or json for programs: one object a test.")
  var format = Format.text

  func run() throws {
    let ruleset = try rules.compile()
    let reading = try read(ruleset)
    var runner = RuleTestRunner(ruleset)
    var failedCount = 0
    for test in reading.tests {
      let result = runner.run(test)
      if !result.failures.isEmpty { failedCount += 1 }
      switch format {
      case .text: write(text(of: result), to: STDOUT_FILENO)
      case .json: write(json(of: result) + "\n", to: STDOUT_FILENO)
      }
    }
    let passedCount = reading.tests.count - failedCount
    write("\(passedCount) passed, \(failedCount) failed\n", to: format == .text ? STDOUT_FILENO : STDERR_FILENO)
    if failedCount > 0 { throw ExitStatus.testsFailed }
  }

  private func read(_ ruleset: Ruleset) throws -> RuleTestReading {
    let sources: [SourceFile]
    do {
      sources = try RuleFiles.read(paths, .tests)
    } catch {
      report(["\(error)"], help: ["name a file of tests, or a folder with files that end in '.test.yaml'"])
      throw ExitStatus.rulesInvalid
    }
    let reading = RuleTest.read(sources, ruleNames: ruleset.rules.map(\.name))
    let renderer = DiagnosticRenderer(sources: sources, isColored: wantsColor(STDERR_FILENO))
    write(renderer.render(reading.diagnostics), to: STDERR_FILENO)
    if reading.hasErrors { throw ExitStatus.rulesInvalid }
    guard !reading.tests.isEmpty else {
      report(["there is no test in \(paths.joined(separator: ", "))"], help: ["begin each test with '- test:'"])
      throw ExitStatus.rulesInvalid
    }
    return reading
  }

  private func text(of result: RuleTestResult) -> String {
    let isColored = wantsColor(STDOUT_FILENO)
    let passed = result.failures.isEmpty
    let word = passed ? "ok    " : "FAILED"
    let mark = isColored ? "\u{1b}[\(passed ? 32 : 31)m\(word)\u{1b}[0m" : word
    var text = "\(mark) \(DiagnosticRenderer.printable(result.test.name))\n"
    for failure in result.failures {
      text += "  \(failure.span?.start ?? result.test.location): \(DiagnosticRenderer.printable(failure.message))\n"
      if let note = failure.note { text += "  \(DiagnosticRenderer.printable(note)):\n" }
      guard let explanation = failure.explanation else { continue }
      text += explanation.split(separator: "\n").map { "    \($0)\n" }.joined()
    }
    return text
  }

  private func json(of result: RuleTestResult) -> String {
    var json = JSONWriter()
    json.beginObject()
    json.array("failures") { json in
      for failure in result.failures {
        json.beginObject()
        json.member("explanation", failure.explanation)
        json.member("line", Int64(failure.span?.line ?? result.test.location.line))
        json.member("message", failure.message)
        json.endObject()
      }
    }
    json.member("file", result.test.location.path)
    json.member("line", Int64(result.test.location.line))
    json.member("passed", result.failures.isEmpty)
    json.member("test", result.test.name)
    json.endObject()
    return json.text
  }
}
