// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Resolves names and checks types: definitions in, rules out. A definition with a mistake is reported once, where it
/// stands; what refers to it is not complained about again.
struct Analyzer {
  let library: Library
  let options: CompileOptions
  var log: DiagnosticLog
  var lists: ListExpander
  var macros: [MacroState]
  /// Read, lists in them expanded; in the order of the library.
  var macroConditions: [ParsedCondition] = []
  /// What was doubtful in macros that have been expanded.
  var macroWarnings: [[ConditionWarning]]
  var isMacroUsed: [Bool]
  /// Macros that were expanded for the current rule.
  var touchedMacros: [Int] = []
  /// What was doubtful in the current rule.
  var warnings: [ConditionWarning] = []
  /// The definition whose condition is looked at.
  var owner: Owner?
  /// It is an output that is looked at, a transformer in it.
  var isInOutput = false
  /// Fields that are not captured, and the files that have been told so.
  var notedFields: Set<NotedField> = []
  /// Texts almost like a list's name, each told once, and the comparisons of names that are left for finding them.
  var toldTexts: Set<FileRange> = []
  var nameComparisonsLeft = 50_000
  /// How often lists have an item, for those that look like names of lists.
  private(set) lazy var itemCounts = ListSpelling.itemCounts(library)
  /// Comparisons and constants of all rules so far.
  private var rulesetSize = 0

  var limits: Limits { options.limits }

  enum MacroState {
    case untouched
    /// Being expanded right now: to meet it again is a loop.
    case inProgress
    /// Nil: it has a mistake, which has been reported.
    case done(Expansion?)
  }

  struct NotedField: Hashable {
    var field: Field
    var source: Int
  }

  /// A checked condition and what it costs to expand it.
  struct Expansion {
    var condition: Condition
    /// Comparisons and constants.
    var size: Int
    /// Levels, macros counted as `Analyzer.macroLevels`.
    var depth: Int
  }

  /// A rule or macro, as the way to its mistakes names it.
  struct Owner {
    let item: LoadItem
    let name: String
    let place: FileRange
    let conditionItem: LoadItem
    let condition: MappedText
  }

  /// What a macro counts against the depth of a condition: expanding one takes more stack than a parenthesis does.
  static let macroLevels = 10

  init(library: Library, options: CompileOptions, log: DiagnosticLog) {
    self.library = library
    self.options = options
    self.log = log
    lists = ListExpander(library, options.limits)
    macros = Array(repeating: .untouched, count: library.macros.count)
    macroWarnings = Array(repeating: [], count: library.macros.count)
    isMacroUsed = Array(repeating: false, count: library.macros.count)
  }

  mutating func rules() -> [Rule] {
    readMacros()
    var rules: [Rule] = []
    for (index, slot) in library.rules.enumerated() where slot.definition.hasKnownSource {
      log.step = LoadStep(phase: .rules, index: index)
      let rule = ruleOrNothing(slot.definition, id: RuleID(rawValue: rules.count))
      // Less urgent ones are checked like the others, and only then left out.
      if let rule, rule.priority <= options.leastPriority { rules.append(rule) }
    }
    log.step = LoadStep(phase: .unused)
    reportUnused()
    return rules
  }

  // MARK: Rules

  /// Codes of what a rule with `skip-if-unknown-filter` is left out for.
  private static let unknownCodes: Set<DiagnosticCode> = [.unknownField, .unknownEventType]

  /// A rule that asks for it is left out where the first mistake in it is something unknown. What else was wrong is
  /// forgotten: others may still use the same macros, and have to be told.
  private mutating func ruleOrNothing(_ definition: RuleDefinition, id: RuleID) -> Rule? {
    let mark = log.setMark()
    touchedMacros = []
    warnings = []
    owner = Owner(
      item: .rule, name: definition.name.string, place: definition.place, conditionItem: .ruleCondition,
      condition: definition.condition)
    let rule = rule(definition, id: id)
    guard definition.isSkippedIfUnknown, let first = log.firstError, let found = first.diagnostic,
      Self.unknownCodes.contains(found.code) || first.upstream?.message == OutputReader.unknownWords
    else { return rule }
    log.forgetErrors(since: mark)
    for macro in touchedMacros { if case .done(nil) = macros[macro] { macros[macro] = .untouched } }
    log.trail = first.upstream?.trail ?? []
    log.report(
      .skippedRule, "rule '\(definition.name.string)' is skipped: \(found.message)", at: first.place,
      found.primary.text, notes: found.notes, words: first.upstream?.message)
    return nil
  }

