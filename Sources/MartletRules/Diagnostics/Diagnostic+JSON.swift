// SPDX-License-Identifier: Apache-2.0

extension Diagnostic {
  /// One line of JSON, the same facts as the text form. Keys in the order of the alphabet.
  public var json: String {
    var writer = JSONWriter()
    writer.object {
      $0.member("code", code.rawValue)
      $0.array("help", help) { writer, suggestion in
        if let replacement = suggestion.replacement {
          writer.member("replacement", replacement.newText)
          writer.member("span", replacement.span)
        }
        writer.member("text", suggestion.text)
      }
      $0.member("message", message)
      $0.array("notes", notes) { writer, note in
        if let span = note.span { writer.member("span", span) }
        writer.member("text", note.text)
      }
      $0.member("primary", primary)
      $0.array("related", related) { writer, label in
        writer.member("span", label.span)
        writer.member("text", label.text)
      }
      $0.member("severity", severity.rawValue)
    }
    return writer.text
  }
}

/// Writes JSON by hand: a diagnostic is small, and the core does without Foundation.
private struct JSONWriter {
  private(set) var text = ""
  private var needsComma = false

  mutating func object(_ members: (inout JSONWriter) -> Void) {
    if needsComma { text += "," }
    text += "{"
    needsComma = false
    members(&self)
    text += "}"
    needsComma = true
  }

  mutating func array<Element>(
    _ key: String, _ elements: [Element], _ members: (inout JSONWriter, Element) -> Void
  ) {
    self.key(key)
    text += "["
    needsComma = false
    for element in elements { object { members(&$0, element) } }
    text += "]"
    needsComma = true
  }

  mutating func member(_ key: String, _ value: String) {
    self.key(key)
    string(value)
  }

  mutating func member(_ key: String, _ value: Int) {
    self.key(key)
    text += String(value)
  }

  mutating func member(_ key: String, _ label: SourceLabel) {
    self.key(key)
    needsComma = false
    object {
      $0.member("span", label.span)
      $0.member("text", label.text)
    }
  }

  mutating func member(_ key: String, _ span: SourceSpan) {
    self.key(key)
    needsComma = false
    object {
      $0.member("column", span.start.column)
      $0.member("end_column", span.end.column)
      $0.member("end_line", span.end.line)
      $0.member("end_offset", span.end.offset)
      $0.member("line", span.start.line)
      $0.member("offset", span.start.offset)
      $0.member("path", span.path)
    }
  }

  private mutating func key(_ key: String) {
    if needsComma { text += "," }
    string(key)
    text += ":"
    needsComma = true
  }

  private mutating func string(_ value: String) {
    text += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f:
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
