// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Conditions: trees in, checked trees out, macros expanded.
extension Analyzer {
  /// The condition of a rule or macro; nil if anything in it is wrong.
  mutating func condition(in scope: Scope, depth: Int = 0) -> Expansion? {
    let (tree, problems) = ConditionParser.parse(scope.text.bytes, depthMax: limits.conditionDepth)
    report(problems, in: scope)
    let expansion = expand(tree, scope, depth: depth)
    guard problems.isEmpty, let expansion else { return nil }
    guard expansion.size <= limits.conditionSize else {
      report(
        .conditionTooLarge, "this expands to more than \(limits.conditionSize) comparisons and constants",
        0..<scope.text.bytes.count, "macros and lists included", in: scope)
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

  /// Operands of one `and` or `or`. All of them are looked at, so that each mistake is found.
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
    case .inProgress:
      report(
        .macroLoop, "macro '\(name.text)' is defined by itself", name.range, "closes the loop", in: scope,
        related: [SourceLabel(log.span(library.macros[index].definition.name.file), "defined here")])
      return nil
    case .untouched:
      guard inner <= levelsMax else { return tooDeep(name, scope) }
      macros[index] = .inProgress
      let definition = library.macros[index].definition
      let inside = Scope(text: definition.condition, macro: index, chain: scope.chain + [use])
      macros[index] = .done(condition(in: inside, depth: inner))
    case .done: break
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

  /// The macro that a name means here; reports and returns nil if there is none.
  mutating func macroIndex(_ name: ConditionSyntax.Name, _ scope: Scope) -> Int? {
    guard let index = library.macroIndex[name.text] else {
      reportUndefined(name, scope)
      return nil
    }
    guard let user = scope.macro, index != user else { return index }
    guard !library.macros[user].sees(library.macros[index]) else { return index }
    let definition = library.macros[index].definition.name
    report(
      .macroBeforeDefinition, "macro '\(name.text)' is defined only after this macro uses it", name.range,
      "not defined yet", in: scope, related: [SourceLabel(log.span(definition.file), "defined here")],
      help: [Suggestion("move its definition before this macro")])
    return nil
  }

  private mutating func reportUndefined(_ name: ConditionSyntax.Name, _ scope: Scope) {
    if library.listIndex[name.text] != nil {
      report(
        .undefinedMacro, "'\(name.text)' is a list, not a macro", name.range, "expected a test", in: scope,
        help: [Suggestion("compare a field with it: 'proc.name in (\(name.text))'")])
      return
    }
    let visible = library.macros.lazy.filter { [library] macro in
      scope.macro.map { library.macros[$0].sees(macro) } ?? true
    }
    let nearest = log.nearest(to: name.text, among: visible.map { $0.definition.name.string })
    report(
      .undefinedMacro, "undefined macro '\(name.text)'", name.range, "no such macro", in: scope,
      help: Suggestion.didYouMean(nearest, replacing: span(name.range, scope)))
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