  private mutating func rule(_ definition: RuleDefinition, id: RuleID) -> Rule? {
    log.trail = ownerTrail(isInCondition: false)
    log.step.part = .exceptions
    let exceptionTexts = exceptionTexts(of: definition)
    log.step.part = .output
    let output = output(of: definition)
    let extraFields = extraFields(of: definition)
    let scope = Scope(expand(definition.condition), definition.condition, macro: nil, chain: [])
    let parsed = parse(scope.expanded, in: scope)
    let condition = condition(parsed, in: scope)
    var exceptions: [CompiledException]?
    if let exceptionTexts { exceptions = self.exceptions(exceptionTexts) }
    reportWarnings(of: definition, isGood: condition != nil && exceptions != nil)
    guard let condition, let exceptions, let output, let extraFields else { return nil }
    let expansion = Self.excepting(exceptions, from: condition)
    guard admit(expansion, definition) else { return nil }
    log.step.part = .events
    log.trail = ownerTrail(isInCondition: false)
    warnOfEveryEvent(definition, expansion.condition)
    return Rule(
      id: id, name: definition.name.string, description: definition.description.string,
      condition: expansion.condition, exceptions: exceptions.map(\.exception), output: output,
      extraFields: extraFields, priority: definition.priority, tags: Set(definition.tags).sorted(),
      source: definition.sourceName,
      isEnabled: definition.isEnabled, eventTypes: EventTypeAnalysis.types(of: expansion.condition),
      location: log.span(definition.name.file).start)
  }

  /// Whether there is room for one more.
  private mutating func admit(_ expansion: Expansion, _ definition: RuleDefinition) -> Bool {
    rulesetSize += expansion.size
    guard rulesetSize > limits.rulesetSize else { return true }
    if rulesetSize - expansion.size <= limits.rulesetSize {
      log.report(
        .conditionTooLarge, "all rules together expand to more than \(limits.rulesetSize) comparisons and constants",
        at: definition.name.file, "one too many",
        help: [Suggestion("load fewer rules, or shorter lists")])
    }
    return false
  }

  /// A rule that can match more codes of events than this is warned of, and one that can match none.
  private static let eventCodesMax = 100

  private mutating func warnOfEveryEvent(_ definition: RuleDefinition, _ condition: Condition) {
    let names = EventTypeAnalysis.names(of: condition)
    let isNever = names == .empty
    guard definition.warnsOfEveryEvent, isNever || names.codeCount > Self.eventCodesMax else { return }
    let rule = "rule '\(definition.name.string)'"
    log.report(
      .everyEvent, isNever ? "\(rule) can never hold" : "\(rule) is tested against every kind of event",
      at: definition.condition.file,
      isNever ? "no kind of event passes these tests" : "nothing here limits evt.type",
      help: [
        Suggestion(
          isNever
            ? "an event has one type: 'evt.type in (open, openat)' takes either"
            : "name the kinds first: 'evt.type in (open, openat, openat2) and …'")
      ],
      words: "Rule matches too many evt.type values. This has a significant performance penalty.")
  }

  // MARK: What is never used

  /// As in Falco what another macro names is used, whether that one is or not.
  private mutating func reportUnused() {
    // After a mistake it is not known what is used: what the broken condition names was perhaps not looked at.
    guard !log.hasErrors else { return }
    for (index, isUsed) in isMacroUsed.enumerated() where !isUsed {
      let definition = library.macros[index].definition
      reportUnused(.macro, definition.name, definition.place)
    }
    for (index, isUsed) in lists.isUsed.enumerated() where !isUsed {
      let definition = library.lists[index].definition
      reportUnused(.list, definition.name, definition.place)
    }
  }

