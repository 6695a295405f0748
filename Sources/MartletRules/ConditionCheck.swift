// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// One condition alone, without a rule file: what it means, or what is wrong with it. There are no macros and lists
/// that it could name.
public struct ConditionCheck: Sendable {
  /// Nil if and only if a diagnostic is an error.
  public let condition: Condition?
  /// As Falco prints it; nil where the syntax is wrong. Names in it need not exist.
  public let canonical: String?
  /// Falco's names of the events that the condition can match, sorted; none where it has a mistake.
  public let events: [String]
  /// In the order of their positions.
  public let diagnostics: [Diagnostic]
  /// The condition as a file, for whoever shows the diagnostics.
  public let source: SourceFile

  /// `regexProblem` says what is wrong with the patterns of `regex`; by default they are taken as they are.
  public init(
    _ text: [UInt8], limits: Limits = Limits(), regexProblem: @escaping RegexProblem = { _ in nil }
  ) {
    let source = SourceFile(path: "condition", bytes: text)
    let isTooLarge = text.count > limits.fileBytes
    let index = LineIndex(isTooLarge ? SourceFile(path: source.path, bytes: []) : source)
    var log = DiagnosticLog(indexes: [index], limit: limits.diagnostics)
    guard !isTooLarge else {
      let place = FileRange(source: 0, range: 0..<0)
      log.report(.fileTooLarge, "this condition has more than \(limits.fileBytes) bytes", at: place, "not read")
      self.init(source: source, condition: nil, canonical: nil, diagnostics: log.sorted())
      return
    }
    var mapped = MappedText(anchor: FileRange(source: 0, range: 0..<0))
    mapped.append(text, for: 0..<text.count)
    var options = CompileOptions()
    options.limits = limits
    options.regexProblem = regexProblem
    var analyzer = Analyzer(library: Library(), options: options, log: log)
    let scope = Scope(ListExpander.Expanded(mapped), mapped, macro: nil, chain: [])
    let parsed = analyzer.parse(scope.expanded, in: scope)
    let expansion = parsed.isValid ? analyzer.condition(parsed, in: scope) : nil
    self.init(
      source: source, condition: analyzer.log.hasErrors ? nil : expansion?.condition,
      canonical: parsed.isValid ? parsed.tree.canonical : nil, diagnostics: analyzer.log.sorted())
  }

  private init(source: SourceFile, condition: Condition?, canonical: String?, diagnostics: [Diagnostic]) {
    self.source = source
    self.condition = condition
    self.canonical = canonical
    self.diagnostics = diagnostics
    events = condition.map { EventTypeAnalysis.names(of: $0).names } ?? []
  }
}

extension ConditionCheck {
  /// One JSON object, keys in the order of the alphabet. Lines and columns count from 1.
  public var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("canonical", canonical)
    writer.array("diagnostics") { writer in
      for diagnostic in diagnostics { diagnostic.writeShort(to: &writer) }
    }
    writer.member("events", events)
    writer.member("ok", condition != nil)
    writer.endObject()
    return writer.text
  }
}

extension Diagnostic {
  fileprivate func writeShort(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("code", code.rawValue)
    writer.member("column", Int64(primary.span.column))
    writer.member("help", help.map(\.text).joined(separator: "; "))
    writer.member("line", Int64(primary.span.line))
    writer.member("message", message)
    writer.member("severity", severity.rawValue)
    writer.member("stage", code.stage.rawValue)
    writer.endObject()
  }
}

extension DiagnosticCode {
  /// At which step a condition was found wrong.
  public enum Stage: String, Sendable { case syntax, names, types, lint }

  /// By the first two digits of the code.
  public var stage: Stage {
    guard severity == .error else { return .lint }
    return switch rawValue.dropFirst().prefix(2) {
    case "00": .syntax
    case "01": .names
    case "02": .types
    default: .lint
    }
  }
}
