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
    writer.member("code", code.rawValue)
    writer.array("help", help) { writer, suggestion in
      if let replacement = suggestion.replacement {
        writer.member("replacement", replacement.newText)
        writer.member("span", replacement.span)
      }
      writer.member("text", suggestion.text)
    }
    writer.member("message", message)
    writer.array("notes", notes) { writer, note in
      if let span = note.span { writer.member("span", span) }
      writer.member("text", note.text)
    }
    writer.object("primary") { writer in
      writer.label(primary)
    }
    writer.array("related", related) { $0.label($1) }
    writer.member("severity", severity.rawValue)
    writer.member("upstream_code", upstreamCode?.rawValue)
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
    member("text", label.text)
  }

  fileprivate mutating func member(_ name: StaticString, _ span: SourceSpan) {
    key(name)
    beginObject()
    let numbers: [(StaticString, Int)] = [
      ("column", span.start.column), ("end_column", span.end.column), ("end_line", span.end.line),
      ("end_offset", span.end.offset), ("line", span.start.line), ("offset", span.start.offset),
    ]
    for (name, number) in numbers {
      member(name, Int64(number))
    }
    member("path", span.path)
    endObject()
  }
}
