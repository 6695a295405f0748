// SPDX-License-Identifier: Apache-2.0

/// Looking and stepping, and saying what is wrong.
extension YAMLReader {
  var bytes: [UInt8] { index.bytes }
  var column: Int { index.indentation(of: position) }

  func peek(_ ahead: Int = 0) -> UInt8? { bytes.byte(at: position + ahead) }

  func isBlankOrEnd(_ offset: Int) -> Bool {
    guard let byte = bytes.byte(at: offset) else { return true }
    return byte == .space || byte == .tab || byte.isLineBreak
  }

  /// `---` or `...` alone at the start of a line.
  var isDocumentMarker: Bool {
    guard let byte = peek(), byte == .dash || byte == .dot, peek(1) == byte, peek(2) == byte else { return false }
    return isBlankOrEnd(position + 3) && column == 0
  }

  /// Only blanks stand before it.
  var isFirstOnLine: Bool {
    let start = index.lineStarts[index.lineIndex(of: position)]
    return bytes[start..<min(position, bytes.count)].allSatisfy { $0 == .space }
  }

  var tabInIndentation: Int? {
    let start = index.lineStarts[index.lineIndex(of: position)]
    return bytes[start..<min(position, bytes.count)].firstIndex(of: .tab)
  }

  mutating func skipBlanks() {
    while let byte = peek(), byte == .space || byte == .tab { position += 1 }
  }

  mutating func skipLine() {
    while let byte = peek(), !byte.isLineBreak { position += 1 }
  }

  /// Steps over a line break; returns whether there was one.
  @discardableResult
  mutating func skipLineBreak() -> Bool {
    switch peek() {
    case .newline: position += 1
    case .carriageReturn: position += peek(1) == .newline ? 2 : 1
    default: return false
    }
    return true
  }

  /// Steps over blanks, comments and line breaks to the next token; returns whether it lies on another line.
  @discardableResult
  mutating func skipTrivia() -> Bool {
    var crossedLine = false
    while true {
      skipBlanks()
      if peek() == .hash, position == 0 || isBlankOrEnd(position - 1) { skipLine() }
      guard skipLineBreak() else { return crossedLine }
      crossedLine = true
    }
  }

  mutating func node(_ content: YAMLNode.Content, _ range: Range<Int>) -> YAMLNode {
    nodeCount += 1
    return YAMLNode(content: content, file: FileRange(source: source, range: range))
  }

  mutating func null(at offset: Int) -> YAMLNode {
    let file = FileRange(source: source, range: offset..<offset)
    return node(.scalar(YAMLScalar(text: MappedText(anchor: file), isPlain: true)), offset..<offset)
  }

  // MARK: Problems

  func problem(_ message: String, at offset: Int, _ label: String, help: String? = nil) -> YAMLProblem {
    problem(.invalidYAML, message, at: offset, label, help: help)
  }

  func problem(_ message: String, range: Range<Int>, _ label: String) -> YAMLProblem {
    problem(.invalidYAML, message, range: range, label)
  }

  func problem(
    _ code: DiagnosticCode, _ message: String, at offset: Int, _ label: String, help: String? = nil
  ) -> YAMLProblem {
    problem(code, message, range: offset..<min(offset + 1, bytes.count), label, help: help)
  }

  func problem(
    _ code: DiagnosticCode, _ message: String, range: Range<Int>, _ label: String, help: String? = nil
  ) -> YAMLProblem {
    YAMLProblem(code: code, message: message, range: range, label: label, help: help)
  }

  func complexKey() -> YAMLProblem {
    problem(.unsupportedYAML, "keys behind '?' are not supported", at: position, "write 'key: value'")
  }

  func trailing() -> YAMLProblem {
    problem("something follows where the line should end", at: position, "not expected here")
  }

  /// What follows a block collection on the next line stands further left than it, or ends the document.
  func checkIndent(_ indent: Int) throws(YAMLProblem) {
    guard position < bytes.count, !isDocumentMarker, column > indent else { return }
    throw problem(
      "this line is indented further than the one it belongs to", at: position, "expected in column \(indent + 1)")
  }
}
