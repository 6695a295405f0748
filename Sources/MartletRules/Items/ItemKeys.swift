// SPDX-License-Identifier: Apache-2.0

/// The keys of one item, read by name and by the shape that is expected.
struct ItemKeys {
  let kind: ItemKind
  /// Something was wrong: the item is not to be used.
  private(set) var isBroken = false
  private var entries: [String: YAMLEntry] = [:]
  /// In the order of the file.
  private var order: [String] = []

  init(kind: ItemKind, entries list: [YAMLEntry], _ log: inout DiagnosticLog) {
    self.kind = kind
    for entry in list {
      guard let name = entry.key.scalar?.text.string else { continue }
      if let first = entries[name] {
        isBroken = true
        log.report(
          .duplicateKey, "key '\(name)' stands twice in one item", at: entry.key.file, "second time",
          related: [SourceLabel(log.span(first.key.file), "first time")])
      } else {
        entries[name] = entry
        order.append(name)
      }
    }
  }

  /// All keys and where they stand, in the order of the file.
  var places: [(name: String, place: FileRange)] {
    order.compactMap { name in entries[name].map { (name, $0.key.file) } }
  }

  mutating func reject(
    _ message: String, at place: FileRange, _ label: String, _ log: inout DiagnosticLog, help: String? = nil
  ) {
    isBroken = true
    log.report(.invalidOverride, message, at: place, label, help: help.map { [Suggestion($0)] } ?? [])
  }

  func entry(_ key: String) -> YAMLNode? { entries[key]?.value }

  /// The item's own name.
  mutating func name(_ log: inout DiagnosticLog) -> MappedText? {
    guard let name = text(kind.rawValue, &log) else { return nil }
    let isValid: Bool
    switch kind {
    case .macro: isValid = name.bytes[0].isLetter && name.bytes.allSatisfy(\.isWord)
    case .list: isValid = name.bytes.allSatisfy(ConditionLexer.isBare)
    default: isValid = true
    }
    guard !isValid else { return name }
    isBroken = true
    log.report(
      .invalidName, "'\(name.string)' cannot be the name of a \(kind.rawValue)", at: name.file,
      kind == .macro ? "not letters, digits and '_'" : "has a blank, a quote, '(', ')', ',' or '='",
      upstream: kind == .macro ? .invalidMacroName : .invalidListName)
    return nil
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
    guard let scalar = entry.value.scalar, !scalar.text.isEmpty else {
      let found = entry.value.scalar == nil ? entry.value.kindName : "nothing"
      reportShape(entry, "takes a text", found, &log)
      return nil
    }
    return scalar.text
  }

  /// A list of texts that are not empty.
  mutating func texts(_ key: String, _ log: inout DiagnosticLog) -> [MappedText]? {
    guard let entry = entries[key] else {
      reportMissing(key, &log)
      return nil
    }
    guard case .sequence(let nodes) = entry.value.content else {
      reportShape(entry, "takes a list", entry.value.kindName, &log)
      return nil
    }
    var texts: [MappedText] = []
    texts.reserveCapacity(nodes.count)
    for node in nodes {
      if let scalar = node.scalar, !scalar.text.isEmpty {
        texts.append(scalar.text)
      } else {
        isBroken = true
        let found = node.scalar == nil ? node.kindName : "nothing"
        log.report(.wrongShape, "'\(key)' takes a list of texts", at: node.firstByte, "\(found), not a text")
      }
    }
    return texts
  }

  mutating func boolean(_ key: String, _ log: inout DiagnosticLog) -> Bool? {
    guard let entry = entries[key] else { return nil }
    switch entry.value.scalar?.text.string.lowercased() {
    case "true", "yes", "on": return true
    case "false", "no", "off": return false
    default:
      reportShape(entry, "takes true or false", entry.value.kindName, &log)
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
        : Suggestion.didYouMean(nearest?.uppercased(), replacing: log.span(text.file)))
    return nil
  }

  /// Reports the keys that an item of this kind cannot have.
  mutating func finish(_ log: inout DiagnosticLog) {
    for name in order {
      guard let entry = entries[name] else { continue }
      if !kind.keys.contains(name) {
        let nearest = log.nearest(to: name, among: kind.keys)
        log.report(
          .unknownKey, "unknown key '\(name)' in a \(kind.rawValue)", at: entry.key.file, "ignored",
          help: Suggestion.didYouMean(nearest, replacing: log.span(entry.key.file)))
      } else if ItemKind.unsupportedKeys.contains(name), entry.value.scalar?.text.string != "false" {
        isBroken = true
        log.report(
          .unsupportedKey, "'\(name)' is not supported yet", at: entry.key.file,
          "would change what this \(kind.rawValue) means")
      }
    }
  }

  private mutating func reportMissing(_ key: String, _ log: inout DiagnosticLog) {
    isBroken = true
    guard let entry = entries[kind.rawValue] else { return }
    log.report(
      .missingKey, "a \(kind.rawValue) needs '\(key)'", at: entry.key.file, "has none",
      help: [Suggestion("add '\(key):' to it")])
  }

  private mutating func reportShape(_ entry: YAMLEntry, _ wanted: String, _ found: String, _ log: inout DiagnosticLog) {
    isBroken = true
    let name = entry.key.scalar?.text.string ?? ""
    // Nothing has no place of its own: the key is shown instead.
    let place = entry.value.file.range.isEmpty ? entry.key.file : entry.value.firstByte
    log.report(.wrongShape, "'\(name)' \(wanted)", at: place, "has \(found)")
  }
}
