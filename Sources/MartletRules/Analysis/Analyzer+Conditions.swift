// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Conditions: trees in, checked trees out, macros expanded.
extension Analyzer {
  /// The condition of a rule, an exception or a macro, whose text has been read; nil if anything in it is wrong.
  mutating func condition(_ parsed: ParsedCondition, in scope: Scope, depth: Int = 0) -> Expansion? {
    let expansion = expand(parsed.tree, scope, depth: depth)
    guard parsed.isValid, let expansion else { return nil }
    guard expansion.size <= limits.conditionSize else {
      report(
        .conditionTooLarge, "this expands to more than \(limits.conditionSize) comparisons and constants",
        0..<scope.text.bytes.count, "macros and lists included", in: scope, help: [.smallerCondition])
      return nil
    }
    guard expansion.depth <= levelsMax else {
      report(
        .nestedTooDeep, "this condition is more than \(levelsMax) levels deep",
        0..<scope.text.bytes.count, "'and', 'or' and 'not' inside each other", in: scope)
      return nil
    }
    return expansion
  }

  /// A parenthesis adds two levels, one for what is in it and one for a `not` before it.
  private var levelsMax: Int { 2 * limits.conditionDepth + 2 }

  private mutating func expand(_ tree: ConditionSyntax, _ scope: Scope, depth: Int) -> Expansion? {
    switch tree {
    case .missing: return nil
    case .all(let operands): return expandAll(operands, isAll: true, scope, depth: depth + 1)
    case .any(let operands): return expandAll(operands, isAll: false, scope, depth: depth + 1)
    case .not(let operand):
      guard var expansion = expand(operand, scope, depth: depth + 1) else { return nil }
      expansion.condition = .not(expansion.condition)
      expansion.depth += 1
      return expansion
    case .macro(let name): return macro(name, scope, depth: depth)
    case .check(let check):
      guard let (predicate, size) = predicate(check, scope) else { return nil }
      return Expansion(condition: .predicate(predicate), size: size, depth: 1)
    }
  }

  /// Operands of one `and` or `or`. All of them are looked at, so that each mistake is found. What stands in
  /// parentheses or comes from a macro stays one operand: a rule's condition is shown as Falco shows it.
  private mutating func expandAll(
    _ operands: [ConditionSyntax], isAll: Bool, _ scope: Scope, depth: Int
  ) -> Expansion? {
    var conditions: [Condition] = []
    var size = 0
    var deepest = 0
    var isBroken = false
    for operand in operands {
      // Beyond the limit nothing is built: a macro bomb is refused before it takes memory.
      guard size <= limits.conditionSize else { break }
      guard let expansion = expand(operand, scope, depth: depth) else {
        isBroken = true
        continue
      }
      size += expansion.size
      guard size <= limits.conditionSize else { continue }
      conditions.append(expansion.condition)
      deepest = max(deepest, expansion.depth)
    }
    guard !isBroken else { return nil }
    return Expansion(condition: isAll ? .all(conditions) : .any(conditions), size: size, depth: deepest + 1)
  }

  // MARK: Macros

  private mutating func macro(_ name: ConditionSyntax.Name, _ scope: Scope, depth: Int) -> Expansion? {
    guard let index = macroIndex(name, scope) else { return nil }
    let use = MacroUse(name: name.text, span: span(name.range, scope))
    let inner = depth + Self.macroLevels
    switch macros[index] {
    // A loop: it has been reported where the macro's names were looked at.
    case .inProgress: return nil
    case .untouched:
      guard inner <= levelsMax else { return tooDeep(name, scope) }
      macros[index] = .inProgress
      touchedMacros.append(index)
      let warningCount = warnings.count
      let inside = macroScope(index, chain: scope.chain + [use])
      macros[index] = .done(condition(macroConditions[index], in: inside, depth: inner))
      macroWarnings[index] = Array(warnings[warningCount...])
    case .done: keep(macroWarnings[index])
    }
    guard case .done(let result) = macros[index], var expansion = result else { return nil }
    guard inner + expansion.depth <= levelsMax else { return tooDeep(name, scope) }
    expansion.condition = expansion.condition.reached(through: use)
    expansion.depth += Self.macroLevels
    return expansion
  }

