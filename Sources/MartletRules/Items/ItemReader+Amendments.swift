// SPDX-License-Identifier: Apache-2.0

/// Items that change a definition made before: `append: true`, `override`, and `enabled` alone.
extension ItemReader {
  mutating func appendList(_ name: MappedText, _ items: [MappedText], _ log: inout DiagnosticLog) {
    var count = 0
    let isKnown = library.amend(list: name.string) { list in
      list.items += items
      count = list.items.count
    }
    guard isKnown else {
      return reportNothing(
        .list, name, library.listIndex,
        words: "List uses 'append' or 'override.items: append' but no list by that name already exists", &log)
    }
    guard count > limits.listItems else { return }
    log.report(
      .tooManyItems, "more than \(limits.listItems) items in list '\(name.string)'", at: name.file,
      "\(count) with these", help: [.smallerList])
  }

  mutating func appendMacro(_ name: MappedText, _ condition: MappedText, _ log: inout DiagnosticLog) {
    if let index = library.macroIndex[name.string] {
      warnOfLooseAppend(condition, to: library.macros[index].definition.condition, &log)
    }
    // Texts are joined as texts: `a or b` and `and c` become `a or b and c`, as in Falco.
    guard !library.amend(macro: name.string, { $0.condition.append(condition) }) else { return }
    reportNothing(
      .macro, name, library.macroIndex,
      words: "Macro uses 'append' or 'override.condition: append' but no macro by that name already exists", &log)
  }

  mutating func amendRule(
    _ name: MappedText, _ keys: inout ItemKeys, _ amendment: Amendment, _ log: inout DiagnosticLog
  ) {
    guard !keys.isBroken else { return }
    let names = Set(amendment.operations.values.map(\.rawValue))
    if names.contains("append") || names.isEmpty { appendRule(name, &keys, amendment, &log) }
    if stopsAtFirstError, log.hasErrors { return }
    if names.contains("replace") { replaceRule(name, &keys, amendment, &log) }
    if stopsAtFirstError, log.hasErrors { return }
    if keys.entry("append") == nil || names.contains("replace") { amendment.checkComplete(&keys, &log) }
  }

  private mutating func appendRule(
    _ name: MappedText, _ keys: inout ItemKeys, _ amendment: Amendment, _ log: inout DiagnosticLog
  ) {
    func isNamed(_ key: String) -> Bool { amendment.names(key, .append, in: &keys, &log) }
    let condition = isNamed("condition") ? keys.text("condition", &log) : nil
    var reader = ExceptionReader()
    let exceptions =
      isNamed("exceptions") ? keys.entry("exceptions").map { reader.entries($0, isAppended: true, &log) } : nil
    let output = isNamed("output") ? keys.text("output", &log) : nil
    let description = isNamed("desc") ? keys.text("desc", &log) : nil
    let tags = isNamed("tags") ? keys.texts("tags", &log)?.map(\.string) : nil
    guard !keys.isBroken, !reader.isBroken else { return }
    guard let hasKnownSource = library.rule(named: name.string)?.hasKnownSource else {
      return reportNothing(
        .rule, name, library.ruleIndex,
        words: "Rule uses 'append' or 'override.<key>: append' but no rule by that name already exists", &log)
    }
    guard condition != nil || exceptions != nil || output != nil || description != nil || tags != nil else {
      return keys.reject(
        "an appended rule needs a condition or exceptions", at: keys.place, "nothing to append", &log,
        upstream: .validate, words: "Appended rule must have exceptions or condition property")
    }
    if let condition, let known = library.rule(named: name.string)?.condition {
      warnOfLooseAppend(condition, to: known, &log)
    }
    _ = library.amend(rule: name.string) { rule in
      if let condition { rule.condition.append(condition) }
      if let output { rule.output.append(output) }
      if let description { rule.description.append(description) }
      rule.tags += tags ?? []
      if let exceptions {
        reader.append(exceptions, to: &rule.exceptions, checkingFields: hasKnownSource, &log)
      }
    }
  }

