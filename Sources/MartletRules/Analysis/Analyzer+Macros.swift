// SPDX-License-Identifier: Apache-2.0

/// Macros, before any rule is looked at: their texts are read, and the names in them looked up, whether a rule uses
/// them or not. Their fields and types are checked only as part of a rule.
extension Analyzer {
  mutating func readMacros() {
    for index in library.macros.indices {
      log.step = LoadStep(phase: .macroSyntax, index: index)
      let definition = library.macros[index].definition
      owner = Owner(
        item: .macro, name: definition.name.string, place: definition.place, conditionItem: .macroCondition,
        condition: definition.condition)
      let expanded = expand(definition.condition)
      macroConditions.append(parse(expanded, in: Scope(expanded, definition.condition, macro: index, chain: [])))
    }
    var names: [[ConditionSyntax.Name]] = []
    for index in library.macros.indices {
      var found: [ConditionSyntax.Name] = []
      reportedMacroNames(macroConditions[index].tree, &found)
      names.append(found)
    }
    for index in library.macros.indices { checkNames(names[index], of: index) }
    findLoops(names)
  }

  /// The text of a condition with all lists in it; what has become too large is reported.
  mutating func expand(_ text: MappedText) -> ListExpander.Expanded {
    let expanded = lists.expand(text)
    for (place, name) in lists.takeTextsThatNameLists() {
      log.report(
        .nestedListAsText, "list '\(name)' is taken as a text here", at: place, "not expanded",
        help: [Suggestion("lists in lists are expanded one level deep: name '\(name)' in the outer list as well")])
    }
    return expanded
  }

  /// Reads a condition; mistakes in its syntax are reported.
  mutating func parse(_ expanded: ListExpander.Expanded, in scope: Scope) -> ParsedCondition {
    guard !expanded.isTooLarge else {
      report(
        .conditionTooLarge, "this expands to more than \(limits.conditionSize) comparisons and constants",
        0..<scope.text.bytes.count, "lists included", in: scope, help: [.smallerCondition])
      return ParsedCondition(tree: .missing, isValid: false, expanded: expanded)
    }
    let (tree, problems) = ConditionParser.parse(scope.text.bytes, depthMax: limits.conditionDepth)
    report(problems, in: scope)
    return ParsedCondition(tree: tree, isValid: problems.isEmpty, expanded: expanded)
  }

  func macroScope(_ index: Int, chain: [MacroUse]) -> Scope {
    Scope(macroConditions[index].expanded, library.macros[index].definition.condition, macro: index, chain: chain)
  }

  private mutating func checkNames(_ names: [ConditionSyntax.Name], of macro: Int) {
    log.step = LoadStep(phase: .macroNames, index: macro)
    let definition = library.macros[macro].definition
    owner = Owner(
      item: .macro, name: definition.name.string, place: definition.place, conditionItem: .macroCondition,
      condition: definition.condition)
    let scope = macroScope(macro, chain: [])
    for name in names {
      guard let index = library.macroIndex[name.text] else {
        reportUndefined(name, scope)
        continue
      }
      isMacroUsed[index] = true
      guard !library.macros[macro].sees(library.macros[index]) else { continue }
      if index == macro {
        // Falco has not defined it yet and says so; the loop is what has to be mended.
        reportLoop(name, index, scope, words: "Undefined macro '\(name.text)' used in filter.")
        continue
      }
      reportNotYetDefined(name, index, scope)
    }
  }

  /// Reports each name that leads back to a macro which is being followed. Without recursion: a chain may be long.
  private mutating func findLoops(_ names: [[ConditionSyntax.Name]]) {
    enum Mark { case new, open, closed }
    var marks = [Mark](repeating: .new, count: names.count)
    for start in names.indices where marks[start] == .new {
      var path = [(macro: start, next: 0)]
      marks[start] = .open
      while let (macro, next) = path.last {
        guard next < names[macro].count else {
          marks[macro] = .closed
          path.removeLast()
          continue
        }
        path[path.count - 1].next += 1
        let name = names[macro][next]
        guard let inner = library.macroIndex[name.text], library.macros[macro].sees(library.macros[inner]) else {
          continue
        }
        switch marks[inner] {
        case .closed: break
        case .open:
          log.step = LoadStep(phase: .macroNames, index: macro)
          reportLoop(name, inner, macroScope(macro, chain: []))
        case .new:
          marks[inner] = .open
          path.append((inner, 0))
        }
      }
    }
  }
}

/// A condition that has been read.
struct ParsedCondition {
  let tree: ConditionSyntax
  /// Nothing was wrong with its syntax.
  let isValid: Bool
  let expanded: ListExpander.Expanded
}
