// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// One side of a comparison, checked.
struct Side {
  let operand: Operand
  let type: FieldType
  /// It has several values at once: only `in`, `intersects` and `exists` go with it.
  var isList = false
  /// As the rule writes it.
  let range: Range<Int>

  /// The field that it is, if it is nothing but one.
  var field: Field? { if case .field(let reference) = operand { reference.field } else { nil } }

  var text: String { operand.description }

  var phrase: String { isList ? "a list" : type.phrase }
}

/// Operands: fields and what transformers make of them.
extension Analyzer {
  mutating func side(_ operand: ConditionSyntax.Operand, _ scope: Scope) -> Side? {
    switch operand {
    case .field(let name):
      guard let reference = fieldReference(name, scope) else { return nil }
      return Side(
        operand: .field(reference), type: reference.type, isList: reference.multiplicity == .list, range: name.range)
    case .transformer(let transformer): return side(transformer, scope)
    }
  }

  /// A transformer of an output; nil if anything in it is wrong.
  mutating func outputOperand(_ transformer: ConditionSyntax.Transformer, _ scope: Scope) -> Operand? {
    side(transformer, scope)?.operand
  }

  private mutating func side(_ syntax: ConditionSyntax.Transformer, _ scope: Scope) -> Side? {
    guard let transformer = Transformer(rawValue: syntax.name) else { return nil }
    if let selector = syntax.selector, transformer != .getopt {
      report(
        .invalidTransformer, "'\(syntax.name)' takes nothing in brackets", selector.range, "not expected here",
        in: scope)
      return nil
    }
    // All of them are looked at, so that each mistake is found.
    let arguments = syntax.arguments.map { argument($0, within: syntax, scope) }
    let sides = arguments.compactMap { $0 }
    guard sides.count == arguments.count else { return nil }
    guard let result = Self.signature(transformer, sides.map { ($0.type, $0.isList) }, syntax.selector != nil) else {
      report(
        .invalidTransformer, "'\(syntax.name)' takes \(transformer.parameters)", syntax.range,
        "has \(Self.phrase(sides))", in: scope)
      return nil
    }
    if let selector = syntax.selector, selector.bytes.count != 1 {
      report(.invalidTransformer, "'getopt' has one letter in brackets", selector.range, "not a letter", in: scope)
      return nil
    }
    return Side(
      operand: .transformed(transformer, sides.map(\.operand), selector: syntax.selector?.bytes), type: result.type,
      isList: result.isList, range: syntax.range)
  }

  private mutating func argument(
    _ argument: ConditionSyntax.TransformerArgument, within outer: ConditionSyntax.Transformer, _ scope: Scope
  ) -> Side? {
    switch argument {
    case .value(let value): return Side(operand: .text(value.bytes), type: .string, range: value.range)
    case .operand(let operand):
      guard let side = side(operand, scope) else { return nil }
      if case .field(let reference) = side.operand, !reference.takesTransformers {
        report(
          .invalidTransformer, "'\(side.text)' cannot be transformed", side.range, "compared as it is only", in: scope)
        return nil
      }
      return side
    case .list(let elements):
      let arguments = elements.map { self.argument($0, within: outer, scope) }
      let sides = arguments.compactMap { $0 }
      guard sides.count == arguments.count else { return nil }
      guard sides.allSatisfy({ $0.type.family == .text || $0.type.integer != nil }) else {
        report(
          .invalidTransformer, "a list in '\(outer.name)' is made of texts and numbers", outer.range,
          "has something else", in: scope)
        return nil
      }
      return Side(operand: .list(sides.map(\.operand)), type: .string, isList: true, range: outer.range)
    }
  }

  /// What a transformer makes of arguments of these types; nil if it does not take them.
  private static func signature(
    _ transformer: Transformer, _ arguments: [(type: FieldType, isList: Bool)], _ hasSelector: Bool
  ) -> (type: FieldType, isList: Bool)? {
    guard let first = arguments.first else { return nil }
    let areTexts = arguments.allSatisfy { $0.type.family == .text }
    switch transformer {
    case .toLower, .toUpper, .basename: return arguments.count == 1 && areTexts ? first : nil
    case .base64: return arguments.count == 1 && (areTexts || first.type == .bytes) ? first : nil
    case .length:
      return arguments.count == 1 && (areTexts || first.isList || first.type == .bytes) ? (.uint64, false) : nil
    case .join, .concat, .getopt:
      return areTexts ? signature(transformer, first, arguments, hasSelector) : nil
    }
  }

  /// Of those that take several texts.
  private static func signature(
    _ transformer: Transformer, _ first: (type: FieldType, isList: Bool),
    _ arguments: [(type: FieldType, isList: Bool)], _ hasSelector: Bool
  ) -> (type: FieldType, isList: Bool)? {
    switch transformer {
    case .join: return arguments.count == 2 && !first.isList && arguments[1].isList ? (.string, false) : nil
    case .concat: return arguments.count >= 2 && arguments.allSatisfy { !$0.isList } ? (.string, false) : nil
    case .getopt:
      return arguments.count == 2 && first.isList && !arguments[1].isList ? (.string, !hasSelector) : nil
    case .toLower, .toUpper, .base64, .basename, .length: return nil
    }
  }

  private static func phrase(_ sides: [Side]) -> String {
    sides.isEmpty ? "nothing" : sides.map(\.phrase).joined(separator: ", ")
  }

  // MARK: The right side

  /// `val(field)` or a transformer: of the same type as the left side, and both with one value or both lists.
  mutating func comparison(
    _ operand: ConditionSyntax.Operand, _ check: ConditionSyntax.Check, _ left: Side, _ scope: Scope
  ) -> (Comparison, size: Int)? {
    guard let right = side(operand, scope) else { return nil }
    guard let symbol = check.symbol.operandOperator else {
      report(
        .sidesMismatch, "'\(check.symbol.rawValue)' compares with constants only", right.range, "not a constant",
        in: scope)
      return nil
    }
    for side in [left, right] {
      let decidesEvents = side.range == left.range && check.symbol.restrictsEvents && isEventType(side)
      guard decidesEvents || side.type == .network || !side.operand.fields.allSatisfy(\.takesOtherSide) else {
        continue
      }
      report(
        .sidesMismatch, "'\(side.text)' can be compared with constants only", side.range,
        decidesEvents
          ? "decides when the rule is tried" : side.type == .network ? side.type.phrase : "has no value of its own",
        in: scope)
      return nil
    }
    let areAlike = left.type == right.type || left.type.family == .text && right.type.family == .text
    guard areAlike, left.isList == right.isList else {
      report(
        .sidesMismatch, "'\(left.text)' is \(left.phrase), and '\(right.text)' is \(right.phrase)", right.range,
        "needs to be alike", in: scope, related: [SourceLabel(span(left.range, scope), left.phrase)])
      return nil
    }
    return (.against(symbol, right.operand), right.operand.size + 1)
  }
}

extension Analyzer {
  private func isEventType(_ side: Side) -> Bool {
    if case .field(let reference) = side.operand { reference.isEventType } else { false }
  }
}

extension FieldReference {
  /// What decides on which events a rule is tried.
  var isEventType: Bool { argument == .none && ["evt.type", "syscall.type"].contains("\(field.description.name)") }
}

extension Transformer {
  fileprivate var parameters: String {
    switch self {
    case .toLower, .toUpper, .base64, .basename, .length: "one text or list of texts"
    case .join: "a text and a list of texts"
    case .concat: "two texts or more"
    case .getopt: "a list of texts and a text"
    }
  }
}
