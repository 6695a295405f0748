// SPDX-License-Identifier: Apache-2.0

/// Reads the items of rule files into a library. A broken item is reported and left out; the others are still read.
struct ItemReader {
  let limits: Limits
  var library = Library()
  /// The tables are full, and it has been said.
  private var isFull = false

  init(limits: Limits) { self.limits = limits }

  mutating func read(_ document: YAMLNode, _ log: inout DiagnosticLog) {
    guard case .sequence(let items) = document.content else {
      log.report(
        .notAnItem, "a rule file is a list of items", at: document.firstByte, "\(document.kindName), not a list",
        help: [Suggestion("begin each item with '- rule:', '- macro:' or '- list:'")])
      return
    }
    for item in items where !item.isNull { readItem(item, &log) }
  }

  private mutating func readItem(_ node: YAMLNode, _ log: inout DiagnosticLog) {
    guard case .mapping(let entries) = node.content else {
      log.report(
        .notAnItem, "an item is a mapping that begins with 'rule', 'macro' or 'list'", at: node.firstByte,
        "\(node.kindName), not a mapping")
      return
    }
    guard !isFull else { return }
    guard library.count < limits.definitions else {
      isFull = true
      log.report(
        .tooManyDefinitions, "more than \(limits.definitions) rules, macros and lists", at: node.firstByte,
        "one too many")
      return
    }
    let names = entries.compactMap { $0.key.scalar?.text.string }
    guard let kind = ItemKind.allCases.first(where: { names.contains($0.rawValue) }) else {
      reportUnknown(entries, &log)
      return
    }
    var keys = ItemKeys(kind: kind, entries: entries, &log)
    switch kind {
    case .list: readList(&keys, &log)
    case .macro: readMacro(&keys, &log)
    case .rule: readRule(&keys, &log)
    case .engineVersion:
      EngineVersion.check(keys.entry(kind.rawValue), &log)
      keys.finish(&log)
    case .pluginVersions:
      PluginVersions.check(keys.entry(kind.rawValue), &log)
      keys.finish(&log)
    }
  }

  private func reportUnknown(_ entries: [YAMLEntry], _ log: inout DiagnosticLog) {
    guard let key = entries.first?.key, let name = key.scalar?.text.string else { return }
    let nearest = log.nearest(to: name, among: ItemKind.allCases.map(\.rawValue))
    log.report(
      .unknownItem, "unknown item '\(name)'", at: key.file, "ignored",
      help: Suggestion.didYouMean(nearest, replacing: log.span(key.file)))
  }

  // MARK: The three kinds of definition

  private mutating func readList(_ keys: inout ItemKeys, _ log: inout DiagnosticLog) {
    let name = keys.name(&log)
    let amendment = Amendment.read(&keys, &log)
    let items = keys.texts("items", &log)
    keys.finish(&log)
    guard let name, let items, !keys.isBroken else { return }
    if let amendment { return amendList(name, items, amendment, &log) }
    guard items.count <= limits.listItems else {
      log.report(
        .tooManyItems, "more than \(limits.listItems) items in list '\(name.string)'",
        at: items[limits.listItems].file, "one too many")
      return
    }
    let previous = library.define(ListDefinition(name: name, items: items))
    warnOfRedefinition(.list, name, previous?.name, &log)
  }

  private mutating func readMacro(_ keys: inout ItemKeys, _ log: inout DiagnosticLog) {
    let name = keys.name(&log)
    let amendment = Amendment.read(&keys, &log)
    let condition = keys.requiredText("condition", &log)
    keys.finish(&log)
    guard let name, let condition, !keys.isBroken else { return }
    if let amendment { return amendMacro(name, condition, amendment, &log) }
    let previous = library.define(MacroDefinition(name: name, condition: condition))
    warnOfRedefinition(.macro, name, previous?.name, &log)
  }

