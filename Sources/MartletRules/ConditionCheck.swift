// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// One condition alone, outside of any rule: what it means, or what is wrong with it.
public struct ConditionCheck: Sendable {
  /// Nil if and only if a diagnostic is an error.
  public let condition: Condition?
  /// As Falco prints it; nil where the syntax is wrong. Names in it need not exist.
  public let canonical: String?
  /// Falco's names of the events that the condition can match, sorted; none where it has a mistake.
  public let events: [String]
  /// In the order of their positions, those of the files last. Of the files errors are told only.
  public let diagnostics: [Diagnostic]
  /// Stands for a file's in the places of diagnostics.
  fileprivate static let path = "condition"

  /// The condition as a file, for whoever shows the diagnostics.
  public let source: SourceFile

  /// `files`: where the macros and lists are that it may name. `regexProblem` says what is wrong with the patterns of
  /// `regex`; by default they are taken as they are.
  public init(
    _ text: [UInt8], among files: [SourceFile] = [], limits: Limits = Limits(),
    regexProblem: @escaping RegexProblem = { _ in nil }
  ) {
    let source = SourceFile(path: Self.path, bytes: text)
    var options = CompileOptions()
    options.limits = limits
    options.regexProblem = regexProblem
    let compiler = Compiler(sources: [source] + files, options: options)
    var log = compiler.newLog()
    guard text.count <= limits.fileBytes else {
      let place = FileRange(source: 0, range: 0..<0)
      log.report(
        .fileTooLarge, "this condition has more than \(limits.fileBytes) bytes", at: place, "not read",
        help: [.smallerFile])
      self.init(source: source, condition: nil, canonical: nil, diagnostics: log.sorted())
      return
    }
    var mapped = MappedText(anchor: FileRange(source: 0, range: 0..<0))
    mapped.append(text, for: 0..<text.count)
    let library = compiler.libraryBehindFirst(&log)
    var analyzer = Analyzer(library: library, options: options, log: log)
    analyzer.readMacros()
    analyzer.owner = nil
    let scope = Scope(analyzer.expand(mapped), mapped, macro: nil, chain: [])
    let parsed = analyzer.parse(scope.expanded, in: scope)
    let expansion = parsed.isValid ? analyzer.condition(parsed, in: scope) : nil
    self.init(
      source: source, condition: analyzer.log.hasErrors ? nil : expansion?.condition,
      canonical: parsed.isValid ? parsed.tree.canonical : nil,
      diagnostics: analyzer.log.sorted().filter { $0.severity == .error || $0.primary.span.path == source.path })
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
    if primary.span.path != ConditionCheck.path { writer.member("path", primary.span.path) }
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
