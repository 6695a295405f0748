// SPDX-License-Identifier: Apache-2.0

/// Comparisons: what stands on the left, the operator, and what it takes on the right.
extension ConditionParser {
  /// Whether an operator comes next: then the word before it was meant as a field.
  func comparisonFollows() -> Bool {
    var probe = lexer
    probe.skipBlanks()
    return OperatorSymbol.signs.contains { probe.startsWith($0.rawValue) }
      || OperatorSymbol.words[probe.text(probe.word(at: probe.position))] != nil
  }

  mutating func check(_ left: ConditionSyntax.Operand) -> ConditionSyntax {
    guard !hasGivenUp else { return .missing }
    lexer.skipBlanks()
    guard let (symbol, range) = operatorSymbol(behind: left) else {
      recover()
      return .missing
    }
    let right = right(of: symbol, range)
    if case .missing = right { recover() }
    return .check(
      .init(
        left: left, symbol: symbol, symbolRange: range, right: right,
        range: left.range.lowerBound..<max(range.upperBound, lexer.position)))
  }

  private mutating func operatorSymbol(
    behind left: ConditionSyntax.Operand
  ) -> (OperatorSymbol, Range<Int>)? {
    let start = lexer.position
    if let symbol = nextSymbol() {
      lexer.position += symbol.rawValue.utf8.count
      return (symbol, start..<lexer.position)
    }
    let range = lexer.word(at: start)
    let word = lexer.text(range)
    let name = lexer.text(left.range)
    if let sign = unknownSign(at: start) {
      report(
        .unknownOperator, "unknown operator '\(lexer.text(sign))'", sign, "no such operator",
        help: "operators are = != < <= > >= and words such as 'contains', 'in' and 'glob'")
    } else if range.isEmpty || word == "and" || word == "or" {
      report(
        .unknownOperator, "'\(name)' is not compared with anything", left.range, "expected an operator behind it",
        help: "add one, such as '\(name) exists' or '\(name) = true'")
    } else if let symbol = OperatorSymbol.words[word] {
      report(
        .missingBlank, "expected a blank behind '\(symbol.rawValue)'", range, "runs into what follows",
        help: "put a blank behind '\(symbol.rawValue)'")
    } else {
      let nearest = Spelling.nearest(to: word, among: OperatorSymbol.words.keys)
      report(
        .unknownOperator, "unknown operator '\(word)'", range, "no such operator",
        help: nearest.map { "did you mean '\($0)'?" }, replacement: nearest)
    }
    return nil
  }

  private static let signBytes = Set("~!^&|*+%?@#:;$-=<>".utf8)

  /// Signs where an operator should stand, as in `~=`.
  private func unknownSign(at start: Int) -> Range<Int>? {
    let end = lexer.bytes[start...].firstIndex { !Self.signBytes.contains($0) } ?? lexer.bytes.count
    return end > start ? start..<end : nil
  }

  /// The operator that stands here. One that compares texts has to be followed by a blank; of the others it is enough
  /// that the text begins with them, if the condition can be read so: `a.b existsand c` is as good as `a.b exists and c`.
  private func nextSymbol() -> OperatorSymbol? {
    if let sign = OperatorSymbol.signs.first(where: { lexer.startsWith($0.rawValue) }) { return sign }
    let word = lexer.word(at: lexer.position)
    if let symbol = OperatorSymbol.words[lexer.text(word)] {
      let next = lexer.bytes.byte(at: word.upperBound)
      return symbol.shape == .text && next.map(ConditionLexer.isBlank) == false ? nil : symbol
    }
    if lexer.startsWith("exists"), goesOn(at: lexer.position + "exists".utf8.count) { return .exists }
    guard goesOn(at: word.upperBound) else { return nil }
    return OperatorSymbol.prefixes.first { symbol in
      lexer.startsWith(symbol.rawValue)
        && lexer.bytes.byte(at: lexer.position + symbol.rawValue.utf8.count)?.isLetter == true
    }
  }

  private mutating func right(of symbol: OperatorSymbol, _ range: Range<Int>) -> ConditionSyntax.Right {
    if symbol.shape == .nothing { return .none }
    let hasBlank = lexer.skipBlanks()
    if let operand = rightOperand() { return .operand(operand) }
    switch symbol.shape {
    case .nothing: return .none
    case .number: return numberValue(symbol, range)
    case .text: return textValue(symbol, range, mayBeQuantified: hasBlank)
    case .list: return listValue(symbol, range)
    }
  }

  /// `val(field)` or a transformer.
  private mutating func rightOperand() -> ConditionSyntax.Operand? {
    let word = lexer.word(at: lexer.position)
    guard lexer.bytes.byte(at: word.upperBound) == .openParenthesis else { return nil }
    let text = lexer.text(word)
    if TransformerNames.all.contains(text) { return .transformer(transformer(word)) }
    guard text == "val" else { return nil }
    lexer.position = word.upperBound + 1
    lexer.skipBlanks()
    let name = lexer.name()
    guard lexer.text(name).utf8.contains(.dot) else {
      report(.expectedValue, "expected a field inside 'val()'", word, "takes the name of a field")
      recover()
      _ = lexer.skip(.closeParenthesis)
      return .field(.init(name: "", nameRange: name, argument: nil, range: word.lowerBound..<lexer.position))
    }
    lexer.position = name.upperBound
    var field = field(name)
    closeCall(openedAt: word.upperBound)
    field.range = word.lowerBound..<lexer.position
    return .field(field)
  }

