// SPDX-License-Identifier: Apache-2.0

/// All definitions of all files. A later one of the same name replaces an earlier one and keeps its place.
struct Library {
  /// A definition. Macros and lists see what was first defined before their own last definition.
  struct Slot<Definition> {
    var definition: Definition
    /// When something of this name was first defined.
    let first: Int
    /// When this definition was made.
    var last: Int

    func sees<Other>(_ other: Slot<Other>) -> Bool { other.first < last }
  }

  private(set) var lists: [Slot<ListDefinition>] = []
  private(set) var macros: [Slot<MacroDefinition>] = []
  private(set) var rules: [Slot<RuleDefinition>] = []
  private(set) var listIndex: [String: Int] = [:]
  private(set) var macroIndex: [String: Int] = [:]
  private(set) var ruleIndex: [String: Int] = [:]
  private var nextOrder = 0

  /// Definitions and amendments so far.
  var count: Int { nextOrder }

  func rule(named name: String) -> RuleDefinition? { ruleIndex[name].map { rules[$0].definition } }

  /// Returns what it replaces.
  mutating func define(_ list: ListDefinition) -> ListDefinition? {
    Self.define(list, named: list.name.string, in: &lists, &listIndex, order: takeOrder())
  }

  mutating func define(_ macro: MacroDefinition) -> MacroDefinition? {
    Self.define(macro, named: macro.name.string, in: &macros, &macroIndex, order: takeOrder())
  }

  mutating func define(_ rule: RuleDefinition) -> RuleDefinition? {
    Self.define(rule, named: rule.name.string, in: &rules, &ruleIndex, order: takeOrder())
  }

  // Amendments change a definition where it is: the same one may be appended to a thousand times. False if there is
  // none of this name.

  mutating func amend(list name: String, _ change: (inout ListDefinition) -> Void) -> Bool {
    guard let index = listIndex[name] else { return false }
    lists[index].last = takeOrder()
    change(&lists[index].definition)
    return true
  }

  mutating func amend(macro name: String, _ change: (inout MacroDefinition) -> Void) -> Bool {
    guard let index = macroIndex[name] else { return false }
    macros[index].last = takeOrder()
    change(&macros[index].definition)
    return true
  }

  mutating func amend(rule name: String, _ change: (inout RuleDefinition) -> Void) -> Bool {
    guard let index = ruleIndex[name] else { return false }
    rules[index].last = takeOrder()
    change(&rules[index].definition)
    return true
  }

  private mutating func takeOrder() -> Int {
    defer { nextOrder += 1 }
    return nextOrder
  }

  private static func define<Definition>(
    _ definition: Definition, named name: String, in slots: inout [Slot<Definition>], _ index: inout [String: Int],
    order: Int
  ) -> Definition? {
    guard let slot = index[name] else {
      index[name] = slots.count
      slots.append(Slot(definition: definition, first: order, last: order))
      return nil
    }
    let previous = slots[slot].definition
    slots[slot].definition = definition
    slots[slot].last = order
    return previous
  }
}
