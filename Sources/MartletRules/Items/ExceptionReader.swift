// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Reads the `exceptions` of a rule, and adds some to those there are.
struct ExceptionReader {
  /// Something was wrong: the rule is not to be used.
  private(set) var isBroken = false

  /// One entry as written: what is missing may stand in the definition that it is appended to.
  struct Entry {
    let name: MappedText
    let place: FileRange
    var fields: YAMLNode?
    var comparisons: YAMLNode?
    var values: [YAMLNode]?

    fileprivate var location: LoadLocation { LoadLocation(.exception, name.string, place) }
  }

  private static let keys: Set<String> = ["name", "fields", "comps", "values"]

  // MARK: Shapes

  mutating func entries(_ node: YAMLNode, isAppended: Bool, _ log: inout DiagnosticLog) -> [Entry] {
    guard case .sequence(let items) = node.content else {
      if !node.isNull {
        reject(
          "'exceptions' takes a list", node, "has \(node.kindName)", &log, upstream: .yamlValidate,
          words: "Rule exceptions must be a sequence", LoadLocation(.exceptions, "", node.file))
      }
      return []
    }
    var first: [[UInt8]: (place: FileRange, count: Int)] = [:]
    var entries: [Entry] = []
    for item in items {
      guard let entry = entry(item, in: node.file, isAppended: isAppended, &first, &log) else { continue }
      entries.append(entry)
    }
    return entries
  }

  private mutating func entry(
    _ node: YAMLNode, in list: FileRange, isAppended: Bool, _ first: inout [[UInt8]: (place: FileRange, count: Int)],
    _ log: inout DiagnosticLog
  ) -> Entry? {
    let here = LoadLocation(.exception, "", node.file)
    guard case .mapping(let pairs) = node.content else {
      log.trail.append(LoadLocation(.exceptions, "", list))
      defer { log.trail.removeLast() }
      reject(
        "an exception is a mapping with 'name', 'fields' and 'values'", node, "\(node.kindName)", &log,
        upstream: .yamlValidate, words: "Rule exception must be a mapping", here)
      return nil
    }
    var values: [String: YAMLNode] = [:]
    for pair in pairs {
      let key = pair.key.scalar?.text.string ?? ""
      values[key] = values[key] ?? pair.value
      guard !Self.keys.contains(key) else { continue }
      let nearest = log.nearest(to: key, among: Self.keys)
      log.report(
        .unknownExceptionKey, "unknown key '\(key)' in an exception", at: pair.key.file, "ignored",
        help: Suggestion.didYouMean(nearest, replacing: log.span(pair.key.file)))
    }
    log.trail.append(LoadLocation(.exceptions, "", list))
    log.trail.append(here)
    let name = YAMLTextReader.text("name", in: values["name"], of: node, "an exception", .invalidException, &log)
    log.trail.removeLast(2)
    guard let name else {
      isBroken = true
      return nil
    }
    var entry = Entry(name: name, place: node.file, fields: values["fields"], comparisons: values["comps"])
    warnOfSecond(entry, &first, &log)
    log.trail.append(entry.location)
    defer { log.trail.removeLast() }
    guard checkFields(entry, isAppended: isAppended, &log) else { return nil }
    guard let values = values["values"] else {
      if isAppended {
        log.report(
          .exceptionWithoutValues, "exception '\(name.string)' is appended to without 'values'", at: name.file,
          "changes nothing", words: "Overriding/appending exception with no values")
      }
      return entry
    }
    let valuesHere = LoadLocation(.exceptionValues, "", values.file)
    guard case .sequence(let items) = values.content else {
      reject(
        "'values' takes a list", values, "has \(values.kindName)", &log, upstream: .yamlValidate,
        words: "Rule exception values must be a sequence", valuesHere)
      return nil
    }
    for item in items {
      let trail = [valuesHere, LoadLocation(.exceptionValue, "", item.file), LoadLocation(.value, "", item.file)]
      guard checkTexts(item, "a value", trail, &log) else { return nil }
    }
    entry.values = items
    return entry
  }

