// SPDX-License-Identifier: Apache-2.0

/// The keys of one item, read by name and by the shape that is expected.
struct ItemKeys {
  let kind: ItemKind
  /// Where the item begins.
  let place: FileRange
  /// Something was wrong: the item is not to be used.
  private(set) var isBroken = false
  private var entries: [String: YAMLEntry] = [:]
  /// In the order of the file.
  private var order: [String] = []

  /// Of a key that stands twice the first counts, as in Falco.
  init(kind: ItemKind, entries list: [YAMLEntry], place: FileRange, _ log: inout DiagnosticLog) {
    self.kind = kind
    self.place = place
    for entry in list {
      guard let name = entry.key.scalar?.text.string else { continue }
      if let first = entries[name] {
        log.report(
          .duplicateKey, "key '\(name)' stands twice in one item", at: entry.key.file, "ignored",
          related: [SourceLabel(log.span(first.key.file), "this one counts")])
      } else {
        entries[name] = entry
        order.append(name)
      }
    }
    log.trail.append(LoadLocation(kind.loadItem, "", place))
  }

  /// All keys and where they stand, in the order of the file.
  var places: [(name: String, place: FileRange)] {
    order.compactMap { name in entries[name].map { (name, $0.key.file) } }
  }

  mutating func reject(
    _ message: String, at place: FileRange, _ label: String, _ log: inout DiagnosticLog, help: String? = nil,
    upstream: UpstreamCode = .yamlValidate, words: String? = nil, detail: LoadLocation? = nil
  ) {
    isBroken = true
    log.report(
      .invalidOverride, message, at: place, label, help: help.map { [Suggestion($0)] } ?? [], upstream: upstream,
      words: words, detail: detail)
  }

  func entry(_ key: String) -> YAMLNode? { entries[key]?.value }

  /// The item's own name; from here on it is part of the way to any mistake.
  mutating func name(_ log: inout DiagnosticLog) -> MappedText? {
    guard let name = text(kind.rawValue, &log) else { return nil }
    log.trail.removeLast()
    log.trail.append(LoadLocation(kind.loadItem, name.string, place))
    let isValid: Bool
    switch kind {
    case .macro: isValid = name.bytes[0].isLetter && name.bytes.allSatisfy(\.isWord)
    case .list: isValid = name.bytes.allSatisfy(ConditionLexer.isBare)
    default: isValid = true
    }
    guard !isValid else { return name }
    let isMacro = kind == .macro
    let pattern = isMacro ? "([a-zA-Z]+[a-zA-Z0-9_]*)" : #"([^()"'[:space:]=,]+)"#
    log.report(
      .invalidName, "'\(name.string)' is no name that a condition can refer to a \(kind.rawValue) by", at: name.file,
      isMacro ? "not letters, digits and '_'" : "has a blank, a quote, '(', ')', ',' or '='",
      upstream: isMacro ? .invalidMacroName : .invalidListName,
      words: "\(isMacro ? "Macro" : "List") has an invalid name. "
        + "\(isMacro ? "Macro" : "List") names should match a regular expression: \(pattern)")
    return name
  }

  /// A text that has to be there.
  mutating func requiredText(_ key: String, _ log: inout DiagnosticLog) -> MappedText? {
    guard entries[key] != nil else {
      reportMissing(key, &log)
      return nil
    }
    return text(key, &log)
  }

  /// A text that is not empty; nil if the key is not there.
  mutating func text(_ key: String, _ log: inout DiagnosticLog) -> MappedText? {
    guard let entry = entries[key] else { return nil }
    guard let scalar = entry.value.scalar, !entry.value.isNull, !scalar.text.isEmpty else {
      reportShape(entry, "takes a text", &log)
      return nil
    }
    return scalar.text
  }

  /// A list of texts that has to be there.
  mutating func requiredTexts(_ key: String, _ log: inout DiagnosticLog) -> [MappedText]? {
    guard entries[key] != nil else {
      reportMissing(key, &log)
      return nil
    }
    return texts(key, &log)
  }

