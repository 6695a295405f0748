// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Resolves names and checks types: definitions in, rules out. A definition with a mistake is reported once, where it
/// stands; what refers to it is not complained about again.
struct Analyzer {
  let library: Library
  let limits: Limits
  let regexProblem: RegexProblem
  var log: DiagnosticLog
  var macros: [MacroState]
  var lists: [ResolvedList?]
  /// What rules that were left out name: not unused.
  private var namedBySkipped: (macros: Set<Int>, lists: Set<Int>) = ([], [])
  /// Comparisons and constants of all rules so far.
  private var rulesetSize = 0

  enum MacroState {
    case untouched
    /// Being expanded right now: to meet it again is a loop.
    case inProgress
    /// Nil: it has a mistake, which has been reported.
    case done(Expansion?)
  }

  /// A checked condition and what it costs to expand it.
  struct Expansion {
    var condition: Condition
    /// Comparisons and constants.
    var size: Int
    /// Levels, macros counted as `Analyzer.macroLevels`.
    var depth: Int
  }

  /// What a macro counts against the depth of a condition: expanding one takes more stack than a parenthesis does.
  static let macroLevels = 10

  init(library: Library, limits: Limits, regexProblem: @escaping RegexProblem, log: DiagnosticLog) {
    self.library = library
    self.limits = limits
    self.regexProblem = regexProblem
    self.log = log
    macros = Array(repeating: .untouched, count: library.macros.count)
    lists = Array(repeating: nil, count: library.lists.count)
  }

  mutating func rules() -> [Rule] {
    var rules: [Rule] = []
    for slot in library.rules {
      let id = RuleID(rawValue: rules.count)
      let rule =
        slot.definition.isSkippedIfUnknown ? ruleOrNothing(slot.definition, id: id) : rule(slot.definition, id: id)
      if let rule { rules.append(rule) }
    }
    checkUnused()
    return rules
  }

  /// A rule that is left out where it names something unknown. What was found on the way to that is forgotten: others may
  /// still use the same macros, and have to be told.
  private mutating func ruleOrNothing(_ definition: RuleDefinition, id: RuleID) -> Rule? {
    var trial = self
    let rule = trial.rule(definition, id: id)
    let codes = trial.log.errorCodes(since: log)
    guard !codes.isEmpty, codes.isSubset(of: [.unknownField, .unknownEventType]) else {
      self = trial
      return rule
    }
    let found = trial.log.firstError(since: log)
    log.report(
      .skippedRule,
      "rule '\(definition.name.string)' is skipped" + (found.map { ": \($0.diagnostic.message)" } ?? ""),
      at: found?.place ?? definition.name.file, found?.diagnostic.primary.text ?? "",
      notes: found?.diagnostic.notes ?? [])
    namedBySkipped.macros.formUnion(macros.indices.filter { trial.isTouched($0) })
    namedBySkipped.lists.formUnion(lists.indices.filter { trial.lists[$0] != nil })
    return nil
  }

  private func isTouched(_ macro: Int) -> Bool { if case .untouched = macros[macro] { false } else { true } }

  private mutating func rule(_ definition: RuleDefinition, id: RuleID) -> Rule? {
    let sourceIsKnown = checkSource(definition)
    let scope = Scope(text: definition.condition, macro: nil, chain: [])
    let condition = condition(in: scope)
    let exceptions = exceptions(of: definition)
    let output = OutputReader.read(definition.output, &log)
    guard let condition, let exceptions, let output, sourceIsKnown else { return nil }
    let expansion = Self.excepting(exceptions, from: condition)
    rulesetSize += expansion.size
    guard rulesetSize <= limits.rulesetSize else {
      if rulesetSize - expansion.size <= limits.rulesetSize {
        log.report(
          .conditionTooLarge, "all rules together expand to more than \(limits.rulesetSize) comparisons and constants",
          at: definition.name.file, "one too many")
      }
      return nil
    }
    let eventTypes = EventTypeAnalysis.types(of: expansion.condition)
    if definition.warnsOfEveryEvent, EventTypeAnalysis.names(of: expansion.condition).codeCount > Self.eventCodesMax {
      log.report(
        .everyEvent, "rule '\(definition.name.string)' is tested against every kind of event",
        at: definition.condition.file, "nothing here limits evt.type",
        help: [Suggestion("name the kinds first: 'evt.type in (open, openat, openat2) and …'")])
    }
    return Rule(
      id: id, name: definition.name.string, description: definition.description.string,
      condition: expansion.condition, exceptions: exceptions.map(\.exception), output: output,
      priority: definition.priority,
      tags: Set(definition.tags).sorted(), source: definition.source?.string ?? Self.syscallSource,
      isEnabled: definition.isEnabled, eventTypes: eventTypes, location: log.span(definition.name.file).start)
  }

