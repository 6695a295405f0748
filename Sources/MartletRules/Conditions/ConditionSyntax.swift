// SPDX-License-Identifier: Apache-2.0

/// A condition as written: every operator of the language, no name resolved. Ranges are offsets in the text.
///
/// There is a tree for any text; where something is missing or unreadable, it has `.missing`, and a diagnostic says so.
indirect enum ConditionSyntax: Sendable {
  case all([ConditionSyntax])
  case any([ConditionSyntax])
  case not(ConditionSyntax)
  case macro(Name)
  case check(Check)
  case missing

  struct Name: Sendable {
    var text: String
    var range: Range<Int>
  }

  /// A comparison: `proc.name in (a, b)`, `toupper(proc.name) = X`, `fd.name exists`.
  struct Check: Sendable {
    var left: Operand
    var symbol: OperatorSymbol
    var symbolRange: Range<Int>
    var right: Right
    var range: Range<Int>
  }

  indirect enum Operand: Sendable {
    case field(FieldName)
    case transformer(Transformer)

    var range: Range<Int> {
      switch self {
      case .field(let field): field.range
      case .transformer(let transformer): transformer.range
      }
    }
  }

  struct FieldName: Sendable {
    /// Without brackets.
    var name: String
    var nameRange: Range<Int>
    /// What stands in brackets, unquoted.
    var argument: Value?
    var range: Range<Int>
  }

  struct Transformer: Sendable {
    var name: String
    var nameRange: Range<Int>
    var arguments: [TransformerArgument]
    /// `getopt(…)[c]`.
    var selector: Value?
    var range: Range<Int>
  }

  indirect enum TransformerArgument: Sendable {
    case operand(Operand)
    case value(Value)
    case list([TransformerArgument])
  }

  /// A constant as written; quotes and escapes are gone from `bytes`.
  struct Value: Sendable {
    var bytes: [UInt8]
    var isQuoted: Bool
    var range: Range<Int>
  }

  /// What stands behind `oneof` and its kin.
  enum Several: Sendable {
    case list([Value])
    case identifier(Value)

    var values: [Value] {
      switch self {
      case .list(let values): values
      case .identifier(let value): [value]
      }
    }
  }

  enum Right: Sendable {
    /// Nothing: `exists`.
    case none
    case value(Value)
    case list([Value], range: Range<Int>)
    /// A bare name where a list should stand.
    case identifier(Value)
    /// `oneof (a, b)`, or `oneof name`.
    case quantified(Quantifier, Several, range: Range<Int>)
    /// `val(field)` or a transformer.
    case operand(Operand)
    case missing
  }
}

/// The operators of the language.
enum OperatorSymbol: String, CaseIterable, Sendable {
  case exists
  case equal = "="
  case doubleEqual = "=="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case contains, icontains, bcontains, startswith, bstartswith, endswith, glob, iglob, regex
  case isIn = "in"
  case intersects, pmatch

  /// What stands on its right.
  enum Shape { case nothing, number, text, list }

  var shape: Shape {
    switch self {
    case .exists: .nothing
    case .less, .lessOrEqual, .greater, .greaterOrEqual: .number
    case .isIn, .intersects, .pmatch: .list
    default: .text
    }
  }

  var isWord: Bool { rawValue.utf8.first?.isLetter == true }

  /// The operators made of signs; the longer first, so that the first that fits is meant.
  static let signs: [OperatorSymbol] = [
    .doubleEqual, .notEqual, .lessOrEqual, .greaterOrEqual, .equal, .less, .greater,
  ]

  /// The words that need no blank behind them.
  static let prefixes: [OperatorSymbol] = [.intersects, .isIn, .pmatch]

  static let words: [String: OperatorSymbol] = Dictionary(
    uniqueKeysWithValues: allCases.filter(\.isWord).map { ($0.rawValue, $0) })
}

/// What the language calls transformers.
enum TransformerNames {
  static let all: Set<String> = Set(Transformer.allCases.map(\.rawValue))
}

/// Something wrong with the syntax of a condition; ranges are offsets in its text.
struct SyntaxProblem: Sendable {
  var code: DiagnosticCode
  var message: String
  var range: Range<Int>
  var label: String
  var help: String?
  /// To be typed over `range`.
  var replacement: String?
}
