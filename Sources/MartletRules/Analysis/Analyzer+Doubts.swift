// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Constants that were perhaps meant otherwise. The words are Falco's, which programs look for.
extension Analyzer {
  mutating func warn(of item: ListValue, _ symbol: OperatorSymbol, at range: Range<Int>, _ scope: Scope) {
    // No field's name, and no call worth a warning, is longer.
    guard item.bytes.count <= limits.constantBytes else { return }
    let text = item.bytes.string
    let compact = item.bytes.filter { !ConditionLexer.isSpace($0) }
    if symbol == .regex, Self.isSimplePattern(item.bytes) {
      report(
        .simplePattern,
        "regex check with '\(text)' may be optimized with simpler operators such as '=', 'contains', 'startswith', 'endswith'",
        range, "a pattern that needs no regex", in: scope)
    }
    if Self.isField(compact) {
      report(
        .fieldAsText, "'\(text)' may be a valid field misused as a const string value", range, "the text itself",
        in: scope, help: [Suggestion("write 'val(\(compact.string))' for the value of the field")])
    } else if Self.isCall(compact) {
      report(
        .fieldAsText, "'\(text)' may be a valid field transformer misused as a const string value", range,
        "the text itself", in: scope, help: [Suggestion("write it without quotes, behind an operator")])
    }
  }

  /// `proc.name`, `proc.aname[2]`.
  private static func isField(_ text: [UInt8]) -> Bool {
    var lexer = ConditionLexer(text)
    let name = lexer.name()
    guard lexer.text(name).utf8.contains(.dot) else { return false }
    lexer.position = name.upperBound
    guard lexer.skip(.openBracket) else { return lexer.isAtEnd && isField(lexer.text(name), nil) }
    guard text.last == .closeBracket, text.count - 1 > lexer.position else { return false }
    return isField(lexer.text(name), Array(text[lexer.position..<text.count - 1]))
  }

  private static func isField(_ name: String, _ argument: [UInt8]?) -> Bool {
    (try? FieldNames.resolve(name, argument: argument).get()) != nil
  }

  /// `toupper(…)`, `val(…)`.
  private static func isCall(_ text: [UInt8]) -> Bool {
    let word = text.prefix(while: \.isWord)
    guard text.last == .closeParenthesis, text.byte(at: word.count) == .openParenthesis else { return false }
    return word.string == "val" || TransformerNames.all.contains(word.string)
  }

  /// Whether nothing in a pattern is special but anchors, and `.*` and its kin at the ends.
  private static func isSimplePattern(_ pattern: [UInt8]) -> Bool {
    var place = 0
    while place < pattern.count {
      defer { place += 1 }
      let byte = pattern[place]
      if place == 0, byte == UInt8(ascii: "^") { continue }
      if place == pattern.count - 1, byte == UInt8(ascii: "$") { continue }
      let isAtEdge = place == 0 && pattern.count > 1 || place == pattern.count - 2
      if isAtEdge, byte == .dot, let next = pattern.byte(at: place + 1), [.star, .plus, .question].contains(next) {
        place += 1
      } else if specials.contains(byte) {
        return false
      }
    }
    return true
  }

  private static let specials = Set(".+*?^$()[]{}|\\".utf8)
}