  private mutating func readRule(_ keys: inout ItemKeys, _ log: inout DiagnosticLog) {
    let name = keys.name(&log)
    if let amendment = Amendment.read(&keys, &log) { return amendRule(name, &keys, amendment, &log) }
    let required = ["desc", "condition", "output", "priority"]
    if let name, !keys.isBroken, required.allSatisfy({ keys.entry($0) == nil }),
      let isEnabled = keys.boolean("enabled", &log)
    {
      switchRule(name, isEnabled, &log)
      keys.finish(&log)
      return
    }
    let description = keys.requiredText("desc", &log)
    let condition = keys.requiredText("condition", &log)
    let output = keys.requiredText("output", &log)
    let priority = keys.priority(&log)
    let source = keys.text("source", &log)
    let isEnabled = keys.boolean("enabled", &log) ?? true
    let warns = keys.boolean("warn_evttypes", &log) ?? true
    let skips = keys.boolean("skip-if-unknown-filter", &log) ?? false
    let tags = keys.entry("tags") == nil ? [] : keys.texts("tags", &log)
    var reader = ExceptionReader()
    let entries = keys.entry("exceptions").map { reader.entries($0, &log) } ?? []
    let exceptions = reader.definitions(entries, &log)
    keys.finish(&log)
    guard let name, let description, let condition, let output, let priority, !keys.isBroken, !reader.isBroken
    else { return }
    let rule = RuleDefinition(
      name: name, description: description, condition: condition, output: output.trimmed(), priority: priority,
      source: source, isEnabled: isEnabled, tags: (tags ?? []).map(\.string), exceptions: exceptions,
      warnsOfEveryEvent: warns, isSkippedIfUnknown: skips)
    let previous = library.define(rule)
    warnOfRedefinition(.rule, name, previous?.name, &log)
  }

  /// A definition that replaces one of another file is how rules are tuned; within a file it is a slip.
  private func warnOfRedefinition(
    _ kind: ItemKind, _ name: MappedText, _ previous: MappedText?, _ log: inout DiagnosticLog
  ) {
    guard let previous, previous.file.source == name.file.source else { return }
    log.report(
      .redefinition, "\(kind.rawValue) '\(name.string)' is defined twice in this file", at: name.file,
      "replaces the first definition", related: [SourceLabel(log.span(previous.file), "first defined here")])
  }
}

/// The kinds of item, by the key that names them.
enum ItemKind: String, CaseIterable {
  case rule, macro, list
  case engineVersion = "required_engine_version"
  case pluginVersions = "required_plugin_versions"

  /// The keys it may have.
  var keys: Set<String> {
    switch self {
    case .list: ["list", "items", "append", "override"]
    case .macro: ["macro", "condition", "append", "override"]
    case .rule:
      [
        "rule", "desc", "condition", "output", "priority", "source", "enabled", "tags", "exceptions",
        "warn_evttypes", "skip-if-unknown-filter", "capture", "capture_duration", "override", "append",
      ]
    case .engineVersion, .pluginVersions: [rawValue]
    }
  }

  /// Keys that Falco knows and Martlet does not do yet. They change what a rule means, so they are refused.
  static let unsupportedKeys: Set<String> = ["capture"]

  /// Keys whose values can be appended to.
  var appendableKeys: Set<String> {
    switch self {
    case .list: ["items"]
    case .macro: ["condition"]
    case .rule: ["condition", "output", "desc", "tags", "exceptions"]
    case .engineVersion, .pluginVersions: []
    }
  }

  /// Keys whose values can be replaced.
  var replaceableKeys: Set<String> {
    guard self == .rule else { return appendableKeys }
    return appendableKeys.union([
      "priority", "enabled", "warn_evttypes", "skip-if-unknown-filter", "capture", "capture_duration",
    ])
  }
}

extension YAMLNode {
  /// Where it begins: enough to point at something long.
  var firstByte: FileRange {
    FileRange(source: file.source, range: file.range.lowerBound..<min(file.range.lowerBound + 1, file.range.upperBound))
  }
}
