// SPDX-License-Identifier: Apache-2.0

import MartletEvents

extension Diagnostic {
  /// One line of JSON, the same facts as the text form. Keys in the order of the alphabet.
  public var json: String {
    var writer = JSONWriter()
    write(to: &writer)
    return writer.text
  }

  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("code")
    writer.value(code.rawValue)
    writer.array("help", help) { writer, suggestion in
      if let replacement = suggestion.replacement {
        writer.key("replacement")
        writer.value(replacement.newText)
        writer.member("span", replacement.span)
      }
      writer.key("text")
      writer.value(suggestion.text)
    }
    writer.key("message")
    writer.value(message)
    writer.array("notes", notes) { writer, note in
      if let span = note.span { writer.member("span", span) }
      writer.key("text")
      writer.value(note.text)
    }
    writer.key("primary")
    writer.beginObject()
    writer.label(primary)
    writer.endObject()
    writer.array("related", related) { $0.label($1) }
    writer.key("severity")
    writer.value(severity.rawValue)
    writer.key("upstream_code")
    if let upstreamCode { writer.value(upstreamCode.rawValue) } else { writer.null() }
    writer.endObject()
  }
}

extension JSONWriter {
  fileprivate mutating func array<Element>(
    _ name: StaticString, _ elements: [Element], _ members: (inout JSONWriter, Element) -> Void
  ) {
    key(name)
    beginArray()
    for element in elements {
      beginObject()
      members(&self, element)
      endObject()
    }
    endArray()
  }

  fileprivate mutating func label(_ label: SourceLabel) {
    member("span", label.span)
    key("text")
    value(label.text)
  }

  fileprivate mutating func member(_ name: StaticString, _ span: SourceSpan) {
    key(name)
    beginObject()
    let numbers: [(StaticString, Int)] = [
      ("column", span.start.column), ("end_column", span.end.column), ("end_line", span.end.line),
      ("end_offset", span.end.offset), ("line", span.start.line), ("offset", span.start.offset),
    ]
    for (name, number) in numbers {
      key(name)
      value(Int64(number))
    }
    key("path")
    value(span.path)
    endObject()
  }
}
