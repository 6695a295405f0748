// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Comparisons: the field's name, the operator's fitness, the constants.
extension Analyzer {
  /// The comparison and its size; nil if anything in it is wrong.
  mutating func predicate(_ check: ConditionSyntax.Check, _ scope: Scope) -> (Predicate, size: Int)? {
    warnOfNotAvailable(check, scope)
    guard let left = side(check.left, scope) else { return nil }
    guard left.isList ? check.symbol.takesLists : left.type.takes(check.symbol) else {
      reportMismatch(check, left, scope)
      return nil
    }
    guard left.field != nil || !check.symbol.restrictsEvents || !left.operand.fields.contains(where: \.isEventType)
    else {
      report(
        .invalidTransformer, "'evt.type' cannot be transformed", left.range, "decides when the rule is tried",
        in: scope)
      return nil
    }
    guard let (comparison, size) = comparison(check, left, scope) else { return nil }
    let predicate = Predicate(
      left: left.operand, comparison: comparison, span: span(check.range, scope), text: text(of: check))
    return (predicate, size + left.operand.size - 1)
  }

  private func text(of check: ConditionSyntax.Check) -> String {
    var printer = ConditionPrinter()
    printer.append(check)
    return printer.bytes.string
  }

  private mutating func reportMismatch(
    _ check: ConditionSyntax.Check, _ left: Side, _ scope: Scope
  ) {
    let symbol = check.symbol
    let help = left.isList ? "lists take 'in', 'intersects' or 'exists'" : left.type.operatorsHelp
    report(
      .operatorMismatch,
      "'\(symbol.rawValue)' \(left.isList ? "compares one value" : symbol.deed), but '\(left.text)' is \(left.phrase)",
      check.symbolRange, left.isList ? "cannot take a list" : symbol.needs, in: scope,
      related: [SourceLabel(span(left.range, scope), left.phrase)], help: [Suggestion(help)])
  }

  // MARK: Fields

  mutating func fieldReference(_ name: ConditionSyntax.FieldName, _ scope: Scope) -> FieldReference? {
    warnOfDeprecation(name, scope)
    let error: FieldLookupError
    switch FieldNames.resolve(name.name, argument: name.argument?.bytes) {
    case .success(let reference):
      noteIfUncaptured(reference, name, scope)
      return reference
    case .failure(let failure): error = failure
    }
    let mistake = FieldNames.mistake(error, name.name)
    let isUnknown = error == .unknownField
    let nearest = isUnknown ? log.nearest(to: name.name, among: FieldRegistry.names) : nil
    report(
      mistake.code, mistake.message, isUnknown ? name.nameRange : name.argument?.range ?? name.range, mistake.label,
      in: scope, help: Suggestion.didYouMean(nearest, replacing: span(name.nameRange, scope)),
      words: isUnknown ? "filter_check called with nonexistent field \(name.name)" : nil)
    return nil
  }

  /// Once a file: the rule loads, and whoever wrote it may want to know that nothing will come of this.
  private mutating func noteIfUncaptured(
    _ reference: FieldReference, _ name: ConditionSyntax.FieldName, _ scope: Scope
  ) {
    let noted = NotedField(field: reference.field, source: scope.place(name.nameRange).source)
    guard !reference.field.description.isCaptured, notedFields.insert(noted).inserted else { return }
    report(
      .uncapturedField, "'\(reference.field.description.name)' is not captured: it is missing on every event",
      name.nameRange, "always missing", in: scope)
  }

  // MARK: Comparisons

  private mutating func comparison(
    _ check: ConditionSyntax.Check, _ left: Side, _ scope: Scope
  ) -> (Comparison, size: Int)? {
    switch check.right {
    case .missing: return nil
    case .none: return (.exists, 1)
    case .operand(let operand): return comparison(operand, check, left, scope)
    case .quantified(let quantifier, let several, _):
      if case .identifier(let value) = several, !isSingle(value, check.symbol, scope) { return nil }
      return quantified(quantifier, several.values, check, left, scope)
    case .identifier(let value):
      guard isSingle(value, check.symbol, scope), let constants = constants([value], check, left, scope) else {
        return nil
      }
      return (listComparison(check.symbol, constants, left), constants.count + 1)
    case .value(let value): return single(value, check, left, scope)
    case .list(let values, _):
      guard let constants = constants(values, check, left, scope) else { return nil }
      return (listComparison(check.symbol, constants, left), constants.count + 1)
    }
  }

