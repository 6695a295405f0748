// SPDX-License-Identifier: Apache-2.0

/// Fields with their arguments, and transformers with theirs.
extension ConditionParser {
  /// A field whose name has been read; the position is behind the name.
  mutating func field(_ name: Range<Int>) -> ConditionSyntax.FieldName {
    let start = lexer.position
    var argument: ConditionSyntax.Value?
    if lexer.peek() == .openBracket {
      argument = bracketed()
      if argument == nil {
        report(
          .invalidArgument, "'\(lexer.text(name))' has brackets with nothing readable inside",
          start..<max(lexer.position, start + 1), "expected an index or a key, and ']'")
        skipPastBrackets()
      }
    }
    return .init(
      name: lexer.text(name), nameRange: name, argument: argument, range: name.lowerBound..<lexer.position)
  }

  /// Steps behind the `]` of brackets that could not be read, if it is near.
  private mutating func skipPastBrackets() {
    let near = lexer.bytes[lexer.position...].prefix(Self.bracketBytesMax).prefix { byte in
      byte != .openParenthesis && byte != .closeParenthesis && byte != .quote && byte != .apostrophe
    }
    if let end = near.firstIndex(of: .closeBracket) { lexer.position = end + 1 }
  }

  private static let bracketBytesMax = 64

  /// `[arg]` or `["arg"]`, with the position at the bracket; nil, behind what was read, if it is neither.
  mutating func bracketed() -> ConditionSyntax.Value? {
    lexer.position += 1
    let start = lexer.position
    if let byte = lexer.peek(), byte == .quote || byte == .apostrophe {
      let value = lexer.quoted()
      return lexer.skip(.closeBracket) ? value : nil
    }
    while let byte = lexer.peek(), !ConditionLexer.isSpace(byte), byte != .openBracket, byte != .closeBracket,
      byte != .quote, byte != .apostrophe, let length = TextCheck.characterLength(at: lexer.position, lexer.bytes)
    { lexer.position += length }
    let range = start..<lexer.position
    let isClosed = lexer.skip(.closeBracket)
    guard isClosed, !range.isEmpty else { return nil }
    return .init(bytes: Array(lexer.bytes[range]), isQuoted: false, range: range)
  }

  /// A transformer whose name is at the position.
  mutating func transformer(_ name: Range<Int>) -> ConditionSyntax.Transformer {
    let text = lexer.text(name)
    lexer.position = name.upperBound
    let open = lexer.position
    var result = ConditionSyntax.Transformer(
      name: text, nameRange: name, arguments: [], selector: nil, range: name.lowerBound..<open)
    guard enter(at: open) else { return result }
    defer { depth -= 1 }
    lexer.position += 1
    result.arguments = arguments()
    closeCall(openedAt: open)
    if lexer.peek() == .openBracket { result.selector = bracketed() }
    result.range = name.lowerBound..<lexer.position
    return result
  }

  /// What stands between the parentheses of a transformer, or of a list in it, which holds no further list.
  private mutating func arguments(ofList isList: Bool = false) -> [ConditionSyntax.TransformerArgument] {
    var arguments: [ConditionSyntax.TransformerArgument] = []
    repeat {
      lexer.skipBlanks()
      guard let argument = argument(inList: isList) else {
        let start = lexer.position
        let end = lexer.isAtEnd ? start : start + 1
        report(
          .expectedValue, "expected a field, a quoted text\(isList ? "" : ", '('") or a number", start..<end,
          "not an argument")
        recover()
        return arguments
      }
      arguments.append(argument)
      lexer.skipBlanks()
    } while lexer.skip(.comma) && !hasGivenUp
    return arguments
  }

  private mutating func argument(inList isInList: Bool) -> ConditionSyntax.TransformerArgument? {
    switch lexer.peek() {
    case .quote, .apostrophe: return .value(lexer.quoted())
    case .openParenthesis where !isInList:
      guard enter(at: lexer.position) else { return .list([]) }
      defer { depth -= 1 }
      let open = lexer.position
      lexer.position += 1
      lexer.skipBlanks()
      if lexer.skip(.closeParenthesis) { return .list([]) }
      let arguments = arguments(ofList: true)
      closeCall(openedAt: open)
      return .list(arguments)
    default:
      if let number = lexer.number() { return .value(number) }
      let name = lexer.name()
      let isCall = lexer.bytes.byte(at: name.upperBound) == .openParenthesis
      if isCall, TransformerNames.all.contains(lexer.text(name)) { return .operand(.transformer(transformer(name))) }
      guard lexer.text(name).utf8.contains(.dot) else { return nil }
      lexer.position = name.upperBound
      return .operand(.field(field(name)))
    }
  }

  mutating func closeCall(openedAt open: Int) {
    guard !hasGivenUp else { return }
    lexer.skipBlanks()
    if lexer.skip(.closeParenthesis) { return }
    report(.unclosedParenthesis, "a parenthesis is not closed", open..<open + 1, "no ')' for this one")
  }
}