  private mutating func numberValue(_ symbol: OperatorSymbol, _ range: Range<Int>) -> ConditionSyntax.Right {
    if let number = lexer.number() { return .value(number) }
    report(
      .expectedValue, "expected a number behind '\(symbol.rawValue)'", nextWord(or: range), "not a number")
    return .missing
  }

  private mutating func textValue(
    _ symbol: OperatorSymbol, _ range: Range<Int>, mayBeQuantified: Bool
  ) -> ConditionSyntax.Right {
    let start = lexer.position
    guard let value = lexer.string() else {
      let isList = lexer.peek() == .openParenthesis
      report(
        .expectedValue, "expected a value behind '\(symbol.rawValue)'", nextWord(or: range),
        isList ? "a list, where one value should stand" : "no value",
        help: isList && symbol == .equal ? "use 'in' to compare with several values" : nil)
      return .missing
    }
    guard mayBeQuantified, !value.isQuoted, let quantifier = Quantifier(rawValue: value.bytes.string) else {
      return .value(value)
    }
    return quantified(quantifier, value, start: start) ?? .value(value)
  }

  /// `oneof (a, b)` or `oneof name`; nil if the word is a plain value after all.
  private mutating func quantified(
    _ quantifier: Quantifier, _ word: ConditionSyntax.Value, start: Int
  ) -> ConditionSyntax.Right? {
    guard lexer.skipBlanks() else { return nil }
    if lexer.peek() == .openParenthesis {
      let values = list()
      return .quantified(quantifier, .list(values), range: start..<lexer.position)
    }
    let name = lexer.word(at: lexer.position)
    let text = lexer.text(name)
    guard !name.isEmpty, text != "and", text != "or" else {
      lexer.position = word.range.upperBound
      return nil
    }
    lexer.position = name.upperBound
    let value = ConditionSyntax.Value(bytes: Array(text.utf8), isQuoted: false, range: name)
    return .quantified(quantifier, .identifier(value), range: start..<lexer.position)
  }

  private mutating func listValue(_ symbol: OperatorSymbol, _ range: Range<Int>) -> ConditionSyntax.Right {
    let start = lexer.position
    if lexer.peek() == .openParenthesis {
      let values = list()
      return .list(values, range: start..<lexer.position)
    }
    guard let value = lexer.string() else {
      report(
        .expectedList, "'\(symbol.rawValue)' needs a list in parentheses", nextWord(or: range), "not a list")
      return .missing
    }
    let word = lexer.word(at: value.range.lowerBound)
    if word == value.range { return .identifier(value) }
    report(
      .expectedList, "'\(symbol.rawValue)' needs a list in parentheses", value.range, "not a list",
      help: "put parentheses around it", replacement: "(\(lexer.text(value.range)))")
    // Taken for the list that was meant, and read on.
    return .list([value], range: value.range)
  }

  /// `(a, b, "c d")`, with the position at the parenthesis.
  private mutating func list() -> [ConditionSyntax.Value] {
    let start = lexer.position
    lexer.position += 1
    lexer.skipBlanks()
    var values: [ConditionSyntax.Value] = []
    if lexer.skip(.closeParenthesis) { return values }
    while true {
      lexer.skipBlanks()
      guard let value = lexer.string() else {
        if !lexer.isAtEnd {
          report(.expectedValue, "expected a value in a list", nextWord(or: start..<start + 1), "not a value")
        }
        break
      }
      values.append(value)
      lexer.skipBlanks()
      if lexer.skip(.closeParenthesis) { return values }
      guard lexer.skip(.comma) else {
        if !lexer.isAtEnd {
          report(
            .expectedValue, "expected ',' or ')' in a list", nextWord(or: start..<start + 1), "not expected here",
            help: "put commas between values, and quotes around values with blanks")
        }
        break
      }
    }
    if lexer.isAtEnd {
      report(.unclosedParenthesis, "a list is not closed", start..<start + 1, "no ')' for this one")
      return values
    }
    skipPastList()
    return values
  }

  /// Steps behind the `)` of a list that could not be read.
  private mutating func skipPastList() {
    while !lexer.isAtEnd {
      recover()
      if lexer.isAtEnd || lexer.skip(.closeParenthesis) { return }
      // `and` and `or` do not end a list.
      lexer.position += 1
    }
  }

  /// What to point at when something is missing: the word that stands there instead, or what came before.
  func nextWord(or fallback: Range<Int>) -> Range<Int> {
    guard !lexer.isAtEnd else { return fallback }
    let start = lexer.position
    var end = start
    while let byte = lexer.bytes.byte(at: end), ConditionLexer.isBare(byte) { end += 1 }
    return start..<max(end, start + 1)
  }
}