  /// `in shells`, without parentheses. Falco puts the items in the place of the name, and that reads only if it is
  /// one; where no list has that name it is the value itself.
  private mutating func isSingle(_ value: ConditionSyntax.Value, _ symbol: OperatorSymbol, _ scope: Scope) -> Bool {
    let name = value.bytes.string
    guard scope.item(at: value.range.lowerBound) == nil else { return true }
    let nearest = log.nearest(to: name, among: library.listIndex.keys).map { "(\($0))" }
    let help =
      nearest == nil
      ? [Suggestion("write '(\(name))' for a list of one value")]
      : Suggestion.didYouMean(nearest, replacing: span(value.range, scope))
    report(
      .undefinedList, "there is no list '\(name)'", value.range, "taken as the text itself", in: scope, help: help)
    return true
  }

  /// An operator that takes one value.
  private mutating func single(
    _ value: ConditionSyntax.Value, _ check: ConditionSyntax.Check, _ left: Side, _ scope: Scope
  ) -> (Comparison, size: Int)? {
    let item = listValue(value, scope)
    guard let constant = constant(item, value, check.symbol, left, scope) else { return nil }
    warnOfValue(value, check.symbol, scope)
    return (singleComparison(check.symbol, constant), 2)
  }

  /// A value as it stands in the condition, and in its list if it came from one.
  private func listValue(_ value: ConditionSyntax.Value, _ scope: Scope) -> ListValue {
    ListValue(bytes: value.bytes, isQuoted: value.isQuoted, file: scope.item(at: value.range.lowerBound))
  }

  /// The constants of a list; nil if any is wrong.
  private mutating func constants(
    _ values: [ConditionSyntax.Value], _ check: ConditionSyntax.Check, _ left: Side, _ scope: Scope
  ) -> [Constant]? {
    guard values.count <= limits.conditionSize else {
      report(
        .conditionTooLarge, "this expands to more than \(limits.conditionSize) comparisons and constants",
        values[limits.conditionSize].range, "one too many", in: scope, help: [.smallerCondition])
      return nil
    }
    var constants: [Constant] = []
    var isBroken = false
    for value in values {
      if let constant = constant(listValue(value, scope), value, check.symbol, left, scope) {
        constants.append(constant)
        warnOfValue(value, check.symbol, scope)
        warnOfListName(value, scope)
      } else {
        isBroken = true
      }
    }
    return isBroken ? nil : constants
  }

  /// `contains oneof (a, b)`: a comparison with each of the values.
  private mutating func quantified(
    _ quantifier: Quantifier, _ values: [ConditionSyntax.Value], _ check: ConditionSyntax.Check, _ left: Side,
    _ scope: Scope
  ) -> (Comparison, size: Int)? {
    guard let constants = constants(values, check, left, scope) else { return nil }
    let comparisons = constants.map { singleComparison(check.symbol, $0) }
    return (.quantified(quantifier, comparisons), comparisons.count + 1)
  }

  private func singleComparison(_ symbol: OperatorSymbol, _ constant: Constant) -> Comparison {
    switch symbol {
    case .notEqual: .notEqual(constant)
    case .less: .less(constant)
    case .lessOrEqual: .lessOrEqual(constant)
    case .greater: .greater(constant)
    case .greaterOrEqual: .greaterOrEqual(constant)
    default:
      if let text = constant.textBytes, let symbol = symbol.textOperator {
        symbol.comparison(with: text)
      } else {
        .equal(constant)
      }
    }
  }

  private func listComparison(_ symbol: OperatorSymbol, _ constants: [Constant], _ left: Side) -> Comparison {
    // Of the networks that either end may be in Falco looks at the first.
    let constants = left.field == .fdEitherNetwork ? Array(constants.prefix(1)) : constants
    return switch symbol {
    case .intersects: .intersects(constants)
    case .pmatch: .pathMatch(constants.compactMap(\.textBytes))
    default: .isIn(constants)
    }
  }
}

extension Constant {
  fileprivate var textBytes: [UInt8]? { if case .text(let bytes) = self { bytes } else { nil } }
}
