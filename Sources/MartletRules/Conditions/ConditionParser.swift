// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Reads a condition. There is always a tree; whatever is wrong is reported, and reading goes on at the next `and`,
/// `or` or `)`, so that a condition with two mistakes gets two diagnostics.
///
/// It descends recursively, and refuses to go deeper than `depthMax` before it does.
struct ConditionParser {
  var lexer: ConditionLexer
  let depthMax: Int
  var depth = 0
  /// The depth was exceeded: the rest is not read, and not complained about.
  var hasGivenUp = false

  static func parse(_ bytes: [UInt8], depthMax: Int) -> (tree: ConditionSyntax, problems: [SyntaxProblem]) {
    var parser = ConditionParser(lexer: ConditionLexer(bytes), depthMax: depthMax)
    let tree = parser.condition()
    return (tree, parser.lexer.problems)
  }

  /// The transformer whose name begins at `start`, and where it ends; nil if it cannot be read.
  static func transformer(
    in lexer: ConditionLexer, at start: Int, depthMax: Int
  ) -> (tree: ConditionSyntax.Transformer, end: Int)? {
    var parser = ConditionParser(lexer: lexer, depthMax: depthMax)
    let tree = parser.transformer(lexer.word(at: start))
    return parser.lexer.problems.isEmpty ? (tree, parser.lexer.position) : nil
  }

  /// What stands in the brackets that open at `start`, and where they end; nil if it cannot be read.
  static func brackets(in lexer: ConditionLexer, at start: Int) -> (argument: ConditionSyntax.Value, end: Int)? {
    var parser = ConditionParser(lexer: lexer, depthMax: 0)
    parser.lexer.position = start
    guard let argument = parser.bracketed(), parser.lexer.problems.isEmpty else { return nil }
    return (argument, parser.lexer.position)
  }

  private init(lexer: ConditionLexer, depthMax: Int) {
    self.lexer = lexer
    self.depthMax = depthMax
  }

  private mutating func condition() -> ConditionSyntax {
    lexer.skipBlanks()
    guard !lexer.isAtEnd else {
      report(.emptyCondition, "the condition is empty", 0..<lexer.bytes.count, "nothing to test")
      return .missing
    }
    let tree = disjunction()
    while !lexer.isAtEnd, !hasGivenUp {
      unexpected()
      // Go on behind it, as if an operator had stood there, for the sake of the mistakes that follow.
      if lexer.skip(.closeParenthesis) { skipOperator() } else { recover() }
      if lexer.peek() == .closeParenthesis { continue }
      skipOperator()
      if !lexer.isAtEnd { _ = disjunction() }
    }
    return tree
  }

  private mutating func disjunction() -> ConditionSyntax {
    var operands = [conjunction()]
    while !hasGivenUp, operatorWord("or") { operands.append(conjunction()) }
    return operands.count == 1 ? operands[0] : .any(operands)
  }

  private mutating func conjunction() -> ConditionSyntax {
    var operands = [negation()]
    while !hasGivenUp, operatorWord("and") { operands.append(negation()) }
    return operands.count == 1 ? operands[0] : .all(operands)
  }

  /// Steps over `and` or `or` if that comes next, and sees to the blank behind it.
  private mutating func operatorWord(_ word: String) -> Bool {
    lexer.skipBlanks()
    guard lexer.startsWith(word) else { return false }
    let start = lexer.position
    lexer.position += word.utf8.count
    if let next = lexer.peek(), !ConditionLexer.isBlank(next), next != .openParenthesis {
      if next.isWord || next == .dot {
        report(
          .missingBlank, "expected a blank or '(' behind '\(word)'", start..<lexer.position, "runs into what follows",
          help: "put a blank behind '\(word)'")
      } else {
        report(.expectedOperand, "expected a test behind '\(word)'", start..<lexer.position, "nothing follows it")
        recover()
      }
    }
    return true
  }

  private mutating func skipOperator() {
    lexer.skipBlanks()
    for word in ["and", "or"] where lexer.startsWith(word) {
      lexer.position += word.utf8.count
      return
    }
  }

  /// Pairs of `not` cancel out.
  private mutating func negation() -> ConditionSyntax {
    var isNegated = false
    lexer.skipBlanks()
    while lexer.startsWith("not"), let next = lexer.peek(3), ConditionLexer.isSpace(next) || next == .openParenthesis {
      isNegated.toggle()
      lexer.position += 3
      while let byte = lexer.peek(), ConditionLexer.isSpace(byte) { lexer.position += 1 }
      if next == .openParenthesis { break }
    }
    let operand = operand()
    return isNegated ? .not(operand) : operand
  }

