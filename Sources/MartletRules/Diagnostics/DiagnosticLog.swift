// SPDX-License-Identifier: Apache-2.0

/// Collects diagnostics, turning places in files into lines and columns.
struct DiagnosticLog {
  let indexes: [LineIndex]
  let limit: Int
  private var entries: [(place: FileRange, diagnostic: Diagnostic)] = []
  private(set) var hasErrors = false
  /// Also of those that are not kept.
  private var errorCounts: [DiagnosticCode: Int] = [:]

  init(indexes: [LineIndex], limit: Int) {
    self.indexes = indexes
    self.limit = limit
  }

  func span(_ place: FileRange) -> SourceSpan { indexes[place.source].span(of: place.range) }

  /// The candidate that is spelled most alike. None once nothing more is shown: a hostile file must not buy a search
  /// through thousands of names with each of a million mistakes.
  func nearest<Candidates: Sequence<String>>(
    to word: String, among candidates: @autoclosure () -> Candidates
  ) -> String? {
    entries.count < limit ? Spelling.nearest(to: word, among: candidates()) : nil
  }

  mutating func report(
    _ code: DiagnosticCode, _ message: String, at place: FileRange, _ label: String = "",
    related: [SourceLabel] = [], notes: [Note] = [], help: [Suggestion] = [], upstream: UpstreamCode? = nil
  ) {
    if code.severity == .error {
      hasErrors = true
      errorCounts[code, default: 0] += 1
    }
    guard entries.count < limit else { return }
    let primary = SourceLabel(span(place), label)
    let diagnostic = Diagnostic(
      code, message, at: primary, related: related, notes: notes, help: help, upstreamCode: upstream)
    entries.append((place, diagnostic))
    if entries.count == limit {
      let last = Diagnostic(.tooManyDiagnostics, "more than \(limit) diagnostics; the rest is not shown", at: primary)
      entries.append((place, last))
    }
  }

  /// The codes of errors that have come since this log was as `earlier`.
  func errorCodes(since earlier: DiagnosticLog) -> Set<DiagnosticCode> {
    Set(errorCounts.keys.filter { errorCounts[$0] != earlier.errorCounts[$0] })
  }

  /// The first error that has come since then, if it was kept.
  func firstError(since earlier: DiagnosticLog) -> (place: FileRange, diagnostic: Diagnostic)? {
    entries.dropFirst(earlier.entries.count).first { $0.diagnostic.severity == .error }
  }

  /// In the order of files, and of places in them.
  func sorted() -> [Diagnostic] {
    let ranked = entries.enumerated().sorted { left, right in
      let (first, second) = (left.element.place, right.element.place)
      if first.source != second.source { return first.source < second.source }
      if first.range.lowerBound != second.range.lowerBound {
        return first.range.lowerBound < second.range.lowerBound
      }
      return left.offset < right.offset
    }
    return ranked.map(\.element.diagnostic)
  }
}

extension Suggestion {
  /// The usual did-you-mean, or nothing where no candidate is near.
  static func didYouMean(_ candidate: String?, replacing span: SourceSpan) -> [Suggestion] {
    candidate.map { [Suggestion("did you mean '\($0)'?", replacing: span, with: $0)] } ?? []
  }
}
