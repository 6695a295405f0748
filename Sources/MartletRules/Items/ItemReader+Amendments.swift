// SPDX-License-Identifier: Apache-2.0

/// Items that change a definition made before: `append: true`, `override`, and `enabled` alone.
extension ItemReader {
  mutating func amendList(
    _ name: MappedText, _ items: [MappedText], _ amendment: Amendment, _ log: inout DiagnosticLog
  ) {
    var count = 0
    let isKnown = library.amend(list: name.string) { list in
      if amendment.operations["items"] == .replace { list.items = [] }
      list.items += items
      count = list.items.count
    }
    guard isKnown else { return reportNothing(.list, name, library.listIndex, &log) }
    guard count > limits.listItems else { return }
    log.report(
      .tooManyItems, "more than \(limits.listItems) items in list '\(name.string)'", at: name.file,
      "\(count) with these")
  }

  mutating func amendMacro(
    _ name: MappedText, _ condition: MappedText, _ amendment: Amendment, _ log: inout DiagnosticLog
  ) {
    let isKnown = library.amend(macro: name.string) { macro in
      Self.amend(&macro.condition, with: condition, amendment.operations["condition"])
    }
    if !isKnown { reportNothing(.macro, name, library.macroIndex, &log) }
  }

  mutating func amendRule(
    _ name: MappedText?, _ keys: inout ItemKeys, _ amendment: Amendment, _ log: inout DiagnosticLog
  ) {
    let operations = amendment.operations
    func isNamed(_ key: String) -> Bool { operations[key] != nil }
    let condition = isNamed("condition") ? keys.text("condition", &log) : nil
    let output = isNamed("output") ? keys.text("output", &log)?.trimmed() : nil
    let description = isNamed("desc") ? keys.text("desc", &log) : nil
    let tags = isNamed("tags") ? keys.texts("tags", &log)?.map(\.string) : nil
    let priority = isNamed("priority") ? keys.priority(&log) : nil
    let isEnabled = isNamed("enabled") ? keys.boolean("enabled", &log) : nil
    let warns = isNamed("warn_evttypes") ? keys.boolean("warn_evttypes", &log) : nil
    let skips = isNamed("skip-if-unknown-filter") ? keys.boolean("skip-if-unknown-filter", &log) : nil
    var reader = ExceptionReader()
    let exceptions = isNamed("exceptions") ? keys.entry("exceptions").map { reader.entries($0, &log) } : nil
    keys.finish(&log)
    guard let name, !keys.isBroken, !reader.isBroken else { return }
    let isKnown = library.amend(rule: name.string) { rule in
      switch (exceptions, operations["exceptions"]) {
      case (let entries?, .append): reader.append(entries, to: &rule.exceptions, &log)
      case (let entries?, _): rule.exceptions = reader.definitions(entries, &log)
      default: break
      }
      if let condition { Self.amend(&rule.condition, with: condition, operations["condition"]) }
      if let output { Self.amend(&rule.output, with: output, operations["output"]) }
      if let description { Self.amend(&rule.description, with: description, operations["desc"]) }
      if let tags { rule.tags = operations["tags"] == .append ? rule.tags + tags : tags }
      rule.priority = priority ?? rule.priority
      rule.isEnabled = isEnabled ?? rule.isEnabled
      rule.warnsOfEveryEvent = warns ?? rule.warnsOfEveryEvent
      rule.isSkippedIfUnknown = skips ?? rule.isSkippedIfUnknown
    }
    if !isKnown { reportNothing(.rule, name, library.ruleIndex, &log) }
  }

  mutating func switchRule(_ name: MappedText, _ isEnabled: Bool, _ log: inout DiagnosticLog) {
    if library.amend(rule: name.string, { $0.isEnabled = isEnabled }) {
      log.report(
        .deprecatedSwitch, "a rule item with nothing but 'enabled' is deprecated", at: name.file,
        "switches the rule of this name",
        help: [Suggestion("write 'override: {enabled: replace}' beside it")])
    } else {
      reportNothing(.rule, name, library.ruleIndex, &log)
    }
  }

  /// Texts are joined as texts: `a or b` and `and c` become `a or b and c`, as in Falco.
  private static func amend(
    _ text: inout MappedText, with other: MappedText, _ operation: Amendment.Operation?
  ) {
    if operation == .append { text.append(other) } else { text = other }
  }

  private func reportNothing(
    _ kind: ItemKind, _ name: MappedText, _ index: [String: Int], _ log: inout DiagnosticLog
  ) {
    log.report(
      .nothingToAmend, "there is no \(kind.rawValue) '\(name.string)' before this", at: name.file,
      "changes nothing",
      help: Suggestion.didYouMean(
        log.nearest(to: name.string, among: index.keys), replacing: log.span(name.file)))
  }
}
