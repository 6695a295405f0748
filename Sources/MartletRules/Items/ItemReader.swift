// SPDX-License-Identifier: Apache-2.0

/// Reads the items of rule files into a library. A broken item is reported and left out; the others are still read.
///
/// Keys are looked at in the order in which Falco does, so that the first mistake of an item is the one that Falco
/// would name.
struct ItemReader {
  let limits: Limits
  var library = Library()
  /// Nothing is read behind the first mistake, as Falco does.
  let stopsAtFirstError: Bool
  /// The tables are full, and it has been said.
  private var isFull = false

  init(limits: Limits, stopsAtFirstError: Bool = false) {
    self.limits = limits
    self.stopsAtFirstError = stopsAtFirstError
  }

  mutating func read(_ document: YAMLNode, _ log: inout DiagnosticLog) {
    let content = LoadLocation(.content, "", FileRange(source: document.file.source, range: 0..<0))
    log.trail = [content]
    guard case .sequence(let items) = document.content else {
      log.report(
        .notAnItem, "a rule file is a list of items", at: document.firstByte, "\(document.kindName), not a list",
        help: [Suggestion("begin each item with '- rule:', '- macro:' or '- list:'")],
        words: document.scalar == nil
          ? "Rules content is not yaml array of objects" : "Rules content is not yaml")
      return
    }
    for item in items where !item.isNull {
      log.trail = [content]
      readItem(item, &log)
      if stopsAtFirstError, log.hasErrors { return }
    }
  }

