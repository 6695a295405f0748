// SPDX-License-Identifier: Apache-2.0

import MartletEvents

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

extension Constant: CustomStringConvertible {
  public var description: String {
    switch self {
    case .text(let bytes): Comparison.quotedIfNeeded(bytes)
    case .signed(let value): "\(value)"
    case .unsigned(let value): "\(value)"
    case .boolean(let value): "\(value)"
    case .double(let value): "\(value)"
    case .address(let address): "\(address)"
    case .network(let network): "\(network)"
    }
  }
}
