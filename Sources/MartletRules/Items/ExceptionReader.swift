// SPDX-License-Identifier: Apache-2.0

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
    var values: YAMLNode?
  }

  private static let keys: Set<String> = ["name", "fields", "comps", "values"]

  mutating func entries(_ node: YAMLNode, _ log: inout DiagnosticLog) -> [Entry] {
    guard case .sequence(let items) = node.content else {
      if !node.isNull { reject("'exceptions' takes a list", node, "has \(node.kindName)", &log) }
      return []
    }
    return items.compactMap { entry($0, &log) }
  }

  private mutating func entry(_ node: YAMLNode, _ log: inout DiagnosticLog) -> Entry? {
    guard case .mapping(let pairs) = node.content else {
      reject("an exception is a mapping with 'name', 'fields' and 'values'", node, "\(node.kindName)", &log)
      return nil
    }
    var values: [String: YAMLNode] = [:]
    for pair in pairs {
      let key = pair.key.scalar?.text.string ?? ""
      values[key] = pair.value
      guard !Self.keys.contains(key) else { continue }
      let nearest = log.nearest(to: key, among: Self.keys)
      log.report(
        .unknownKey, "unknown key '\(key)' in an exception", at: pair.key.file, "ignored",
        help: Suggestion.didYouMean(nearest, replacing: log.span(pair.key.file)))
    }
    guard let name = values["name"]?.scalar?.text, !name.isEmpty else {
      reject("an exception needs 'name'", values["name"] ?? node, "has none", &log)
      return nil
    }
    return Entry(
      name: name, place: name.file, fields: values["fields"], comparisons: values["comps"], values: values["values"])
  }

  /// New exceptions of one rule; two of one name are warned of, and both count.
  mutating func definitions(_ entries: [Entry], _ log: inout DiagnosticLog) -> [ExceptionDefinition] {
    var first: [[UInt8]: FileRange] = [:]
    return entries.compactMap { entry in
      if let place = first[entry.name.bytes] {
        log.report(
          .duplicateException, "exception '\(entry.name.string)' is defined twice in one rule", at: entry.place,
          "second time", related: [SourceLabel(log.span(place), "first time")])
      }
      first[entry.name.bytes] = first[entry.name.bytes] ?? entry.place
      return definition(entry, &log)
    }
  }

  /// Adds to the exceptions of a rule: values to those of a known name, others as they are.
  mutating func append(_ entries: [Entry], to exceptions: inout [ExceptionDefinition], _ log: inout DiagnosticLog) {
    for entry in entries {
      guard let known = exceptions.firstIndex(where: { $0.name.bytes == entry.name.bytes }) else {
        guard entry.values != nil else {
          reject("a new exception needs 'values'", entry.place, "has none", &log)
          continue
        }
        if let definition = definition(entry, &log) { exceptions.append(definition) }
        continue
      }
      if let node = entry.fields ?? entry.comparisons {
        reject(
          "exception '\(entry.name.string)' has its fields already; only 'values' can be appended", node,
          "cannot be appended", &log)
      } else if let values = entry.values {
        exceptions[known].tuples += tuples(values, exceptions[known], &log)
      } else {
        log.report(
          .exceptionWithoutValues, "exception '\(entry.name.string)' is appended to without 'values'",
          at: entry.place, "changes nothing")
      }
    }
  }

  // MARK: One definition

  private mutating func definition(_ entry: Entry, _ log: inout DiagnosticLog) -> ExceptionDefinition? {
    guard let fields = entry.fields else {
      reject("exception '\(entry.name.string)' needs 'fields'", entry.place, "has none", &log)
      return nil
    }
    guard let names = texts(fields, "fields", &log), !names.isEmpty else { return nil }
    let hasOneField = fields.scalar != nil
    var comparisons: [MappedText]?
    if let node = entry.comparisons {
      comparisons = self.comparisons(node, count: names.count, hasOneField: hasOneField, &log)
      guard comparisons != nil else { return nil }
    }
    let others = names.filter { !Self.isOperand($0) }
    for name in others {
      reject("'\(name.string)' is no field", name.file, "expected a field or a transformer", &log)
    }
    guard others.isEmpty else { return nil }
    var definition = ExceptionDefinition(
      name: entry.name, fields: names, comparisons: comparisons, hasOneField: hasOneField, tuples: [])
    if let values = entry.values { definition.tuples = tuples(values, definition, &log) }
    return definition
  }

  private mutating func comparisons(
    _ node: YAMLNode, count: Int, hasOneField: Bool, _ log: inout DiagnosticLog
  ) -> [MappedText]? {
    guard (node.scalar != nil) == hasOneField, let words = texts(node, "comps", &log), words.count == count else {
      reject(
        "an exception has as many 'comps' as 'fields', and is a list where that is", node,
        hasOneField ? "expected one operator" : "expected a list of \(count)", &log)
      return nil
    }
    for word in words {
      let comparison = ExceptionComparison(word.string)
      guard comparison.isValid else {
        reject("'\(word.string)' is no operator that compares", word.file, "no such operator", &log)
        return nil
      }
      guard comparison.takesList || !hasOneField else {
        reject(
          "an exception of one field compares with a list of values, and '\(word.string)' takes one", word.file,
          "expected 'in', 'pmatch' or 'intersects'", &log, help: "write '\(word.string) anyof' for any of the values")
        return nil
      }
    }
    return words
  }

  private mutating func tuples(
    _ node: YAMLNode, _ definition: ExceptionDefinition, _ log: inout DiagnosticLog
  ) -> [[ExceptionDefinition.Element]] {
    guard case .sequence(let items) = node.content else {
      if !node.isNull { reject("'values' takes a list", node, "has \(node.kindName)", &log) }
      return []
    }
    return items.compactMap { item in
      guard !definition.hasOneField else {
        guard let scalar = item.scalar else {
          reject("the values of an exception of one field are texts", item, "\(item.kindName), not a text", &log)
          return nil
        }
        return [.one(scalar)]
      }
      guard case .sequence(let nodes) = item.content, nodes.count == definition.fields.count else {
        let found = if case .sequence(let nodes) = item.content { "has \(nodes.count)" } else { item.kindName }
        reject(
          "each of the values is a list of \(definition.fields.count), one for each field", item, found, &log)
        return nil
      }
      let elements = nodes.compactMap { element($0, &log) }
      return elements.count == nodes.count ? elements : nil
    }
  }

  private mutating func element(_ node: YAMLNode, _ log: inout DiagnosticLog) -> ExceptionDefinition.Element? {
    if let scalar = node.scalar { return .one(scalar) }
    guard case .sequence(let nodes) = node.content, nodes.allSatisfy({ $0.scalar != nil }) else {
      reject("a field is compared with a text or a list of texts", node, "\(node.kindName)", &log)
      return nil
    }
    return .several(nodes.compactMap(\.scalar))
  }

  // MARK: Shapes

  /// A text, or a list of texts.
  private mutating func texts(_ node: YAMLNode, _ key: String, _ log: inout DiagnosticLog) -> [MappedText]? {
    var nodes = [node]
    if case .sequence(let items) = node.content { nodes = items }
    let texts = nodes.compactMap(\.scalar?.text)
    guard !texts.isEmpty, texts.count == nodes.count, texts.allSatisfy({ !$0.isEmpty }) else {
      reject("'\(key)' of an exception takes a text or a list of texts", node, "has something else", &log)
      return nil
    }
    return texts
  }

  /// A field, perhaps with brackets, or a call: not a whole condition.
  private static func isOperand(_ text: MappedText) -> Bool {
    let name = ConditionLexer(text.bytes).name()
    guard !name.isEmpty, name.upperBound < text.bytes.count else { return !name.isEmpty }
    switch text.bytes[name.upperBound] {
    case .openBracket: return text.bytes.last == .closeBracket
    case .openParenthesis:
      return TransformerNames.all.contains(text.bytes[name].string) && text.bytes.last == .closeParenthesis
    default: return false
    }
  }

  private mutating func reject(
    _ message: String, _ node: YAMLNode, _ label: String, _ log: inout DiagnosticLog
  ) {
    reject(message, node.scalar == nil ? node.firstByte : node.file, label, &log)
  }

  private mutating func reject(
    _ message: String, _ place: FileRange, _ label: String, _ log: inout DiagnosticLog, help: String? = nil
  ) {
    isBroken = true
    log.report(.invalidException, message, at: place, label, help: help.map { [Suggestion($0)] } ?? [])
  }
}
