// SPDX-License-Identifier: Apache-2.0

/// Canonical text, as Falco prints compiled conditions; read again it is the same condition.
extension Condition: CustomStringConvertible {
  public var description: String {
    switch self {
    case .all(let operands): "(" + operands.map(\.description).joined(separator: " and ") + ")"
    case .any(let operands): "(" + operands.map(\.description).joined(separator: " or ") + ")"
    case .not(let operand): "not " + operand.description
    case .predicate(let predicate): predicate.description
    }
  }
}

extension Predicate: CustomStringConvertible {
  public var description: String { text }
}

extension Comparison {
  /// A value as a condition would have it: in quotes where it needs them.
  static func quotedIfNeeded(_ bytes: [UInt8]) -> String { ConditionPrinter.quotedIfNeeded(bytes).string }

  static func quoted(_ bytes: [UInt8]) -> String { ConditionPrinter.quoted(bytes).string }
}
