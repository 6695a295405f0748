// SPDX-License-Identifier: Apache-2.0

/// Leads rule files through all stages: bytes, YAML, items, names and types.
struct Compiler {
  let sources: [SourceFile]
  let options: CompileOptions
  private let indexes: [LineIndex]

  private var limits: Limits { options.limits }

  init(sources: [SourceFile], options: CompileOptions) {
    self.sources = sources
    self.options = options
    indexes = (sources + options.sources).map { LineIndex(Self.accepted($0, options.limits)) }
  }

  /// Hands over the YAML documents of all files, and the log of what was wrong with them.
  func readDocuments<Result>(_ body: ([YAMLNode], inout DiagnosticLog) -> Result) -> Result {
    var log = newLog()
    var all: [YAMLNode] = []
    for (index, source) in sources.enumerated() { all += documents(of: source, index, &log) }
    return body(all, &log)
  }

  func newLog() -> DiagnosticLog {
    DiagnosticLog(indexes: indexes, limit: limits.diagnostics)
  }

  func compile() -> Compilation {
    var log = newLog()
    var reader = ItemReader(limits: limits)
    for (index, source) in sources.enumerated() {
      for document in documents(of: source, index, &log) { reader.read(document, &log) }
    }
    var checks = OptionChecks(options, firstSource: sources.count)
    checks.reportSelections(reader.library, &log)
    checks.readTemplates(&log)
    var analyzer = Analyzer(library: reader.library, options: checks.options, log: log)
    let rules = selected(analyzer.rules())
    Lints(rules, options.matching).report(into: &analyzer.log, sources: sources)
    let diagnostics = analyzer.log.sorted()
    let ruleset = analyzer.log.hasErrors ? nil : Ruleset(rules: rules, matching: options.matching)
    return Compilation(ruleset: ruleset, diagnostics: diagnostics)
  }

  private func selected(_ rules: [Rule]) -> [Rule] {
    rules.map { rule in
      var rule = rule
      for selection in options.selections where selection.fits(rule) { rule.isEnabled = selection.isEnabled }
      return rule
    }
  }

  /// The definitions of all files behind the first, for a condition that stands there alone.
  func libraryBehindFirst(_ log: inout DiagnosticLog) -> Library {
    var reader = ItemReader(limits: limits)
    for (index, source) in sources.enumerated().dropFirst() {
      for document in documents(of: source, index, &log) { reader.read(document, &log) }
    }
    return reader.library
  }

  /// What Falco would say to each file, all files before it loaded.
  func loadResults() -> [LoadResult] {
    var reader = ItemReader(limits: limits, stopsAtFirstError: true)
    return sources.enumerated().map { index, source in
      var log = newLog()
      let documents = documents(of: source, index, &log)
      for document in documents where !log.hasErrors { reader.read(document, &log) }
      guard !log.hasErrors else { return LoadResult(index, documents, log) }
      var analyzer = Analyzer(library: reader.library, options: options, log: log)
      _ = analyzer.rules()
      return LoadResult(index, documents, analyzer.log)
    }
  }

  /// A file that is too large is not looked at, not even for its lines.
  private static func accepted(_ source: SourceFile, _ limits: Limits) -> SourceFile {
    source.bytes.count <= limits.fileBytes ? source : SourceFile(path: source.path, bytes: [])
  }

  private func documents(of source: SourceFile, _ index: Int, _ log: inout DiagnosticLog) -> [YAMLNode] {
    let start = FileRange(source: index, range: 0..<0)
    log.trail = [LoadLocation(.content, "", start)]
    guard source.bytes.count <= limits.fileBytes else {
      log.report(
        .fileTooLarge, "this file has more than \(limits.fileBytes) bytes", at: start, "not read", help: [.smallerFile])
      return []
    }
    if let bad = TextCheck.firstProblem(in: source.bytes) {
      let place = FileRange(source: index, range: bad.offset..<min(bad.offset + 1, source.bytes.count))
      log.report(.notUTF8, "this file is not text in UTF-8", at: place, bad.reason)
      return []
    }
    do {
      return try YAMLReader(log.indexes[index], source: index, limits: limits).documents()
    } catch {
      let related = error.related.map { related in
        SourceLabel(log.span(FileRange(source: index, range: related.range)), related.label)
      }
      log.report(
        error.code, error.message, at: FileRange(source: index, range: error.range), error.label,
        related: related.map { [$0] } ?? [], help: error.help.map { [Suggestion($0)] } ?? [], upstream: .yamlParse,
        detail: LoadLocation(.value, "", FileRange(source: index, range: error.range)))
      return []
    }
  }
}

/// Whether bytes are text at all.
enum TextCheck {
  /// The first byte that is no part of a valid UTF-8 sequence, or a control character that YAML does not allow.
  static func firstProblem(in bytes: [UInt8]) -> (offset: Int, reason: String)? {
    var offset = 0
    while offset < bytes.count {
      let byte = bytes[offset]
      if byte < 0x80 {
        let isControl = (byte < .space && byte != .tab && !byte.isLineBreak) || byte == 0x7f
        if isControl { return (offset, "a control character") }
        offset += 1
        continue
      }
      guard let length = sequenceLength(at: offset, bytes) else { return (offset, "not UTF-8") }
      if isControl(bytes[offset..<offset + length]) { return (offset, "a control character") }
      offset += length
    }
    return nil
  }

  /// U+0080 to U+009F but for the line break NEL, and the two that are no characters: YAML allows none of them.
  private static func isControl(_ sequence: ArraySlice<UInt8>) -> Bool {
    let (first, last) = (sequence[sequence.startIndex], sequence[sequence.endIndex - 1])
    if first == 0xc2 { return last < 0xa0 && last != 0x85 }
    return sequence.starts(with: [0xef, 0xbf]) && last >= 0xbe
  }

  /// Bytes of the character that begins at `offset`; nil if it is no UTF-8.
  static func characterLength(at offset: Int, _ bytes: [UInt8]) -> Int? {
    bytes[offset] < 0x80 ? 1 : sequenceLength(at: offset, bytes)
  }

  /// Bytes of the sequence of two or more that begins here; nil if it is broken, overlong or a surrogate.
  private static func sequenceLength(at offset: Int, _ bytes: [UInt8]) -> Int? {
    let first = bytes[offset]
    let (length, minimum, bits): (Int, UInt32, UInt32)
    switch first {
    case 0xc2...0xdf: (length, minimum, bits) = (2, 0x80, UInt32(first & 0x1f))
    case 0xe0...0xef: (length, minimum, bits) = (3, 0x800, UInt32(first & 0x0f))
    case 0xf0...0xf4: (length, minimum, bits) = (4, 0x10000, UInt32(first & 0x07))
    default: return nil
    }
    var value = bits
    for index in 1..<length {
      guard let next = bytes.byte(at: offset + index), next & 0xc0 == 0x80 else { return nil }
      value = value << 6 | UInt32(next & 0x3f)
    }
    return value >= minimum && Unicode.Scalar(value) != nil ? length : nil
  }
}
