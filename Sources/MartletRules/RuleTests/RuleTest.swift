// SPDX-License-Identifier: Apache-2.0

/// A test of rules: what happens, and which alerts it is to raise.
public struct RuleTest: Sendable {
  public let name: String
  /// Where it begins.
  public let location: SourceLocation
  /// In the order in which they happen; never empty.
  public let given: [GivenLine]
  /// In the order in which they are to be raised. Others may come between them.
  public let expected: [ExpectedAlert]
  /// Rules that must not raise any. Never empty together with `expected`: such a test could not fail.
  public let forbidden: [RuleNamePattern]

  /// An event, as the JSON object of an event line.
  public struct GivenLine: Sendable {
    public let json: [UInt8]
    public let span: SourceSpan
  }

  public struct ExpectedAlert: Sendable {
    public let rule: String
    public let span: SourceSpan
    /// Nil where the test does not care.
    public let priority: Priority?
    /// What some of the alert's output fields have to be.
    public let outputFields: [ExpectedField]
  }

  public struct ExpectedField: Sendable {
    public let name: String
    /// The value as JSON.
    public let json: [UInt8]
    public let span: SourceSpan
  }
}

/// A rule's name, or several with `*` for any run of characters.
public struct RuleNamePattern: Hashable, Sendable {
  public let text: String

  public init(_ text: String) { self.text = text }

  /// Upper and lower case are different.
  public func matches(_ name: String) -> Bool { Wildcard.matches(Array(text.utf8), Array(name.utf8)) }
}

/// What became of some files of tests.
public struct RuleTestReading: Sendable {
  /// Those that can be run, in the order of files and places.
  public let tests: [RuleTest]
  public let diagnostics: [Diagnostic]

  public var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
}

extension RuleTest {
  /// Reads files of tests of the rules called `ruleNames`. Like `Ruleset.compile` it never throws for a mistake in them.
  ///
  ///     - test: a shell in a container
  ///       given:
  ///         - {evt.type: execve, proc.name: bash, proc.tty: 34816, container.id: 4f1c9e0b2a77}
  ///       expect:
  ///         - rule: Shell in container
  ///           priority: notice
  ///           output_fields: {proc.name: bash}
  ///       not: ["Model *"]
  public static func read(
    _ sources: [SourceFile], ruleNames: [String], limits: Limits = Limits()
  ) -> RuleTestReading {
    var options = CompileOptions()
    options.limits = limits
    let compiler = Compiler(sources: sources, options: options)
    return compiler.readDocuments { documents, log in
      var reader = RuleTestReader(ruleNames: ruleNames, limits: limits)
      for document in documents { reader.read(document, &log) }
      return RuleTestReading(tests: reader.tests, diagnostics: log.sorted())
    }
  }
}
