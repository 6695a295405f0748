// SPDX-License-Identifier: Apache-2.0

/// Exceptions: each becomes a condition, and the rule holds where none of them does.
extension Analyzer {
  /// Those that have values; nil if anything in them is wrong.
  mutating func exceptions(of definition: RuleDefinition) -> [(exception: RuleException, expansion: Expansion)]? {
    var exceptions: [(RuleException, Expansion)] = []
    var isBroken = false
    for item in definition.exceptions {
      guard let text = item.condition() else { continue }
      guard let expansion = condition(in: Scope(text: text, macro: nil, chain: [])) else {
        isBroken = true
        continue
      }
      let exception = RuleException(
        name: item.name.string, condition: expansion.condition, location: log.span(item.name.file).start)
      exceptions.append((exception, expansion))
    }
    return isBroken ? nil : exceptions
  }

  /// `(condition) and not (first) and not (second)…`
  static func excepting(
    _ exceptions: [(exception: RuleException, expansion: Expansion)], from condition: Expansion
  ) -> Expansion {
    guard !exceptions.isEmpty else { return condition }
    let operands = [condition.condition] + exceptions.map { .not($0.expansion.condition) }
    return Expansion(
      condition: .all(operands), size: exceptions.reduce(condition.size) { $0 + $1.expansion.size },
      depth: exceptions.reduce(condition.depth) { max($0, $1.expansion.depth + 2) })
  }
}