  /// A rule that can match more codes of events than this is warned of.
  private static let eventCodesMax = 100

  private static let syscallSource = "syscall"

  private mutating func checkSource(_ definition: RuleDefinition) -> Bool {
    guard let source = definition.source, source.string != Self.syscallSource else { return true }
    log.report(
      .unknownSource, "unknown event source '\(source.string)'", at: source.file, "Martlet has 'syscall' only",
      help: Suggestion.didYouMean(
        log.nearest(to: source.string, among: [Self.syscallSource]), replacing: log.span(source.file)))
    return false
  }

  // MARK: What is never used

  private mutating func checkUnused() {
    var unused: [MappedText] = []
    for (index, state) in macros.enumerated() {
      guard case .untouched = state, !namedBySkipped.macros.contains(index) else { continue }
      checkUnusedMacro(index)
      unused.append(library.macros[index].definition.name)
    }
    // After a mistake it is not known what is used: what the broken condition names was perhaps not looked at.
    guard !log.hasErrors else { return }
    for name in unused {
      log.report(.unusedMacro, "macro '\(name.string)' is not used by any rule", at: name.file, "never used")
    }
    for (index, list) in lists.enumerated() where list == nil && !namedBySkipped.lists.contains(index) {
      let name = library.lists[index].definition.name
      log.report(.unusedList, "list '\(name.string)' is not used by any rule", at: name.file, "never used")
    }
  }

  /// Of a macro that no rule reaches, the syntax and the names of macros are checked, and no fields: files carry
  /// macros for fields that only some engines have.
  private mutating func checkUnusedMacro(_ index: Int) {
    let slot = library.macros[index]
    let (tree, problems) = ConditionParser.parse(
      slot.definition.condition.bytes, depthMax: limits.conditionDepth)
    report(problems, in: Scope(text: slot.definition.condition, macro: index, chain: []))
    checkNames(tree, Scope(text: slot.definition.condition, macro: index, chain: []))
  }

  private mutating func checkNames(_ tree: ConditionSyntax, _ scope: Scope) {
    switch tree {
    case .all(let operands), .any(let operands):
      for operand in operands { checkNames(operand, scope) }
    case .not(let operand): checkNames(operand, scope)
    case .macro(let name): _ = macroIndex(name, scope)
    case .check(let check):
      let values: [ConditionSyntax.Value]
      switch check.right {
      case .list(let list, _), .quantified(_, .list(let list), _): values = list
      case .identifier(let value), .quantified(_, .identifier(let value), _): values = [value]
      default: return
      }
      for value in values where !value.isQuoted {
        if let list = library.listIndex[value.bytes.string] { _ = resolvedList(list) }
      }
    case .missing: return
    }
  }
}

/// Where a condition is read: its text, whose it is, and how we came there.
struct Scope {
  let text: MappedText
  /// The macro whose condition it is; nil for a rule.
  let macro: Int?
  /// Outermost first.
  let chain: [MacroUse]

  func place(_ range: Range<Int>) -> FileRange { text.file(range) }
}

extension Analyzer {
  func span(_ range: Range<Int>, _ scope: Scope) -> SourceSpan { log.span(scope.place(range)) }

  /// How we came here, innermost first.
  private func notes(_ scope: Scope) -> [Note] {
    scope.chain.reversed().prefix(Self.notesMax).map { Note("reached through macro '\($0.name)'", at: $0.span) }
  }

  private static let notesMax = 8

  mutating func report(
    _ code: DiagnosticCode, _ message: String, _ range: Range<Int>, _ label: String, in scope: Scope,
    related: [SourceLabel] = [], help: [Suggestion] = []
  ) {
    log.report(
      code, message, at: scope.place(range), label, related: related, notes: notes(scope), help: help)
  }

  mutating func report(_ problems: [SyntaxProblem], in scope: Scope) {
    for problem in problems {
      var help: [Suggestion] = []
      if let text = problem.help {
        let replaced = problem.replacement.map { _ in span(problem.range, scope) }
        help = [Suggestion(text, replacing: replaced, with: problem.replacement ?? "")]
      }
      report(problem.code, problem.message, problem.range, problem.label, in: scope, help: help)
    }
  }
}