  private mutating func operand() -> ConditionSyntax {
    lexer.skipBlanks()
    if lexer.peek() == .openParenthesis { return group() }
    let name = lexer.name()
    let text = lexer.text(name)
    guard !name.isEmpty else { return missingOperand(text) }
    if TransformerNames.all.contains(text), lexer.bytes.byte(at: name.upperBound) == .openParenthesis {
      return check(.transformer(transformer(name)))
    }
    // A macro may be called like a keyword, where it cannot be one.
    if ["and", "or", "not"].contains(text), !goesOn(at: name.upperBound) { return missingOperand(text) }
    lexer.position = name.upperBound
    if text.utf8.contains(.dot) { return check(.field(field(name))) }
    if lexer.peek() == .openBracket || comparisonFollows() { return comparedMacro(name) }
    return .macro(.init(text: text, range: name))
  }

  /// Whether the condition may go on at `position`: with `and`, `or` or `)`, or that it ends.
  func goesOn(at position: Int) -> Bool {
    var probe = lexer
    probe.position = position
    probe.skipBlanks()
    return probe.isAtEnd || probe.peek() == .closeParenthesis || probe.startsWith("and") || probe.startsWith("or")
  }

  /// `shell = x`: the name is no field's. What it is compared with is read, and forgotten.
  private mutating func comparedMacro(_ name: Range<Int>) -> ConditionSyntax {
    let text = lexer.text(name)
    let nearest = Spelling.nearest(to: text, among: FieldRegistry.names)
    report(
      .unexpectedText, "'\(text)' is compared, but it is no field", name, "the names of fields have a dot",
      help: nearest.map { "did you mean '\($0)'?" }, replacement: nearest)
    let problems = lexer.problems
    _ = check(.field(field(name)))
    lexer.forgetProblems(since: problems.count)
    return .missing
  }

  private mutating func missingOperand(_ text: String) -> ConditionSyntax {
    let start = lexer.position
    let end = lexer.isAtEnd ? start : max(lexer.name().upperBound, start + 1)
    let found = lexer.isAtEnd ? "the condition ends" : lexer.peek() == .closeParenthesis ? "')' closes it" : ""
    report(
      .expectedOperand, "expected a test, a macro or '('", start..<min(end, lexer.bytes.count),
      found.isEmpty ? "not a test" : "\(found) too early")
    if text != "and", text != "or" { recover() }
    return .missing
  }

  private mutating func group() -> ConditionSyntax {
    let start = lexer.position
    guard enter(at: start) else { return .missing }
    defer { depth -= 1 }
    lexer.position += 1
    let tree = disjunction()
    guard !hasGivenUp else { return tree }
    lexer.skipBlanks()
    while !lexer.isAtEnd, lexer.peek() != .closeParenthesis, !hasGivenUp {
      unexpected()
      recover()
      if operatorWord("and") || operatorWord("or") { _ = disjunction() }
      lexer.skipBlanks()
    }
    if !lexer.skip(.closeParenthesis), !hasGivenUp {
      report(.unclosedParenthesis, "a parenthesis is not closed", start..<start + 1, "no ')' for this one")
    }
    return tree
  }
}

// MARK: - Mistakes

extension ConditionParser {
  /// Goes one level down, or gives up: asked before every recursion, so that no condition can exhaust the stack.
  mutating func enter(at start: Int) -> Bool {
    guard depth < depthMax else {
      hasGivenUp = true
      lexer.position = lexer.bytes.count
      report(
        .nestedTooDeep, "more than \(depthMax) parentheses inside each other", start..<start + 1, "one too many")
      return false
    }
    depth += 1
    return true
  }

  mutating func report(
    _ code: DiagnosticCode, _ message: String, _ range: Range<Int>, _ label: String, help: String? = nil,
    replacement: String? = nil
  ) {
    lexer.report(
      SyntaxProblem(
        code: code, message: message, range: range, label: label, help: help, replacement: replacement))
  }

  private mutating func unexpected() {
    let start = lexer.position
    var end = start
    while let byte = lexer.bytes.byte(at: end), ConditionLexer.isBare(byte) { end += 1 }
    if end == start { end = min(start + 1, lexer.bytes.count) }
    if lexer.peek() == .closeParenthesis {
      report(.unexpectedText, "a ')' that closes nothing", start..<end, "no '(' for this one")
    } else {
      report(.unexpectedText, "expected 'and', 'or' or the end", start..<end, "not expected here")
    }
  }

  /// Steps over what cannot be read, up to the next `and`, `or` or `)` of this group, or the end.
  mutating func recover() {
    var open = 0
    while let byte = lexer.peek() {
      switch byte {
      case .quote, .apostrophe: _ = lexer.quoted()
      case .openParenthesis:
        open += 1
        lexer.position += 1
      case .closeParenthesis:
        if open == 0 { return }
        open -= 1
        lexer.position += 1
      case _ where byte.isLetter:
        let word = lexer.text(lexer.word(at: lexer.position))
        if open == 0, word == "and" || word == "or" { return }
        while let byte = lexer.peek(), ConditionLexer.isBare(byte) { lexer.position += 1 }
      case _ where ConditionLexer.isBare(byte):
        while let byte = lexer.peek(), ConditionLexer.isBare(byte) { lexer.position += 1 }
      default: lexer.position += 1
      }
    }
  }
}