  private mutating func tooDeep(_ name: ConditionSyntax.Name, _ scope: Scope) -> Expansion? {
    report(
      .nestedTooDeep, "macros and parentheses more than \(levelsMax) levels deep", name.range,
      "goes too deep", in: scope)
    return nil
  }

  /// The macro that a name means here; reports and returns nil if there is none. What is wrong with the names in a
  /// macro has been reported before.
  private mutating func macroIndex(_ name: ConditionSyntax.Name, _ scope: Scope) -> Int? {
    guard let user = scope.macro else {
      guard let index = library.macroIndex[name.text] else {
        reportUndefined(name, scope)
        return nil
      }
      isMacroUsed[index] = true
      return index
    }
    guard let index = library.macroIndex[name.text], library.macros[user].sees(library.macros[index]) else {
      return nil
    }
    return index
  }

  func reportedMacroNames(_ tree: ConditionSyntax, _ names: inout [ConditionSyntax.Name]) {
    switch tree {
    case .all(let operands), .any(let operands):
      for operand in operands { reportedMacroNames(operand, &names) }
    case .not(let operand): reportedMacroNames(operand, &names)
    case .macro(let name): names.append(name)
    case .check, .missing: break
    }
  }

  /// Reports a macro that another one names before it is defined.
  mutating func reportNotYetDefined(_ name: ConditionSyntax.Name, _ index: Int, _ scope: Scope) {
    let definition = library.macros[index].definition.name
    report(
      .macroBeforeDefinition, "macro '\(name.text)' is defined only after this macro uses it", name.range,
      "not defined yet", in: scope, related: [SourceLabel(log.span(definition.file), "defined here")],
      help: [Suggestion("move its definition before this macro")],
      words: "Undefined macro '\(name.text)' used in filter.")
  }

  mutating func reportLoop(_ name: ConditionSyntax.Name, _ index: Int, _ scope: Scope, words: String? = nil) {
    report(
      .macroLoop, "macro '\(name.text)' is defined by itself", name.range, "closes the loop", in: scope,
      related: [SourceLabel(log.span(library.macros[index].definition.name.file), "defined here")],
      words: words ?? "reference loop in macro '\(name.text)'")
  }

  mutating func reportUndefined(_ name: ConditionSyntax.Name, _ scope: Scope) {
    guard scope.item(at: name.range.lowerBound) == nil else {
      let list = listName(at: name.range, scope)
      report(
        .undefinedMacro, "'\(list)' is a list, not a macro", name.range, "expected a test", in: scope,
        help: [Suggestion("compare a field with it: 'proc.name in (\(list))'")],
        words: "Undefined macro '\(name.text)' used in filter.")
      return
    }
    let visible = library.macros.lazy.filter { [library] macro in
      scope.macro.map { library.macros[$0].sees(macro) } ?? true
    }
    let nearest = log.nearest(to: name.text, among: visible.map { $0.definition.name.string })
    report(
      .undefinedMacro, "undefined macro '\(name.text)'", name.range, "no such macro", in: scope,
      help: Suggestion.didYouMean(nearest, replacing: span(name.range, scope)),
      words: "Undefined macro '\(name.text)' used in filter.")
  }
}

extension Condition {
  /// The same condition, each predicate remembering that it came through one more macro.
  func reached(through use: MacroUse) -> Condition {
    switch self {
    case .all(let operands): .all(operands.map { $0.reached(through: use) })
    case .any(let operands): .any(operands.map { $0.reached(through: use) })
    case .not(let operand): .not(operand.reached(through: use))
    case .predicate(let predicate):
      .predicate(
        Predicate(
          left: predicate.left, comparison: predicate.comparison, span: predicate.span, text: predicate.text,
          macros: [use] + predicate.macros))
    }
  }
}
