// SPDX-License-Identifier: Apache-2.0

import MartletEvents
public import MartletRules
public import MartletState

extension ReferenceEvaluator {
  /// Evaluates every part of a condition, also those that no longer matter, in the context's current view.
  public func explain(_ condition: Condition, _ context: inout EventContext) -> Explanation {
    part(condition, &context).deciding()
  }

  private func part(_ condition: Condition, _ context: inout EventContext) -> Explanation {
    switch condition {
    case .all(let operands):
      let parts = operands.map { part($0, &context) }
      return Explanation(part: .all(parts), truth: !any(parts.map { !$0.truth }), isDeciding: false)
    case .any(let operands):
      let parts = operands.map { part($0, &context) }
      return Explanation(part: .any(parts), truth: any(parts.map(\.truth)), isDeciding: false)
    case .not(let operand):
      let inner = part(operand, &context)
      return Explanation(part: .not(inner), truth: !inner.truth, isDeciding: false)
    case .predicate(let predicate):
      var readings: [FieldReading] = []
      for reference in predicate.fields where !readings.contains(where: { $0.reference == reference }) {
        readings.append(FieldReading(reference, &context))
      }
      let truth = evaluate(condition, &context)
      return Explanation(part: .predicate(predicate, readings), truth: truth, isDeciding: false)
    }
  }
}

extension FieldReading {
  fileprivate init(_ reference: FieldReference, _ context: inout EventContext) {
    let values = Self.arguments(of: reference, &context).map { OperandValue(context.value(of: reference.field, $0)) }
    let constants = values.flatMap(\.constants)
    self.reference = reference
    content = !constants.isEmpty ? .values(constants) : values.contains(.pending) ? .pending : .missing
  }

  private static func arguments(of reference: FieldReference, _ context: inout EventContext) -> [FieldArgument] {
    switch reference.multiplicity {
    case .one: return [reference.argument]
    case .ancestors:
      return stride(from: 1, through: context.ancestorCount(for: reference.field), by: 1).map { .index($0) }
    case .list, .names: return (0..<context.listCount(of: reference.field)).map { .index($0) }
    case .bothEnds: return [.index(0), .index(1)]
    }
  }
}