  private mutating func replaceRule(
    _ name: MappedText, _ keys: inout ItemKeys, _ amendment: Amendment, _ log: inout DiagnosticLog
  ) {
    func isNamed(_ key: String) -> Bool { amendment.names(key, .replace, in: &keys, &log) }
    let condition = isNamed("condition") ? keys.text("condition", &log) : nil
    var reader = ExceptionReader()
    let entries =
      isNamed("exceptions") ? keys.entry("exceptions").map { reader.entries($0, isAppended: false, &log) } : nil
    let output = isNamed("output") ? keys.text("output", &log) : nil
    let description = isNamed("desc") ? keys.text("desc", &log) : nil
    let tags = isNamed("tags") ? keys.texts("tags", &log)?.map(\.string) : nil
    let priority = isNamed("priority") ? keys.priority(&log) : nil
    let isEnabled = isNamed("enabled") ? keys.boolean("enabled", &log) : nil
    let warns = isNamed("warn_evttypes") ? keys.boolean("warn_evttypes", &log) : nil
    let skips = isNamed("skip-if-unknown-filter") ? keys.boolean("skip-if-unknown-filter", &log) : nil
    for key in ["capture", "capture_duration"] { _ = isNamed(key) }
    guard !keys.isBroken, !reader.isBroken else { return }
    guard let hasKnownSource = library.rule(named: name.string)?.hasKnownSource else {
      return reportNothing(
        .rule, name, library.ruleIndex,
        words: "An 'override.<key>: replace' to a rule was requested but no rule by that name already exists", &log)
    }
    let exceptions = entries.map { reader.definitions($0, checkingFields: hasKnownSource, &log) }
    _ = library.amend(rule: name.string) { rule in
      rule.condition = condition ?? rule.condition
      rule.output = output ?? rule.output
      rule.description = description ?? rule.description
      rule.tags = tags ?? rule.tags
      rule.exceptions = exceptions ?? rule.exceptions
      rule.priority = priority ?? rule.priority
      rule.isEnabled = isEnabled ?? rule.isEnabled
      rule.warnsOfEveryEvent = warns ?? rule.warnsOfEveryEvent
      rule.isSkippedIfUnknown = skips ?? rule.isSkippedIfUnknown
    }
  }

  mutating func switchRule(_ name: MappedText, _ isEnabled: Bool, _ log: inout DiagnosticLog) {
    log.report(
      .deprecatedSwitch, "a rule item with nothing but 'enabled' is deprecated", at: name.file,
      "switches the rule of this name", help: [Suggestion("write 'override: {enabled: replace}' beside it")],
      words: "The standalone 'enabled' key usage is deprecated. The correct approach requires also a 'replace' entry "
        + "under the 'override' key (i.e. 'enabled: replace').")
    guard !library.amend(rule: name.string, { $0.isEnabled = isEnabled }) else { return }
    reportNothing(
      .rule, name, library.ruleIndex,
      words: "Rule has 'enabled' key but no rule by that name already exists", &log)
  }

  private func reportNothing(
    _ kind: ItemKind, _ name: MappedText, _ index: [String: Int], words: String, _ log: inout DiagnosticLog
  ) {
    log.report(
      .nothingToAmend, "there is no \(kind.rawValue) '\(name.string)' before this", at: name.file,
      "changes nothing",
      help: Suggestion.didYouMean(
        log.nearest(to: name.string, among: index.keys), replacing: log.span(name.file)),
      words: words)
  }

  /// `and c` behind `a or b` takes `b` only; `or c` behind `a and b` takes both: mostly not what was meant.
  private func warnOfLooseAppend(_ appended: MappedText, to condition: MappedText, _ log: inout DiagnosticLog) {
    let words = appended.bytes.split(maxSplits: 1) { ConditionLexer.isBlank($0) || $0 == .openParenthesis }
    guard let word = words.first?.string, word == "and" || word == "or" else { return }
    // One that has grown long by appending is not read again for every part of it.
    guard condition.bytes.count <= Self.looseAppendBytesMax else { return }
    let isLoose =
      switch ConditionParser.parse(condition.bytes, depthMax: limits.conditionDepth).tree {
      case .any: word == "and"
      case .all: word == "or"
      default: false
      }
    guard isLoose, let start = appended.bytes.firstIndex(where: { $0 > .space }) else { return }
    log.report(
      .looseAppend,
      word == "and" ? "'and' binds to the last part of the condition only" : "'or' makes all of the condition optional",
      at: appended.file(start..<start + word.utf8.count), "joined as text",
      related: [SourceLabel(log.span(condition.file), "the condition that this is appended to")],
      help: [Suggestion("put the first condition in parentheses, or replace it as a whole")])
  }

  private static let looseAppendBytesMax = 10_000
}
