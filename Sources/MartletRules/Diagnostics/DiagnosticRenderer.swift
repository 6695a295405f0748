// SPDX-License-Identifier: Apache-2.0

/// Writes diagnostics for people: what is wrong, the lines of the file, carets, notes, help.
public struct DiagnosticRenderer {
  private let indexes: [String: LineIndex]
  private let isColored: Bool

  /// `sources`: the files that were compiled; their lines are shown. `isColored`: with ANSI colours.
  public init(sources: [SourceFile], isColored: Bool = false) {
    indexes = Dictionary(sources.map { ($0.path, LineIndex($0)) }) { first, _ in first }
    self.isColored = isColored
  }

  /// All of them, an empty line between two.
  public func render(_ diagnostics: [Diagnostic]) -> String {
    diagnostics.map(render).joined(separator: "\n")
  }

  /// One diagnostic, with a line break at its end.
  public func render(_ diagnostic: Diagnostic) -> String {
    var page = Page(isColored: isColored)
    let style: Page.Style =
      switch diagnostic.severity {
      case .error: .error
      case .warning: .warning
      case .note: .note
      }
    page.line(
      page.styled("\(diagnostic.severity.rawValue)[\(diagnostic.code.rawValue)]", style)
        + page.styled(": \(Self.printable(diagnostic.message))", .strong))
    let line = diagnostic.primary.span.line
    let path = diagnostic.primary.span.path
    let sameLine = diagnostic.related.filter { $0.span.line == line && $0.span.path == path }
    excerpt(diagnostic.primary, sameLine, style: style, on: &page)
    for label in diagnostic.related where !sameLine.contains(label) {
      page.note(Self.printable(label.text))
      excerpt(SourceLabel(label.span), [], style: .note, on: &page)
    }
    for note in diagnostic.notes {
      page.note(Self.printable(note.text))
      if let span = note.span { excerpt(SourceLabel(span), [], style: .note, on: &page) }
    }
    for suggestion in diagnostic.help { help(suggestion, on: &page) }
    return page.text
  }

  // MARK: Excerpts

  private func excerpt(
    _ primary: SourceLabel, _ others: [SourceLabel], style: Page.Style, on page: inout Page
  ) {
    let span = primary.span
    page.line(page.styled("  --> ", .frame) + "\(Self.printable(span.start.description))")
    guard let index = indexes[span.path], !index.bytes.isEmpty else { return }
    page.gutter = max(2, String(span.line).utf8.count)
    page.framed(nil, "")
    let view = LineView(index, line: span.line, around: span.column)
    if view.needsContext {
      for line in max(1, span.line - 2)..<span.line {
        page.framed(line, LineView(index, line: line, around: 1).text)
      }
    }
    page.framed(span.line, view.text)
    underline(primary, others, view, style, on: &page)
  }

  /// Carets under the primary label and dashes under the others; the words of the last one on the same line, those of
  /// the others below, each under its own mark.
  private func underline(
    _ primary: SourceLabel, _ others: [SourceLabel], _ view: LineView, _ style: Page.Style, on page: inout Page
  ) {
    var marks = others.map { Mark($0, view, sign: "-") } + [Mark(primary, view, sign: "^")]
    marks.sort { $0.column < $1.column }
    guard let last = marks.last else { return }
    var line = ""
    for mark in marks where mark.column >= line.count {
      line += String(repeating: " ", count: mark.column - line.count)
      line += String(repeating: mark.sign, count: mark.width)
    }
    page.framed(nil, page.styled(line + (last.text.isEmpty ? "" : " \(last.text)"), style))
    for mark in marks.dropLast().reversed() where !mark.text.isEmpty {
      let indent = String(repeating: " ", count: mark.column)
      page.framed(nil, page.styled(indent + "|", style))
      page.framed(nil, page.styled(indent + mark.text, style))
    }
  }

  private struct Mark {
    let column: Int
    let width: Int
    let sign: Character
    let text: String

    init(_ label: SourceLabel, _ view: LineView, sign: Character) {
      (column, width) = view.columns(of: label.span)
      self.sign = sign
      text = DiagnosticRenderer.printable(label.text)
    }
  }

  // MARK: Help

  private func help(_ suggestion: Suggestion, on page: inout Page) {
    page.help(Self.printable(suggestion.text))
    guard let replacement = suggestion.replacement, let index = indexes[replacement.span.path],
      replacement.span.start.line == replacement.span.end.line
    else { return }
    let span = replacement.span
    let view = LineView(index, line: span.line, around: span.column)
    guard view.isWhole else { return }
    let (column, width) = view.columns(of: span, atLeast: 0)
    let newText = Self.printable(replacement.newText)
    let scalars = view.text.unicodeScalars
    let start = scalars.index(scalars.startIndex, offsetBy: column)
    let end = scalars.index(start, offsetBy: width, limitedBy: scalars.endIndex) ?? scalars.endIndex
    let same = Self.sameParts(String(scalars[start..<end]), newText)
    page.gutter = max(2, String(span.line).utf8.count)
    page.framed(nil, "")
    page.framed(span.line, String(scalars[..<start]) + newText + String(scalars[end...]))
    let tildes = String(repeating: "~", count: max(1, newText.unicodeScalars.count - same))
    page.framed(nil, String(repeating: " ", count: column + same) + page.styled(tildes, .help))
  }

  /// Characters of the dotted parts with which both begin: of `proc.nmae` and `proc.name` those of `proc.`.
  private static func sameParts(_ old: String, _ new: String) -> Int {
    var same = 0
    for (offset, pair) in zip(old.unicodeScalars, new.unicodeScalars).enumerated() {
      guard pair.0 == pair.1 else { break }
      if pair.0 == "." { same = offset + 1 }
    }
    return same
  }

  /// No line breaks and control characters: a rule file cannot write on the terminal of who checks it.
  public static func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: LineView.isControl) else { return text }
    return String(
      String.UnicodeScalarView(text.unicodeScalars.map { LineView.isControl($0) ? "\u{fffd}" : $0 }))
  }
}
