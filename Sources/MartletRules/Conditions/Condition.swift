// SPDX-License-Identifier: Apache-2.0

public import MartletEvents

/// A checked condition: names resolved, macros and lists expanded, constants typed.
///
/// `all` and `any` are n-ary and have two operands or more, in the order in which they are tried; parentheses of the
/// rule are nodes of their own. Pairs of `not` beside each other have cancelled out. A tree is at most `Limits.conditionDepth` deep.
public indirect enum Condition: Hashable, Sendable {
  case all([Condition])
  case any([Condition])
  case not(Condition)
  case predicate(Predicate)
}

/// One comparison, and where it stands.
public struct Predicate: Hashable, Sendable {
  public let left: Operand
  public let comparison: Comparison
  /// From the field to the end of the value.
  public let span: SourceSpan
  /// As Falco prints it: canonical, lists replaced by their items.
  public let text: String
  /// The macros through which the rule came here, outermost first; empty for a predicate of the rule itself.
  public let macros: [MacroUse]

  /// The field that is compared with constants; nil where a transformer or another field has a part in it.
  public var field: FieldReference? {
    guard case .field(let reference) = left else { return nil }
    if case .against = comparison { return nil }
    return reference
  }

  /// Every field in it.
  public var fields: [FieldReference] {
    if case .against(_, let right) = comparison { left.fields + right.fields } else { left.fields }
  }

  public init(
    left: Operand, comparison: Comparison, span: SourceSpan, text: String, macros: [MacroUse] = []
  ) {
    self.left = left
    self.comparison = comparison
    self.span = span
    self.text = text
    self.macros = macros
  }
}

/// A macro, and where it was named.
public struct MacroUse: Hashable, Sendable {
  public let name: String
  public let span: SourceSpan

  public init(name: String, span: SourceSpan) {
    self.name = name
    self.span = span
  }
}

/// What is asked of a value. A missing one answers every question with no. Of a list `isIn` asks whether all elements
/// are among the constants, `intersects` whether any is.
public enum Comparison: Hashable, Sendable {
  case exists
  case equal(Constant)
  case notEqual(Constant)
  case less(Constant)
  case lessOrEqual(Constant)
  case greater(Constant)
  case greaterOrEqual(Constant)
  /// In the order of the rule; may be empty, and then nothing is in it.
  case isIn([Constant])
  /// The same as `isIn` for fields that have one value.
  case intersects([Constant])
  case contains([UInt8])
  /// ASCII letters alike in both cases; the pattern is kept as the rule spells it.
  case containsIgnoringCase([UInt8])
  case startsWith([UInt8])
  case endsWith([UInt8])
  /// fnmatch(3) with no flags: `*` crosses `/`.
  case glob([UInt8])
  case globIgnoringCase([UInt8])
  /// The pattern takes the whole value. It has been found good by whoever is to match it.
  case regex([UInt8])
  /// The value is one of these paths or lies below it; components may be globs.
  case pathMatch([[UInt8]])
  /// `contains oneof (a, b)`: of these comparisons exactly one, any or all hold. None of none does.
  indirect case quantified(Quantifier, [Comparison])
  /// With `val(field)` or a transformer on the right. Where that is missing, the answer is no.
  case against(OperandOperator, Operand)
}

/// How many of several comparisons have to hold.
public enum Quantifier: String, CaseIterable, Hashable, Sendable {
  case oneOf = "oneof"
  case anyOf = "anyof"
  case allOf = "allof"
}

/// The operators that compare a text with one other, and may stand before a quantifier.
public enum TextOperator: String, CaseIterable, Hashable, Sendable {
  case equal = "="
  case notEqual = "!="
  case contains
  case containsIgnoringCase = "icontains"
  case startsWith = "startswith"
  case endsWith = "endswith"
  case glob
  case globIgnoringCase = "iglob"
  case regex

  /// The comparison with one text.
  public func comparison(with text: [UInt8]) -> Comparison {
    switch self {
    case .equal: .equal(.text(text))
    case .notEqual: .notEqual(.text(text))
    case .contains: .contains(text)
    case .containsIgnoringCase: .containsIgnoringCase(text)
    case .startsWith: .startsWith(text)
    case .endsWith: .endsWith(text)
    case .glob: .glob(text)
    case .globIgnoringCase: .globIgnoringCase(text)
    case .regex: .regex(text)
    }
  }
}

/// A constant, of the type of the field it is compared with.
public enum Constant: Hashable, Sendable {
  case text([UInt8])
  case signed(Int64)
  case unsigned(UInt64)
  case boolean(Bool)
  case double(Double)
  case address(IPAddress)
  case network(IPNetwork)
}
