// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Reads `%field`, `%field[argument]`, `%toupper(field)` and `%20field` out of an output. Everything else is literal;
/// there is no `%%`.
struct OutputReader {
  private let text: MappedText
  private var lexer: ConditionLexer
  private var pieces: [OutputTemplate.Piece] = []
  private var literal: [UInt8] = []
  private var isBroken = false

  /// The widest field: a template is not a way to fill a disk.
  static let widthMax = 1024
  /// Falco tries shorter and shorter texts, and then complains of the last one: of a single character.
  static let unknownWords = "unknown filter: unexpected token after '"
  /// No field's name is longer than a line; what is longer is not tried byte by byte.
  private static let nameBytesMax = 128

  /// Nil if anything in it is wrong.
  static func read(_ text: MappedText, _ analyzer: inout Analyzer) -> OutputTemplate? {
    var reader = OutputReader(text: text)
    reader.read(&analyzer)
    return reader.isBroken ? nil : OutputTemplate(pieces: reader.pieces)
  }

  private init(text: MappedText) {
    self.text = text
    lexer = ConditionLexer(text.bytes)
  }

  private mutating func read(_ analyzer: inout Analyzer) {
    while let byte = lexer.peek() {
      if byte == .percent {
        token(&analyzer)
      } else {
        literal.append(byte)
        lexer.position += 1
      }
    }
    endLiteral()
  }

  private mutating func endLiteral() {
    if !literal.isEmpty { pieces.append(.literal(literal)) }
    literal = []
  }

  private mutating func token(_ analyzer: inout Analyzer) {
    let start = lexer.position
    lexer.position += 1
    let width = self.width(&analyzer.log)
    let name = lexer.name()
    guard !name.isEmpty else {
      let range = start..<lexer.position
      let last = lexer.bytes[range].last == .percent ? "%" : "number"
      return fail(
        .invalidOutput, "a '%' with no field behind it", range, "stands alone", &analyzer.log,
        help: [Suggestion("leave the '%' out: it cannot be written in an output")],
        words: range.upperBound == lexer.bytes.count
          ? "invalid formatting syntax: formatting cannot end with a \(last)" : Self.unknownWords)
    }
    if lexer.bytes.byte(at: name.upperBound) == .openParenthesis, TransformerNames.all.contains(lexer.text(name)) {
      transformer(name, width, &analyzer)
    } else {
      field(name, width, &analyzer.log)
    }
  }

  /// A width of nothing is none.
  private mutating func width(_ log: inout DiagnosticLog) -> Int? {
    let start = lexer.position
    while lexer.peek()?.isDigit == true { lexer.position += 1 }
    guard lexer.position > start else { return nil }
    let range = start..<lexer.position
    guard let width = Int(lexer.text(range)), width <= Self.widthMax else {
      fail(.invalidOutput, "a width of more than \(Self.widthMax)", range, "too wide", &log)
      return nil
    }
    return width == 0 ? nil : width
  }

  // MARK: Transformers

  private mutating func transformer(_ name: Range<Int>, _ width: Int?, _ analyzer: inout Analyzer) {
    let depthMax = analyzer.limits.conditionDepth
    guard let (tree, end) = ConditionParser.transformer(in: lexer, at: name.lowerBound, depthMax: depthMax) else {
      // Nobody knows where it was meant to end.
      lexer.position = lexer.bytes.count
      return fail(
        .invalidOutput, "'\(lexer.text(name))' is not followed by arguments and a ')'", name, "cannot be read",
        &analyzer.log)
    }
    lexer.position = end
    analyzer.isInOutput = true
    defer { analyzer.isInOutput = false }
    guard let operand = analyzer.outputOperand(tree, Scope(ListExpander.Expanded(text), text, macro: nil, chain: []))
    else {
      isBroken = true
      return
    }
    endLiteral()
    var printer = ConditionPrinter()
    printer.append(.transformer(tree))
    pieces.append(.transformed(operand, text: printer.bytes.string, width: width))
  }

  // MARK: Fields

  /// The longest that is a field is meant: in `%proc.nameand`, `%proc.name.` and `%proc.name[x]` it is `proc.name`.
  private mutating func field(_ name: Range<Int>, _ width: Int?, _ log: inout DiagnosticLog) {
    let whole = lexer.text(name)
    let brackets =
      lexer.bytes.byte(at: name.upperBound) == .openBracket
      ? ConditionParser.brackets(in: lexer, at: name.upperBound) : nil
    let result = FieldNames.resolve(whole, argument: brackets?.argument.bytes)
    if case .success(let reference) = result {
      lexer.position = brackets?.end ?? name.upperBound
      return add(reference, name, width, &log)
    }
    var known = name
    repeat {
      if let reference = try? FieldNames.resolve(lexer.text(known), argument: nil).get() {
        lexer.position = known.upperBound
        return add(reference, known, width, &log)
      }
      known = known.lowerBound..<known.upperBound - 1
    } while !known.isEmpty && name.count <= Self.nameBytesMax
    lexer.position = brackets?.end ?? name.upperBound
    guard case .failure(let error) = result else { return }
    let mistake = FieldNames.mistake(error, whole)
    let nearest = error == .unknownField ? log.nearest(to: whole, among: FieldRegistry.names) : nil
    fail(
      mistake.code, mistake.message, brackets.map { $0.argument.range } ?? name, mistake.label, &log,
      help: Suggestion.didYouMean(nearest, replacing: log.span(text.file(name))))
  }

  private mutating func add(
    _ reference: FieldReference, _ name: Range<Int>, _ width: Int?, _ log: inout DiagnosticLog
  ) {
    // Ancestors without index are written out one after another.
    guard !reference.field.description.isFilterOnly else {
      return fail(
        .filterOnlyField, "'\(reference.text)' can stand in conditions only", name, "has no single value", &log)
    }
    endLiteral()
    pieces.append(.field(reference, width: width))
  }

  private mutating func fail(
    _ code: DiagnosticCode, _ message: String, _ range: Range<Int>, _ label: String, _ log: inout DiagnosticLog,
    help: [Suggestion] = [], words: String = OutputReader.unknownWords
  ) {
    isBroken = true
    log.report(code, message, at: text.file(range), label, help: help, upstream: .compileOutput, words: words)
  }
}