  /// Two exceptions of one name both count.
  private func warnOfSecond(
    _ entry: Entry, _ first: inout [[UInt8]: (place: FileRange, count: Int)], _ log: inout DiagnosticLog
  ) {
    let name = entry.name
    first[name.bytes, default: (name.file, 0)].count += 1
    guard let (place, count) = first[name.bytes], count > 1 else { return }
    let words = "Multiple definitions of exception '\(name.string)' in the same rule"
    log.report(
      .duplicateException, "exception '\(name.string)' is defined twice in one rule", at: name.file,
      "second time", related: [SourceLabel(log.span(place), "first time")], words: words, detail: entry.location)
    // Falco says it once for each one before.
    for _ in 2..<max(min(count, Self.repeatedWarningsMax), 2) {
      log.reportUpstream(.exceptionNameNotUnique, words, at: name.file, detail: entry.location)
    }
  }

  private static let repeatedWarningsMax = 100

  private mutating func checkFields(_ entry: Entry, isAppended: Bool, _ log: inout DiagnosticLog) -> Bool {
    if entry.fields == nil, !isAppended {
      reject(
        "exception '\(entry.name.string)' needs 'fields'", entry.name.file, "has none", &log, upstream: .yamlValidate,
        words: "Item has no mapping for key 'fields'", nil)
      return false
    }
    for (key, node) in [("fields", entry.fields), ("comps", entry.comparisons)] {
      guard let node else { continue }
      guard checkTexts(node, "'\(key)'", [LoadLocation(.value, key, node.file)], &log) else { return false }
    }
    return true
  }

  /// Reports the first text in it that is empty. `trail`: the way to it.
  private mutating func checkTexts(
    _ node: YAMLNode, _ what: String, _ trail: [LoadLocation], _ log: inout DiagnosticLog
  ) -> Bool {
    switch node.content {
    case .mapping: return true
    case .scalar(let scalar):
      guard scalar.text.isEmpty, !node.isNull else { return true }
      log.trail += trail
      reject(
        "\(what) is empty", node.file, "has nothing", &log, upstream: .yamlValidate, words: "Value must be non-empty",
        nil)
      log.trail.removeLast(trail.count)
      return false
    case .sequence(let items):
      for item in items {
        let inside = [LoadLocation(.exception, "", item.file), LoadLocation(.value, "", item.file)]
        guard checkTexts(item, what, trail + inside, &log) else { return false }
      }
      return true
    }
  }

  // MARK: Definitions

  /// New exceptions of one rule. `checkingFields`: whether their fields are known here.
  mutating func definitions(
    _ entries: [Entry], checkingFields: Bool, _ log: inout DiagnosticLog
  ) -> ExceptionTable {
    var table = ExceptionTable()
    for entry in entries {
      if let definition = definition(entry, checkingFields: checkingFields, &log) { table.append(definition) }
    }
    return table
  }

  /// Adds to the exceptions of a rule: values to those of a known name, others as they are.
  mutating func append(
    _ entries: [Entry], to exceptions: inout ExceptionTable, checkingFields: Bool, _ log: inout DiagnosticLog
  ) {
    for entry in entries {
      guard exceptions.contains(entry.name) else {
        guard entry.fields?.isExceptionEntry != true || entry.values?.isEmpty == false else {
          reject(
            "a new exception needs 'values'", entry.name.file, "has none", &log,
            words: "Rule exception must have values property with a list of values", entry.location)
          continue
        }
        if let definition = definition(entry, checkingFields: checkingFields, isAppended: true, &log) {
          exceptions.append(definition)
        }
        continue
      }
      if let (key, node) = [("fields", entry.fields), ("comps", entry.comparisons)].lazy.compactMap({ key, node in
        node?.isExceptionEntry == true ? node.map { (key, $0) } : nil
      }).first {
        reject(
          "exception '\(entry.name.string)' has its fields already; only 'values' can be appended", node,
          "cannot be appended", &log,
          words: "Can not append exception \(key) to existing exception, only values", entry.location)
      } else {
        exceptions.append(values: entry.values ?? [], to: entry.name)
      }
    }
  }

