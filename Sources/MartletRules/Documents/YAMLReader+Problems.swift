// SPDX-License-Identifier: Apache-2.0

import Yams

/// Says what Yams found wrong in the words of people who write rules, and where.
extension YAMLReader {
  func problem(_ error: YamlError) -> YAMLProblem {
    switch error {
    case .scanner(let context, let text, let mark, _), .parser(let context, let text, let mark, _),
      .composer(let context, let text, let mark, _):
      problem(text, at: marks.offset(of: mark), context)
    case .duplicatedKeysInMapping(_, let context): duplicateKey(at: marks.offset(of: context.mark))
    case .reader(let text, _, _, _): YAMLProblem(code: .notUTF8, message: text, range: 0..<0, label: "")
    default: YAMLProblem(code: .invalidYAML, message: "not valid YAML", range: 0..<0, label: "cannot be read")
    }
  }

  private func problem(_ text: String, at offset: Int, _ context: YamlError.Context?) -> YAMLProblem {
    let known = Self.wordings.first { text.hasPrefix($0.text) }
    let begin = context.map { marks.offset(of: $0.mark) }.flatMap { $0 < index.bytes.count ? $0 : nil }
    var shown = offset
    if offset >= index.bytes.count || known?.isShownAtContext == true {
      // Where the file ends there is nothing to show: what it ends in is shown, or its last character.
      shown = begin ?? index.bytes.lastIndex { $0 > .space } ?? 0
      if let opening = index.bytes.byte(at: shown), [.openBracket, .openBrace].contains(opening) {
        return YAMLProblem(
          code: .invalidYAML, message: "the file ends inside '\(Character(Unicode.Scalar(opening)))…'",
          range: byte(at: shown), label: "never closed")
      }
    }
    let range = byte(at: shown)
    guard let known else {
      return YAMLProblem(
        code: .invalidYAML, message: "not valid YAML: \(text)", range: range, label: context?.text ?? "here")
    }
    var message = known.message
    if let found = index.bytes.byte(at: range.lowerBound), found > .space, found < 0x7f {
      message = message.replacing("'?'", with: "'\(Character(Unicode.Scalar(found)))'")
    }
    let related = known.contextLabel.flatMap { label in
      begin.flatMap { $0 == range.lowerBound ? nil : (range: byte(at: $0), label: label) }
    }
    return YAMLProblem(
      code: known.code, message: message, range: range, label: known.label, related: related, help: known.help)
  }

  /// The later of two keys of one mapping.
  func secondKey(_ error: YamlError) -> Range<Int>? {
    guard case .duplicatedKeysInMapping(_, let context) = error else { return nil }
    return secondKey(behind: marks.offset(of: context.mark)).second
  }

  /// Yams names the first of the two keys only. In a mapping of one line each, the other begins a later line in the
  /// same column.
  private func secondKey(behind first: Int) -> (first: Range<Int>, second: Range<Int>?) {
    let bytes = index.bytes
    let key = bytes[first...].prefix { $0 != .colon && !$0.isLineBreak }
    let line = index.lineIndex(of: first)
    let indent = first - index.lineStarts[line]
    let second = index.lineStarts[(line + 1)...].first { start in
      let place = start + indent
      guard renamedKeys[place] == nil, place + key.count < bytes.count, bytes[place...].starts(with: key) else {
        return false
      }
      return bytes[start..<place].allSatisfy { $0 == .space } && bytes[place + key.count] == .colon
    }
    return (key.indices, second.map { $0 + indent..<$0 + indent + key.count })
  }

  private func duplicateKey(at start: Int) -> YAMLProblem {
    let (first, second) = secondKey(behind: start)
    return YAMLProblem(
      code: .unsupportedYAML, message: "key '\(index.bytes[first].string)' stands twice in one item",
      range: second ?? first, label: second == nil ? "first time" : "second time",
      related: second == nil ? nil : (range: first, label: "first time"))
  }
}

/// What to say instead of one of libyaml's messages.
private struct Wording: Sendable {
  /// How libyaml's message begins.
  let text: String
  var code = DiagnosticCode.invalidYAML
  /// `'?'` becomes the character that is shown.
  let message: String
  let label: String
  /// Where the collection or text began is what has to be shown, not where it could not go on.
  var isShownAtContext = false
  var contextLabel: String?
  var help: String?
}

extension YAMLReader {
  private static let wordings: [Wording] = [
    Wording(
      text: "mapping values are not allowed", message: "a ': ' where no key can stand", label: "ends a key",
      help: "put quotes around the text, or write it as a block, with '>' or '|' behind its key"),
    Wording(
      text: "could not find expected ':'", message: "expected 'key: value'", label: "not followed by ':'",
      isShownAtContext: true),
    Wording(
      text: "did not find expected key", message: "this line does not go on with the mapping around it",
      label: "expected a key, in the column of the others", contextLabel: "the mapping begins here"),
    Wording(
      text: "did not find expected '-'", message: "this line does not go on with the list around it",
      label: "expected '- ', in the column of the others", contextLabel: "the list begins here"),
    Wording(
      text: "did not find expected ',' or ']'", message: "expected ',' or ']'", label: "not expected here",
      contextLabel: "the list begins here"),
    Wording(
      text: "did not find expected ',' or '}'", message: "expected ',' or '}'", label: "not expected here",
      contextLabel: "the mapping begins here"),
    Wording(
      text: "found character that cannot start", message: "a text cannot begin with '?'",
      label: "means something else in YAML", help: "put quotes around the text; indent with blanks"),
    Wording(
      text: "found a tab character", message: "a tab in the indentation", label: "YAML counts blanks only",
      help: "indent with blanks"),
    Wording(
      text: "found unexpected end of stream", message: "the file ends inside a quoted text", label: "never closed",
      isShownAtContext: true),
    Wording(
      text: "found unexpected document indicator", message: "a document ends inside a quoted text",
      label: "never closed", isShownAtContext: true),
    Wording(
      text: "found unknown escape character", message: "an escape that YAML does not know", label: "not an escape",
      help: "write '\\\\' for a backslash, or use single quotes, which have no escapes"),
    Wording(
      text: "did not find expected hexdecimal number", message: "an escape that names no character",
      label: "digits are missing"),
    Wording(
      text: "found invalid Unicode character", message: "an escape that names no character", label: "no such character"),
    Wording(
      text: "found undefined alias", message: "no anchor of this name stands before it", label: "undefined alias"),
    Wording(
      text: "Maximum nesting level", code: .nestedTooDeep, message: "hundreds of levels of YAML inside each other",
      label: "goes too deep"),
    Wording(
      text: "block sequence entries are not allowed", message: "a list cannot begin on the line of its key",
      label: "not expected here", help: "move it to the next line"),
    Wording(
      text: "mapping keys are not allowed", message: "a key behind '? ' cannot stand here", label: "not expected here"),
    Wording(
      text: "did not find expected comment or line break", message: "text on the line of '>' or '|'",
      label: "not expected here", help: "begin the text on the next line"),
    Wording(
      text: "found an indentation indicator equal to 0", message: "an indentation of nothing", label: "1 to 9"),
    Wording(
      text: "did not find expected node content", message: "expected a value", label: "no value begins like this"),
    Wording(
      text: "did not find expected <document start>", message: "this does not belong to what stands before it",
      label: "not expected here"),
  ]
}
