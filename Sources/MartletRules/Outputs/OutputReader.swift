// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Reads `%field`, `%field[index]` and `%20field` out of an output. Everything else is literal; there is no `%%`.
struct OutputReader {
  private let text: MappedText
  private var lexer: ConditionLexer
  private var pieces: [OutputTemplate.Piece] = []
  private var literal: [UInt8] = []
  private var isBroken = false

  /// The widest field: a template is not a way to fill a disk.
  static let widthMax = 1024
  /// How far a `]` is looked for.
  private static let argumentBytesMax = 64

  /// Nil if anything in it is wrong.
  static func read(_ text: MappedText, _ log: inout DiagnosticLog) -> OutputTemplate? {
    var reader = OutputReader(text: text)
    reader.read(&log)
    return reader.isBroken ? nil : OutputTemplate(pieces: reader.pieces)
  }

  private init(text: MappedText) {
    self.text = text
    lexer = ConditionLexer(text.bytes)
  }

  private mutating func read(_ log: inout DiagnosticLog) {
    while let byte = lexer.peek() {
      if byte == .percent {
        token(&log)
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

  private mutating func token(_ log: inout DiagnosticLog) {
    let start = lexer.position
    lexer.position += 1
    let width = self.width(&log)
    let name = lexer.name()
    guard !name.isEmpty else {
      let range = start..<lexer.position
      return fail(
        .invalidOutput, "a '%' with no field behind it", range, "stands alone", &log,
        help: [Suggestion("leave the '%' out: it cannot be written in an output")])
    }
    if lexer.bytes.byte(at: name.upperBound) == .openParenthesis,
      TransformerNames.all.contains(lexer.text(name))
    {
      lexer.position = name.upperBound
      return fail(.unsupportedCondition, "transformers are not supported yet", name, "cannot be written", &log)
    }
    field(name, width, &log)
  }

  private mutating func width(_ log: inout DiagnosticLog) -> Int? {
    let start = lexer.position
    while lexer.peek()?.isDigit == true { lexer.position += 1 }
    guard lexer.position > start else { return nil }
    let range = start..<lexer.position
    guard let width = Int(lexer.text(range)), width <= Self.widthMax else {
      fail(.invalidOutput, "a width of more than \(Self.widthMax)", range, "too wide", &log)
      return nil
    }
    return width
  }

  /// The longest name that is a field is meant: in `%proc.nameand` as in `%proc.name.`.
  private mutating func field(_ name: Range<Int>, _ width: Int?, _ log: inout DiagnosticLog) {
    let whole = lexer.text(name)
    var known = name
    while !known.isEmpty, !FieldNames.isKnown(lexer.text(known)) {
      known = known.lowerBound..<known.upperBound - 1
      // No field's name is longer than a line; what is longer is not tried byte by byte.
      if name.count > 128 { known = name.lowerBound..<name.lowerBound }
    }
    guard !known.isEmpty else {
      lexer.position = name.upperBound
      let nearest = log.nearest(to: whole, among: FieldRegistry.names)
      let help = Suggestion.didYouMean(nearest, replacing: log.span(text.file(name)))
      return fail(.unknownField, "unknown field '\(whole)'", name, "no such field", &log, help: help)
    }
    lexer.position = known.upperBound
    var argument: Range<Int>?
    let reach = lexer.bytes[lexer.position...].prefix(Self.argumentBytesMax)
    if lexer.peek() == .openBracket, let end = reach.firstIndex(of: .closeBracket) {
      argument = lexer.position + 1..<end
    }
    reference(known, argument, width, &log)
  }

  private mutating func reference(
    _ name: Range<Int>, _ argument: Range<Int>?, _ width: Int?, _ log: inout DiagnosticLog
  ) {
    let text = lexer.text(name)
    let bytes = argument.map { Array(lexer.bytes[$0]) }
    if let argument { lexer.position = argument.upperBound + 1 }
    switch FieldNames.resolve(text, argument: bytes) {
    case .success(let reference): add(reference, name, width, &log)
    case .failure(.unexpectedArgument):
      // The brackets are literal text then: `%proc.name[x]`.
      lexer.position = name.upperBound
      if let reference = try? FieldNames.resolve(text, argument: nil).get() { add(reference, name, width, &log) }
    case .failure(let error):
      let mistake = FieldNames.mistake(error, text)
      fail(mistake.code, mistake.message, argument ?? name, mistake.label, &log)
    }
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
    help: [Suggestion] = []
  ) {
    isBroken = true
    log.report(
      code, message, at: text.file(range), label, help: help,
      upstream: code == .unsupportedCondition ? nil : .compileOutput)
  }
}
