// SPDX-License-Identifier: Apache-2.0

/// Collects diagnostics, turning places in files into lines and columns.
struct DiagnosticLog {
  let indexes: [LineIndex]
  let limit: Int
  /// The way to what is looked at, from the file inwards.
  var trail: [LoadLocation] = []
  /// When Falco would be where we are.
  var step = LoadStep()
  private(set) var entries: [Entry] = []
  private(set) var hasErrors = false
  /// The first error since the last mark, kept or not.
  private(set) var firstError: Entry?

  struct Entry {
    let place: FileRange
    /// Nil for what only Falco says, or says more often.
    let diagnostic: Diagnostic?
    let upstream: UpstreamReport?
  }

  /// What Falco says to the same.
  struct UpstreamReport {
    let code: UpstreamCode
    let message: String
    let step: LoadStep
    let trail: [LoadLocation]
  }

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

  /// `upstream`: what Falco calls it, where it is not what the code says; `words`: how Falco puts it; `detail`: the
  /// last step of the way there; `saysUpstream`: Falco says it here, and is not told apart.
  mutating func report(
    _ code: DiagnosticCode, _ message: String, at place: FileRange, _ label: String = "",
    related: [SourceLabel] = [], notes: [Note] = [], help: [Suggestion] = [], upstream: UpstreamCode? = nil,
    words: String? = nil, detail: LoadLocation? = nil, saysUpstream: Bool = true
  ) {
    let isFirstError = code.severity == .error && firstError == nil
    if code.severity == .error { hasErrors = true }
    guard entries.count < limit || isFirstError else { return }
    let primary = SourceLabel(span(place), label)
    let diagnostic = Diagnostic(
      code, message, at: primary, related: related, notes: notes, help: help, upstreamCode: upstream)
    let report = diagnostic.upstreamCode.map {
      UpstreamReport(code: $0, message: words ?? message, step: step, trail: trail + (detail.map { [$0] } ?? []))
    }
    let entry = Entry(place: place, diagnostic: diagnostic, upstream: saysUpstream ? report : nil)
    if isFirstError { firstError = entry }
    guard entries.count < limit else { return }
    entries.append(entry)
    if entries.count == limit {
      let last = Diagnostic(.tooManyDiagnostics, "more than \(limit) diagnostics; the rest is not shown", at: primary)
      entries.append(Entry(place: place, diagnostic: last, upstream: nil))
    }
  }

  /// What Falco says where we say nothing, or have said it already.
  mutating func reportUpstream(_ code: UpstreamCode, _ words: String, at place: FileRange, detail: LoadLocation? = nil)
  {
    guard entries.count < limit else { return }
    let report = UpstreamReport(
      code: code, message: words, step: step, trail: trail + (detail.map { [$0] } ?? []))
    entries.append(Entry(place: place, diagnostic: nil, upstream: report))
  }

  // MARK: Going back

  /// How far a log had come.
  struct Mark {
    fileprivate let entryCount: Int
    fileprivate let hasErrors: Bool
  }

  mutating func setMark() -> Mark {
    firstError = nil
    return Mark(entryCount: entries.count, hasErrors: hasErrors)
  }

  /// Takes back the errors that have come since then, and nothing else.
  mutating func forgetErrors(since mark: Mark) {
    hasErrors = mark.hasErrors
    guard mark.entryCount < entries.count else { return }
    let kept = entries[mark.entryCount...].filter { $0.diagnostic?.severity != .error }
    entries.replaceSubrange(mark.entryCount..., with: kept)
  }

  // MARK: What was found

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
    return ranked.compactMap(\.element.diagnostic)
  }
}

extension Suggestion {
  static let smallerFile = Suggestion("split it into several files, each of which has this much room")
  static let smallerList = Suggestion("split it into several lists, and name them side by side: 'in (first, second)'")
  static let smallerCondition = Suggestion(
    "name each macro and list once, or split the rule into several: each has this much room")

  /// The usual did-you-mean, or nothing where no candidate is near.
  static func didYouMean(_ candidate: String?, replacing span: SourceSpan) -> [Suggestion] {
    candidate.map { [Suggestion("did you mean '\($0)'?", replacing: span, with: $0)] } ?? []
  }
}
