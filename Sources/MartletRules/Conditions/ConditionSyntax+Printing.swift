// SPDX-License-Identifier: Apache-2.0

/// Canonical text, as Falco prints conditions: `and` and `or` in parentheses of their own, one blank around operators,
/// values in quotes where a blank, a quote, a backslash or `=` asks for it. Operators and numbers stay as written.
extension ConditionSyntax {
  /// Of a tree without mistakes it is read again as the same tree, but for what Falco prints and cannot read: texts that
  /// have one of `(),` in them are left without quotes, and neither a zero byte nor a backslash at the end is good in them.
  var canonical: String {
    var printer = ConditionPrinter()
    printer.append(self)
    return printer.bytes.string
  }
}

struct ConditionPrinter {
  private(set) var bytes: [UInt8] = []

  mutating func append(_ tree: ConditionSyntax) {
    switch tree {
    case .all(let operands): append(operands, " and ")
    case .any(let operands): append(operands, " or ")
    case .not(let operand):
      append("not ")
      append(operand)
    case .macro(let name): append(name.text)
    case .check(let check): append(check)
    case .missing: break
    }
  }

  private mutating func append(_ operands: [ConditionSyntax], _ separator: String) {
    append("(")
    for (index, operand) in operands.enumerated() {
      if index > 0 { append(separator) }
      append(operand)
    }
    append(")")
  }

  mutating func append(_ check: ConditionSyntax.Check) {
    append(check.left)
    append(" \(check.symbol.rawValue)")
    switch check.right {
    case .none, .missing: return
    case .value(let value), .identifier(let value): append(only: value)
    case .list(let values, _): append(list: values)
    case .quantified(let quantifier, let several, _):
      append(" \(quantifier.rawValue)")
      switch several {
      case .list(let values): append(list: values)
      case .identifier(let value): append(only: value)
      }
    case .operand(.field(let field)):
      append(" val(")
      append(.field(field))
      append(")")
    case .operand(let operand):
      append(" ")
      append(operand)
    }
  }

  /// A value that stands alone.
  private mutating func append(only value: ConditionSyntax.Value) {
    append(" ")
    bytes += Self.quotedIfNeeded(value.bytes)
  }

  private mutating func append(list: [ConditionSyntax.Value]) {
    append(" (")
    for (index, item) in list.enumerated() {
      if index > 0 { append(", ") }
      bytes += Self.quotedIfNeeded(item.bytes)
    }
    append(")")
  }

  mutating func append(_ operand: ConditionSyntax.Operand) {
    switch operand {
    case .field(let field):
      append(field.name)
      appendBrackets(field.argument)
    case .transformer(let transformer):
      append(transformer.name)
      append(transformer.arguments)
      appendBrackets(transformer.selector)
    }
  }

  private mutating func appendBrackets(_ argument: ConditionSyntax.Value?) {
    guard let argument else { return }
    append("[")
    bytes += Self.quotedIfNeeded(argument.bytes)
    append("]")
  }

  private mutating func append(_ arguments: [ConditionSyntax.TransformerArgument]) {
    append("(")
    for (index, argument) in arguments.enumerated() {
      if index > 0 { append(", ") }
      switch argument {
      case .operand(let operand): append(operand)
      case .value(let value): bytes += value.isQuoted ? Self.quoted(value.bytes) : value.bytes
      case .list(let elements): append(elements)
      }
    }
    append(")")
  }

  private mutating func append(_ text: String) { bytes += text.utf8 }

  // MARK: Values

  /// Bare but where a blank, a quote, a backslash, `=` or nothing at all asks for quotes.
  static func quotedIfNeeded(_ text: [UInt8]) -> [UInt8] {
    let needsQuotes =
      text.isEmpty || text.contains { $0 == .equals || $0 == 0 || $0 == .apostrophe || escape($0) != nil }
    return needsQuotes || text.contains(.space) ? quoted(text) : text
  }

  static func quoted(_ text: [UInt8]) -> [UInt8] {
    var quoted: [UInt8] = [.quote]
    for byte in text {
      if let letter = escape(byte) { quoted += [.backslash, letter] } else { quoted.append(byte) }
    }
    return quoted + [.quote]
  }

  /// What stands behind the backslash for a byte that is not written as it is.
  private static func escape(_ byte: UInt8) -> UInt8? {
    switch byte {
    case .backspace: UInt8(ascii: "b")
    case .formFeed: UInt8(ascii: "f")
    case .newline: UInt8(ascii: "n")
    case .carriageReturn: UInt8(ascii: "r")
    case .tab: UInt8(ascii: "t")
    case .backslash, .quote: byte
    default: nil
    }
  }
}
