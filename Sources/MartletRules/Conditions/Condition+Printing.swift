// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Canonical text: what is printed is read again as the same condition.
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
  public var description: String { "\(left) \(comparison)" }
}

extension Comparison: CustomStringConvertible {
  public var description: String {
    switch self {
    case .exists: "exists"
    case .equal(let constant): "= \(constant)"
    case .notEqual(let constant): "!= \(constant)"
    case .less(let constant): "< \(constant)"
    case .lessOrEqual(let constant): "<= \(constant)"
    case .greater(let constant): "> \(constant)"
    case .greaterOrEqual(let constant): ">= \(constant)"
    case .isIn(let constants): "in \(Self.list(constants.map(\.description)))"
    case .intersects(let constants): "intersects \(Self.list(constants.map(\.description)))"
    case .contains(let bytes): "contains \(Self.quotedIfNeeded(bytes))"
    case .containsIgnoringCase(let bytes): "icontains \(Self.quotedIfNeeded(bytes))"
    case .startsWith(let bytes): "startswith \(Self.quotedIfNeeded(bytes))"
    case .endsWith(let bytes): "endswith \(Self.quotedIfNeeded(bytes))"
    case .glob(let bytes): "glob \(Self.quotedIfNeeded(bytes))"
    case .globIgnoringCase(let bytes): "iglob \(Self.quotedIfNeeded(bytes))"
    case .regex(let bytes): "regex \(Self.quotedIfNeeded(bytes))"
    case .pathMatch(let paths): "pmatch \(Self.list(paths.map(Self.quotedIfNeeded)))"
    case .quantified(let quantifier, let symbol, let texts):
      "\(symbol.rawValue) \(quantifier.rawValue) \(Self.list(texts.map(Self.quotedIfNeeded)))"
    case .against(let symbol, let right): "\(symbol.rawValue) \(right.rightDescription)"
    }
  }

  private static func list(_ values: [String]) -> String { "(" + values.joined(separator: ", ") + ")" }

  /// Bare where that is read back as the same text, otherwise in double quotes.
  static func quotedIfNeeded(_ bytes: [UInt8]) -> String {
    let quantifiers = Quantifier.allCases.map(\.rawValue)
    let isBare = !bytes.isEmpty && bytes.allSatisfy { ConditionLexer.isBare($0) && $0 >= .space && $0 < 0x7f }
    if isBare, !quantifiers.contains(bytes.string) { return bytes.string }
    return quoted(bytes)
  }

  static func quoted(_ bytes: [UInt8]) -> String {
    var quoted: [UInt8] = [.quote]
    for byte in bytes {
      switch byte {
      case .quote: quoted += [.backslash, .quote]
      // Not `\\`: a quoted text ends at a quote that no backslash precedes, whatever precedes that.
      case .backslash: quoted += Array("\\x5c".utf8)
      case 0..<0x20, 0x7f...: quoted += Array("\\x".utf8) + hex(byte)
      default: quoted.append(byte)
      }
    }
    return (quoted + [.quote]).string
  }

  private static func hex(_ byte: UInt8) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    return [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
  }
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
