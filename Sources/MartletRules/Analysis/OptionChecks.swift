// SPDX-License-Identifier: Apache-2.0

extension CompileOptions {
  /// What was given beside the files, as files of a line each, for whoever shows the diagnostics about it.
  public var sources: [SourceFile] {
    [true, false].map { isEnabled in
      let texts = selections.filter { $0.isEnabled == isEnabled }.map(\.text)
      return SourceFile(path: isEnabled ? "--enable" : "--disable", text: texts.joined(separator: "\n"))
    } + [SourceFile(path: "--append-output", text: outputAmendments.compactMap(\.extraOutput).joined(separator: "\n"))]
  }
}

/// What is wrong with the options themselves: told once, and not of the rules that they are applied to.
struct OptionChecks {
  /// Without what cannot be used.
  private(set) var options: CompileOptions
  /// Of `options.sources` among all files.
  private let firstSource: Int

  init(_ options: CompileOptions, firstSource: Int) {
    self.options = options
    self.firstSource = firstSource
  }

  // MARK: Switches

  /// Those that fit no rule in the files, however urgent.
  func reportSelections(_ library: Library, _ log: inout DiagnosticLog) {
    // Of what could not be read it is not known whether it fits.
    guard !log.hasErrors else { return }
    let rules = library.rules.map { ($0.definition.name.string, $0.definition.tags) }
    var offsets = [true: 0, false: 0]
    for selection in options.selections {
      let start = offsets[selection.isEnabled] ?? 0
      let end = start + selection.text.utf8.count
      offsets[selection.isEnabled] = end + 1
      guard !rules.contains(where: { selection.fits($0.0, $0.1) }) else { continue }
      let place = FileRange(source: firstSource + (selection.isEnabled ? 0 : 1), range: start..<end)
      let tags = Set(rules.flatMap(\.1))
      let (message, nearest) = Self.unfit(selection.subject, rules.map(\.0), tags, log)
      log.report(
        .nothingSelected, message, at: place, "switches nothing",
        help: Suggestion.didYouMean(nearest, replacing: log.span(place)))
    }
  }

  private static func unfit(
    _ subject: RuleSelection.Subject, _ names: [String], _ tags: Set<String>, _ log: DiagnosticLog
  ) -> (message: String, nearest: String?) {
    switch subject {
    case .rules(let pattern):
      let nearest = tags.contains(pattern) ? "tag:\(pattern)" : log.nearest(to: pattern, among: names)
      return (pattern.contains("*") ? "no rule fits '\(pattern)'" : "no rule is called '\(pattern)'", nearest)
    case .tagged(let tag):
      return ("no rule has the tag '\(tag)'", log.nearest(to: tag, among: tags).map { "tag:\($0)" })
    }
  }

  // MARK: Outputs

  /// Templates that are appended to outputs. One with a mistake is reported where it stands and not appended.
  mutating func readTemplates(_ log: inout DiagnosticLog) {
    var plain = CompileOptions()
    plain.limits = options.limits
    var reader = Analyzer(library: Library(), options: plain, log: log)
    var start = 0
    for index in options.outputAmendments.indices {
      guard let template = options.outputAmendments[index].extraOutput else { continue }
      let range = start..<start + template.utf8.count
      start = range.upperBound + 1
      var text = MappedText(anchor: FileRange(source: firstSource + 2, range: range))
      text.append(Array(template.utf8), for: range)
      text = reader.withoutContainerInfo(text)
      options.outputAmendments[index].extraOutput = OutputReader.read(text, &reader) == nil ? nil : text.string
    }
    log = reader.log
  }
}