  private mutating func readItem(_ node: YAMLNode, _ log: inout DiagnosticLog) {
    guard case .mapping(let entries) = node.content else {
      log.report(
        .notAnItem, "an item is a mapping that begins with 'rule', 'macro' or 'list'", at: node.firstByte,
        "\(node.kindName), not a mapping",
        words: "Unexpected element type. Each element should be a yaml associative array.",
        detail: LoadLocation(.contentItem, "", node.file))
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
    let names = Set(entries.compactMap { $0.key.scalar?.text.string })
    guard let kind = ItemKind.allCases.first(where: { names.contains($0.rawValue) }) else {
      reportUnknown(entries, node.file, &log)
      return
    }
    var keys = ItemKeys(kind: kind, entries: entries, place: node.file, &log)
    switch kind {
    case .list: readList(&keys, &log)
    case .macro: readMacro(&keys, &log)
    case .rule: readRule(&keys, &log)
    case .engineVersion: EngineVersion.check(&keys, &log)
    case .pluginVersions: PluginVersions.check(keys.entry(kind.rawValue), &log)
    }
    keys.reportUnknown(&log)
  }

  private func reportUnknown(_ entries: [YAMLEntry], _ place: FileRange, _ log: inout DiagnosticLog) {
    let key = entries.first?.key
    let name = key?.scalar?.text.string ?? ""
    let nearest = log.nearest(to: name, among: ItemKind.allCases.map(\.rawValue))
    log.report(
      .unknownItem, "unknown item '\(name)'", at: key?.file ?? place, "ignored",
      help: key.map { Suggestion.didYouMean(nearest, replacing: log.span($0.file)) } ?? [],
      words: "Unknown top level item", detail: LoadLocation(.contentItem, "", place))
  }

  // MARK: The three kinds of definition

  private mutating func readList(_ keys: inout ItemKeys, _ log: inout DiagnosticLog) {
    guard let name = keys.name(&log) else { return }
    let items = keys.requiredTexts("items", &log)
    let amendment = Amendment.read(&keys, &log)
    guard let items, !keys.isBroken else { return }
    // A list that is not there yet can be replaced.
    if amendment?.operations["items"] == .append { return appendList(name, items, &log) }
    guard items.count <= limits.listItems else {
      log.report(
        .tooManyItems, "more than \(limits.listItems) items in list '\(name.string)'",
        at: items[limits.listItems].file, "one too many", help: [.smallerList])
      return
    }
    let previous = library.define(ListDefinition(name: name, place: keys.place, items: items))
    if amendment == nil { warnOfRedefinition(.list, name, previous?.name, &log) }
  }

  private mutating func readMacro(_ keys: inout ItemKeys, _ log: inout DiagnosticLog) {
    guard let name = keys.name(&log) else { return }
    let condition = keys.requiredText("condition", &log)
    let amendment = Amendment.read(&keys, &log)
    guard let condition, !keys.isBroken else { return }
    if amendment?.operations["condition"] == .append { return appendMacro(name, condition, &log) }
    let previous = library.define(MacroDefinition(name: name, place: keys.place, condition: condition))
    if amendment == nil { warnOfRedefinition(.macro, name, previous?.name, &log) }
  }

  private mutating func readRule(_ keys: inout ItemKeys, _ log: inout DiagnosticLog) {
    guard let name = keys.name(&log) else { return }
    if let amendment = Amendment.read(&keys, &log) { return amendRule(name, &keys, amendment, &log) }
    guard !keys.isBroken else { return }
    let required = ["condition", "output", "desc", "priority"]
    if required.allSatisfy({ keys.entry($0) == nil }) {
      // With none of them Falco takes it for a switch, and misses that first.
      guard keys.entry("enabled") != nil else {
        for key in required { keys.reportMissing(key, missedUpstream: "enabled", &log) }
        return
      }
      if let isEnabled = keys.boolean("enabled", &log) { switchRule(name, isEnabled, &log) }
      return
    }
    let condition = keys.requiredText("condition", &log)
    let output = keys.requiredText("output", &log)
    let description = keys.requiredText("desc", &log)
    let priority = keys.priority(&log)
    let source = keys.text("source", &log)
    let isEnabled = keys.boolean("enabled", &log) ?? true
    let warns = keys.boolean("warn_evttypes", &log) ?? true
    let skips = keys.boolean("skip-if-unknown-filter", &log) ?? false
    let tags = keys.texts("tags", &log)?.map(\.string) ?? []
    var reader = ExceptionReader()
    let entries = keys.entry("exceptions").map { reader.entries($0, isAppended: false, &log) } ?? []
    guard let description, let condition, let output, let priority, !keys.isBroken, !reader.isBroken else {
      return lookForMore(in: entries, &reader, isSyscall: source == nil, &log)
    }
    var rule = RuleDefinition(
      name: name, place: keys.place, description: description, condition: condition, output: output.trimmed(),
      priority: priority, source: source, isEnabled: isEnabled, tags: tags, exceptions: ExceptionTable(),
      warnsOfEveryEvent: warns, isSkippedIfUnknown: skips)
    guard checkSource(of: rule, &log) else { return }
    rule.exceptions = reader.definitions(entries, checkingFields: rule.hasKnownSource, &log)
    guard !reader.isBroken else { return lookForMore(in: rule.exceptions, &log) }
    let previous = library.define(rule)
    warnOfRedefinition(.rule, name, previous?.name, &log)
  }

  // What is wrong with the exceptions of a rule that is broken already: all mistakes are told in one run.

  private func lookForMore(
    in entries: [ExceptionReader.Entry], _ reader: inout ExceptionReader, isSyscall: Bool, _ log: inout DiagnosticLog
  ) {
    guard !stopsAtFirstError else { return }
    lookForMore(in: reader.definitions(entries, checkingFields: isSyscall, &log), &log)
  }

  private func lookForMore(in exceptions: ExceptionTable, _ log: inout DiagnosticLog) {
    guard !stopsAtFirstError else { return }
    var isBroken = false
    for exception in exceptions.items { _ = exception.condition(&isBroken, &log) }
  }

  /// Reports a source that is not there; false if the rule is known with another one.
  private func checkSource(of rule: RuleDefinition, _ log: inout DiagnosticLog) -> Bool {
    let place = rule.source?.file ?? rule.name.file
    if let previous = library.rule(named: rule.name.string), previous.sourceName != rule.sourceName {
      log.report(
        .otherSource, "rule '\(rule.name.string)' is defined again with another source", at: place,
        "is '\(rule.sourceName)', was '\(previous.sourceName)'",
        related: [SourceLabel(log.span(previous.name.file), "first defined here")],
        words: "Rule has been re-defined with a different source")
      return false
    }
    guard !rule.hasKnownSource else { return true }
    log.report(
      .unknownSource, "unknown event source '\(rule.sourceName)'", at: place,
      "Martlet has 'syscall' only: the rule is left out",
      help: Suggestion.didYouMean(
        log.nearest(to: rule.sourceName, among: [RuleDefinition.syscallSource]), replacing: log.span(place)),
      words: "Unknown source \(rule.sourceName), skipping")
    return true
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

/// The kinds of item, by the key that names them; of an item with several such keys the first here counts.
enum ItemKind: String, CaseIterable {
  case engineVersion = "required_engine_version"
  case pluginVersions = "required_plugin_versions"
  case list, macro, rule

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

  /// Keys that Falco knows and Martlet does not do: they record events around an alert.
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

  var loadItem: LoadItem {
    switch self {
    case .engineVersion: .engineVersion
    case .pluginVersions: .plugins
    case .list: .list
    case .macro: .macro
    case .rule: .rule
    }
  }
}

extension YAMLNode {
  /// Where it begins: enough to point at something long.
  var firstByte: FileRange {
    FileRange(source: file.source, range: file.range.lowerBound..<min(file.range.lowerBound + 1, file.range.upperBound))
  }
}