  private mutating func reportUnused(_ item: LoadItem, _ name: MappedText, _ place: FileRange) {
    let isList = item == .list
    log.trail = [LoadLocation(.content, "", FileRange(source: place.source, range: 0..<0))]
    log.report(
      isList ? .unusedList : .unusedMacro, "\(isList ? "list" : "macro") '\(name.string)' is not used by any rule",
      at: name.file, "never used", words: "\(isList ? "List" : "Macro") not referred to by any other rule/macro",
      detail: LoadLocation(item, name.string, place))
  }
}

/// Where a condition is read: its text, whose it is, and how we came there.
struct Scope {
  /// As written, lists in it expanded.
  let expanded: ListExpander.Expanded
  /// As written.
  let source: MappedText
  /// The macro whose condition it is; nil for a rule.
  let macro: Int?
  /// Outermost first.
  let chain: [MacroUse]

  init(_ expanded: ListExpander.Expanded, _ source: MappedText, macro: Int?, chain: [MacroUse]) {
    self.expanded = expanded
    self.source = source
    self.macro = macro
    self.chain = chain
  }

  var text: MappedText { expanded.text }

  func place(_ range: Range<Int>) -> FileRange { text.file(range) }

  /// The list's item that stands at an offset; nil for what the condition has itself.
  func item(at offset: Int) -> FileRange? { expanded.item(at: offset) }
}

extension Analyzer {
  func span(_ range: Range<Int>, _ scope: Scope) -> SourceSpan { log.span(scope.place(range)) }

  /// The way to a mistake in the current rule or macro.
  func ownerTrail(isInCondition: Bool) -> [LoadLocation] {
    guard let owner else { return [] }
    let content = FileRange(source: owner.place.source, range: 0..<0)
    let trail = [LoadLocation(.content, "", content), LoadLocation(owner.item, owner.name, owner.place)]
    return isInCondition ? trail + [LoadLocation(owner.conditionItem, "", owner.condition.anchor)] : trail
  }

  /// How we came here, innermost first.
  private func notes(_ scope: Scope) -> [Note] {
    scope.chain.reversed().prefix(Self.notesMax).map { Note("reached through macro '\($0.name)'", at: $0.span) }
  }

  private static let notesMax = 8

  mutating func report(
    _ code: DiagnosticCode, _ message: String, _ range: Range<Int>, _ label: String, in scope: Scope,
    related: [SourceLabel] = [], help: [Suggestion] = [], words: String? = nil, saysUpstream: Bool = true,
    isSyntax: Bool = false
  ) {
    guard !isInOutput else {
      return log.report(
        code, message, at: scope.place(range), label, related: related, help: help, upstream: .compileOutput,
        words: OutputReader.unknownWords)
    }
    let isName = [.undefinedMacro, .macroBeforeDefinition, .macroLoop].contains(code)
    if log.step.phase == .rules { log.step.part = isSyntax ? .syntax : isName ? .names : .types }
    log.trail = ownerTrail(isInCondition: !isName)
    log.report(
      code, message, at: scope.place(range), label, related: related, notes: notes(scope), help: help, words: words,
      detail: LoadLocation(scope.source.bytes, offset: range.lowerBound), saysUpstream: saysUpstream)
  }

  /// As the condition names the list whose item stands there.
  func listName(at range: Range<Int>, _ scope: Scope) -> String {
    let place = scope.place(range)
    return log.indexes[place.source].bytes[place.range].string
  }

  mutating func report(_ problems: [SyntaxProblem], in scope: Scope) {
    for problem in problems {
      var help: [Suggestion] = []
      var message = problem.message
      let item = scope.item(at: problem.range.lowerBound)
      if let text = problem.help {
        // What came from a list cannot be typed over where the list is named.
        let replaced = item == nil ? problem.replacement.map { _ in span(problem.range, scope) } : nil
        help = [Suggestion(text, replacing: replaced, with: problem.replacement ?? "")]
      }
      if item != nil, problem.code == .unexpectedText {
        let list = listName(at: problem.range, scope)
        message = "the items of list '\(list)' stand where one value is expected"
        help = [Suggestion("compare with 'in (\(list))'")]
      }
      report(
        problem.code, message, problem.range, problem.label, in: scope,
        related: item.map { [SourceLabel(log.span($0), "this item")] } ?? [], help: help, isSyntax: true)
    }
  }
}