  /// A list of texts, any of which may be empty; nil if the key is not there.
  mutating func texts(_ key: String, _ log: inout DiagnosticLog) -> [MappedText]? {
    guard let entry = entries[key] else { return nil }
    let value = LoadLocation(.value, key, entry.value.file)
    guard case .sequence(let nodes) = entry.value.content else {
      reportShape(entry, "takes a list", words: "Value is not a sequence", &log)
      return nil
    }
    var texts: [MappedText] = []
    texts.reserveCapacity(nodes.count)
    for node in nodes {
      if let scalar = node.scalar, !node.isNull {
        texts.append(scalar.text)
      } else {
        isBroken = true
        log.trail.append(value)
        log.report(
          .wrongShape, "'\(key)' takes a list of texts", at: node.firstByte, "\(node.kindName), not a text",
          words: "sequence value is not scalar", detail: LoadLocation(.listItem, "", node.file))
        log.trail.removeLast()
      }
    }
    return texts
  }

  mutating func boolean(_ key: String, _ log: inout DiagnosticLog) -> Bool? {
    guard let entry = entries[key] else { return nil }
    guard let scalar = entry.value.scalar, !entry.value.isNull, !scalar.text.isEmpty else {
      reportShape(entry, "takes true or false", &log)
      return nil
    }
    let word = scalar.text.string
    let isOneCase = [word.lowercased(), word.uppercased(), word.lowercased().capitalizedASCII].contains(word)
    switch isOneCase ? word.lowercased() : "" {
    case "true", "yes", "on", "y": return true
    case "false", "no", "off", "n": return false
    default:
      reportShape(entry, "takes true or false", words: "Can't decode YAML scalar value", &log)
      return nil
    }
  }

  mutating func priority(_ log: inout DiagnosticLog) -> Priority? {
    guard let text = requiredText("priority", &log) else { return nil }
    if let priority = Priority(name: text.string) { return priority }
    isBroken = true
    let names = Priority.allCases.map { $0.name.lowercased() }
    let nearest = log.nearest(to: text.string.lowercased(), among: names)
    log.report(
      .invalidPriority, "unknown priority '\(text.string)'", at: text.file, "no such priority",
      help: nearest == nil
        ? [Suggestion("one of \(names.joined(separator: ", "))")]
        : Suggestion.didYouMean(nearest?.uppercased(), replacing: log.span(text.file)),
      words: "Invalid priority", detail: LoadLocation(.rulePriority, "", text.anchor))
    return nil
  }

  /// Reports the keys that an item of this kind cannot have, and those that do nothing here.
  func reportUnknown(_ log: inout DiagnosticLog) {
    for name in order {
      guard let entry = entries[name] else { continue }
      if !kind.keys.contains(name) {
        let nearest = log.nearest(to: name, among: kind.keys)
        log.report(
          .unknownKey, "unknown key '\(name)' in a \(kind.rawValue)", at: entry.key.file, "ignored",
          help: Suggestion.didYouMean(nearest, replacing: log.span(entry.key.file)),
          words: "Unknown key '\(name)' in \(kind.rawValue) item")
      } else if ItemKind.unsupportedKeys.contains(name), entry.value.scalar?.text.string != "false" {
        log.report(
          .unsupportedKey, "'\(name)' does nothing here", at: entry.key.file,
          "Martlet records with 'martlet record' only")
      }
    }
  }

  /// `missedUpstream`: what Falco misses instead.
  mutating func reportMissing(_ key: String, missedUpstream: String? = nil, _ log: inout DiagnosticLog) {
    isBroken = true
    guard let entry = entries[kind.rawValue] else { return }
    log.report(
      .missingKey, "a \(kind.rawValue) needs '\(key)'", at: entry.key.file, "has none",
      help: [Suggestion("add '\(key):' to it")], words: "Item has no mapping for key '\(missedUpstream ?? key)'")
  }

  private mutating func reportShape(
    _ entry: YAMLEntry, _ wanted: String, words: String? = nil, _ log: inout DiagnosticLog
  ) {
    isBroken = true
    let name = entry.key.scalar?.text.string ?? ""
    let isEmptyText = entry.value.scalar?.text.isEmpty == true
    // Nothing has no place of its own: the key is shown instead.
    let place = entry.value.file.range.isEmpty ? entry.key.file : entry.value.firstByte
    let isNull = entry.value.isNull && words == nil
    let said = isEmptyText ? "Value must be non-empty" : "Value is not a scalar value"
    log.report(
      .wrongShape, "'\(name)' \(wanted)", at: place, "has \(isEmptyText ? "nothing" : entry.value.kindName)",
      words: isNull ? "Mapping for key '\(name)' is empty" : words ?? said,
      detail: isNull ? nil : LoadLocation(.value, name, entry.value.file))
  }
}

extension String {
  /// The first letter in upper case.
  fileprivate var capitalizedASCII: String { prefix(1).uppercased() + dropFirst() }
}
