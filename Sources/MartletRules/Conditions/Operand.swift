// SPDX-License-Identifier: Apache-2.0

/// What a comparison takes its value from. Nearly always that is a field: see `Predicate.field`.
public indirect enum Operand: Hashable, Sendable {
  case field(FieldReference)
  /// A quoted text among the arguments of a transformer.
  case text([UInt8])
  /// `("a", fd.name)`, for `join`, `getopt` and `len`.
  case list([Operand])
  /// `selector`: what stands in brackets behind `getopt(…)`.
  case transformed(Transformer, [Operand], selector: [UInt8]?)
}

/// A function of the rule language. Where an argument is missing, so is the result; one that takes a text takes a list
/// of them, too, and gives a list.
public enum Transformer: String, CaseIterable, Hashable, Sendable {
  /// ASCII letters only.
  case toLower = "tolower"
  case toUpper = "toupper"
  /// Decodes; missing where the text is no base64.
  case base64 = "b64"
  /// What stands behind the last slash.
  case basename
  /// Bytes of a text, or elements of a list.
  case length = "len"
  /// A separator, and a list of texts.
  case join
  case concat
  /// A list of arguments, and the short options that they may have, as of getopt(3): the letters and values that are
  /// there or, with a selector, the value of that option.
  case getopt
}

extension Operand {
  /// Every field in it.
  public var fields: [FieldReference] {
    switch self {
    case .field(let reference): [reference]
    case .text: []
    case .list(let operands), .transformed(_, let operands, _): operands.flatMap(\.fields)
    }
  }

  /// Operands in it, itself included.
  var size: Int {
    switch self {
    case .field, .text: 1
    case .list(let operands), .transformed(_, let operands, _): operands.reduce(1) { $0 + $1.size }
    }
  }
}

/// The operators that may have `val(field)` or a transformer on their right.
public enum OperandOperator: String, CaseIterable, Hashable, Sendable {
  case equal = "="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case contains
  case containsIgnoringCase = "icontains"
  case startsWith = "startswith"
  case endsWith = "endswith"
  case glob
  case globIgnoringCase = "iglob"
  case isIn = "in"
  case intersects

  /// The comparison with what the right side came to: one value, or those of a list.
  public func comparison(with values: [Constant]) -> Comparison? {
    switch (self, values.first) {
    case (.isIn, _): return .isIn(values)
    case (.intersects, _): return .intersects(values)
    case (_, let value?) where values.count == 1: return comparison(with: value)
    default: return nil
    }
  }

  private func comparison(with value: Constant) -> Comparison? {
    switch (self, value) {
    case (.equal, _): .equal(value)
    case (.notEqual, _): .notEqual(value)
    case (.less, _): .less(value)
    case (.lessOrEqual, _): .lessOrEqual(value)
    case (.greater, _): .greater(value)
    case (.greaterOrEqual, _): .greaterOrEqual(value)
    case (_, .text(let text)): TextOperator(rawValue: rawValue)?.comparison(with: text)
    default: nil
    }
  }
}

extension Operand: CustomStringConvertible {
  public var description: String {
    switch self {
    case .field(let reference): reference.text
    case .text(let bytes): Comparison.quoted(bytes)
    case .list(let operands): "(" + operands.map(\.description).joined(separator: ", ") + ")"
    case .transformed(let transformer, let arguments, let selector):
      transformer.rawValue + "(" + arguments.map(\.description).joined(separator: ", ") + ")"
        + (selector.map { "[\($0.string)]" } ?? "")
    }
  }

  /// As it stands on the right of an operator, where a field needs `val`.
  var rightDescription: String {
    if case .field(let reference) = self { "val(\(reference.text))" } else { description }
  }
}