  private mutating func definition(
    _ entry: Entry, checkingFields: Bool, isAppended: Bool = false, _ log: inout DiagnosticLog
  ) -> ExceptionDefinition? {
    guard let fields = entry.fields, fields.isExceptionEntry else {
      let item = isAppended ? "exception" : "exception item"
      reject(
        "exception '\(entry.name.string)' needs 'fields'", entry.fields?.firstByte ?? entry.name.file, "has none",
        &log, words: "Rule \(item) must have fields property with a list of fields", entry.location)
      return nil
    }
    let names = fields.exceptionTexts
    let hasOneField = fields.scalar != nil
    var comparisons: [MappedText]?
    if let node = entry.comparisons, node.isExceptionEntry {
      comparisons = self.comparisons(node, count: names.count, hasOneField: hasOneField, entry, &log)
      guard comparisons != nil else { return nil }
    }
    if checkingFields {
      for name in names where !Self.isKnownOperand(name) {
        let nearest = log.nearest(to: name.string, among: FieldRegistry.names)
        reject(
          "'\(name.string)' is no field", name.file, "expected a field or a transformer", &log,
          words: "'\(name.string)' is not a supported filter field", entry.location,
          help: Suggestion.didYouMean(nearest, replacing: log.span(name.file)))
        return nil
      }
    }
    return ExceptionDefinition(
      name: entry.name, place: entry.place, fields: names, comparisons: comparisons, hasOneField: hasOneField,
      values: entry.values ?? [])
  }

  private mutating func comparisons(
    _ node: YAMLNode, count: Int, hasOneField: Bool, _ entry: Entry, _ log: inout DiagnosticLog
  ) -> [MappedText]? {
    let words = node.exceptionTexts
    guard (node.scalar != nil) == hasOneField, words.count == count else {
      reject(
        "an exception has as many 'comps' as 'fields', and is a list where that is", node,
        hasOneField ? "expected one operator" : "expected a list of \(count)", &log,
        words: hasOneField
          ? "Fields and comps must both be strings" : "Fields and comps lists must have equal length", entry.location)
      return nil
    }
    for word in words {
      let comparison = ExceptionComparison(word.string)
      guard !hasOneField || (comparison.isValid && comparison.takesList) else {
        reject(
          "an exception of one field compares with a list of values, and '\(word.string)' does not", word.file,
          "expected 'in', 'pmatch' or 'intersects'", &log,
          words: "When fields is a single value, comps must be one of (in, pmatch, intersects)", entry.location,
          help: comparison.isValid ? [Suggestion("write '\(word.string) anyof' for any of the values")] : [])
        return nil
      }
      guard comparison.isValid else {
        reject(
          "'\(word.string)' is no operator that compares", word.file, "no such operator", &log,
          words: "'\(word.string)' is not a supported comparison operator", entry.location)
        return nil
      }
    }
    return words
  }

  /// A field, perhaps with brackets, or a transformer of one: not a whole condition.
  private static func isKnownOperand(_ text: MappedText) -> Bool {
    if text.bytes.last == .closeParenthesis, let open = text.bytes.firstIndex(of: .openParenthesis) {
      return TransformerNames.all.contains(text.bytes[..<open].string)
    }
    let name = ConditionLexer(text.bytes).name()
    var argument: [UInt8]?
    if name.upperBound < text.bytes.count {
      guard text.bytes[name.upperBound] == .openBracket, text.bytes.last == .closeBracket else { return false }
      argument = Array(text.bytes[(name.upperBound + 1)...].dropLast())
    }
    guard case .success = FieldNames.resolve(text.bytes[name].string, argument: argument) else { return false }
    return true
  }

  // MARK: Reports

  private mutating func reject(
    _ message: String, _ node: YAMLNode, _ label: String, _ log: inout DiagnosticLog,
    upstream: UpstreamCode = .validate, words: String, _ location: LoadLocation?
  ) {
    reject(
      message, node.scalar == nil ? node.firstByte : node.file, label, &log, upstream: upstream, words: words, location)
  }

  private mutating func reject(
    _ message: String, _ place: FileRange, _ label: String, _ log: inout DiagnosticLog,
    upstream: UpstreamCode = .validate, words: String, _ location: LoadLocation?, help: [Suggestion] = []
  ) {
    isBroken = true
    log.report(
      .invalidException, message, at: place, label, help: help, upstream: upstream, words: words, detail: location)
  }
}

extension YAMLNode {
  /// Anything that is there: a text, or a list of at least one element.
  fileprivate var isExceptionEntry: Bool {
    switch content {
    case .scalar: !isNull
    case .sequence(let items): !items.isEmpty
    case .mapping: false
    }
  }

  /// Its text, or those in the list; what is no text counts as an empty one.
  fileprivate var exceptionTexts: [MappedText] {
    guard case .sequence(let items) = content else { return [exceptionText] }
    return items.map(\.exceptionText)
  }

  /// What is no text counts as an empty one, as in Falco.
  var exceptionText: MappedText { isNull ? MappedText(anchor: file) : scalar?.text ?? MappedText(anchor: file) }
}
