// SPDX-License-Identifier: Apache-2.0

/// What Falco would say to one rule file: its outcome, its first error, the warnings before that.
///
/// Falco loads files one after another and compiles everything after each, so that a later file can break what an
/// earlier one defined, and is then told so; warnings of earlier files are told again.
public struct LoadResult: Sendable {
  public let name: String
  /// At most one.
  public let errors: [Issue]
  public let warnings: [Issue]
  /// What Falco's schema of rule files finds in the documents of this file, one at most in each; nil where there is
  /// none. It refuses nothing.
  public let schemaWarnings: [String]?

  public var isSuccessful: Bool { errors.isEmpty }

  public struct Issue: Sendable {
    public let code: UpstreamCode
    public let message: String
    /// From the file inwards.
    public let locations: [Location]
    /// The line in question, and a mark below it.
    public let snippet: String
  }

  public struct Location: Sendable {
    /// Such as `rule condition`.
    public let itemType: String
    public let itemName: String
    /// A file, or the beginning of a condition in quotes.
    public let name: String
    /// Counts from 0.
    public let line: Int
    /// Counts from 0, in bytes.
    public let column: Int
    /// Bytes before it.
    public let offset: Int
  }
}

extension LoadResult {
  /// A file that could not be read.
  public init(unreadable path: String, reason: String) {
    name = path
    let whole = Location(itemType: LoadItem.content.rawValue, itemName: "", name: path, line: 0, column: 0, offset: 0)
    errors = [Issue(code: .fileRead, message: reason, locations: [whole], snippet: Issue.noSnippet)]
    warnings = []
    schemaWarnings = nil
  }

  init(_ source: Int, _ documents: [YAMLNode], _ log: DiagnosticLog) {
    schemaWarnings = documents.isEmpty ? nil : documents.compactMap(SchemaCheck.problem)
    let reports = log.entries.compactMap(\.upstream).enumerated().sorted {
      ($0.element.step, $0.offset) < ($1.element.step, $1.offset)
    }.map(\.element)
    let end = reports.firstIndex { $0.code.isError }
    name = log.indexes[source].path
    errors = end.map { [Issue(reports[$0], log.indexes)] } ?? []
    warnings = reports[..<(end ?? reports.count)].map { Issue($0, log.indexes) }
  }
}

extension LoadResult.Issue {
  fileprivate init(_ report: DiagnosticLog.UpstreamReport, _ indexes: [LineIndex]) {
    code = report.code
    message = report.message
    var locations: [LoadLocation.Resolved] = []
    for step in report.trail { locations.append(step.resolved(locations.last, indexes)) }
    self.locations = locations.map(\.location)
    snippet = locations.last.map { Self.snippet(of: $0.text, around: $0.point) } ?? ""
  }

  fileprivate static let noSnippet = "<No context available>\n"
  private static let reachMax = 80

  /// The line around a place, as much of it as is near, and a mark below.
  private static func snippet(of text: [UInt8], around point: Int) -> String {
    guard !text.isEmpty else { return noSnippet }
    var point = min(point, text.count - 1)
    while point > 0, text[point] == .newline { point -= 1 }
    let lineStart = text[..<point].lastIndex(of: .newline).map { $0 + 1 } ?? 0
    let lineEnd = text[point...].firstIndex(of: .newline) ?? text.count
    let start = max(lineStart, point - reachMax)
    let end = min(lineEnd, point + reachMax)
    guard start < end else { return noSnippet }
    let line =
      (start > lineStart ? "..." : "") + text[start..<end].string + (end < lineEnd ? "..." : "")
    let indent = point - start + (start > lineStart ? 3 : 0)
    return line + "\n" + String(repeating: " ", count: indent) + "^\n"
  }
}

extension LoadLocation {
  fileprivate struct Resolved {
    let location: LoadResult.Location
    /// What the place is shown in, and where there.
    let text: [UInt8]
    let point: Int
  }

  fileprivate func resolved(_ outer: Resolved?, _ indexes: [LineIndex]) -> Resolved {
    switch place {
    case .file(let range):
      let index = indexes[range.source]
      let offset = min(range.range.lowerBound, index.bytes.count)
      let line = index.lineIndex(of: offset)
      let location = LoadResult.Location(
        itemType: item.rawValue, itemName: name, name: index.path, line: line,
        column: offset - index.lineStarts[line], offset: offset)
      return Resolved(location: location, text: index.bytes, point: offset)
    case .condition(let text, let offset):
      let before = text[..<min(offset, text.count)]
      // Places in a condition count from 1 and are added to where that begins, which counts from 0.
      let line = 1 + before.count { $0 == .newline }
      let column = 1 + before.count - (before.lastIndex(of: .newline).map { $0 + 1 } ?? 0)
      let location = LoadResult.Location(
        itemType: item.rawValue, itemName: name, name: Self.shortened(text),
        line: line + (outer?.location.line ?? 0), column: column + (outer?.location.column ?? 0),
        offset: offset + (outer?.location.offset ?? 0))
      return Resolved(location: location, text: text, point: offset)
    }
  }

  private static let nameCountMax = 20

  private static func shortened(_ condition: [UInt8]) -> String {
    let isWhole = condition.count <= nameCountMax
    let shown = condition.prefix(isWhole ? nameCountMax : nameCountMax - 3).map { $0.isLineBreak ? .space : $0 }
    return "\"\(shown.string)\(isWhole ? "" : "...")\""
  }
}
