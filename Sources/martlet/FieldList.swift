// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// The fields of a list, in families, and the forms that the list can have.
struct FieldList {
  private let families: [(name: String, fields: [FieldDescription])]

  /// Families in the order in which they first come.
  init(_ fields: [FieldDescription]) {
    var families: [(name: String, fields: [FieldDescription])] = []
    for field in fields {
      let name = String("\(field.name)".prefix { $0 != "." })
      if let place = families.firstIndex(where: { $0.name == name }) {
        families[place].fields.append(field)
      } else {
        families.append((name, [field]))
      }
    }
    self.families = families
  }

  // MARK: - Text

  /// Names and types in columns, meanings beside them, broken to the width.
  func text(width: Int) -> String {
    let fields = families.flatMap(\.fields)
    let nameWidth = min(fields.map { Self.usage($0).count }.max() ?? 0, 34)
    let typeWidth = fields.map { Self.type($0).count }.max() ?? 0
    let margin = nameWidth + typeWidth + 4
    return families.map { family in
      family.fields.map { field in
        var name = Self.padded(Self.usage(field), to: nameWidth)
        // A name that is too long has a line of its own.
        if name.count > nameWidth { name += "\n" + String(repeating: " ", count: nameWidth) }
        let head = name + "  " + Self.padded(Self.type(field), to: typeWidth) + "  "
        let lines = Self.broken(Self.meaning(field), to: max(width - margin, 24))
        return head + lines.joined(separator: "\n" + String(repeating: " ", count: margin)) + "\n"
      }.joined()
    }.joined(separator: "\n")
  }

  private static func type(_ field: FieldDescription) -> String {
    field.multiplicity == .list ? "\(field.type.name) list" : "\(field.type.name)"
  }

  /// As a rule writes it: `proc.aname[n]`, `evt.arg.NAME`.
  private static func usage(_ field: FieldDescription) -> String {
    let argument =
      switch field.argument {
      case .none: ""
      case .optionalIndex, .requiredIndex: "[n]"
      case .optionalIndexOrKey, .requiredIndexOrKey: "[n|KEY]"
      case .requiredKey: "[KEY]"
      case .parameter, .parameterName, .eventName, .word: ".NAME"
      case .pathSide: ".src|.dst"
      }
    return "\(field.name)\(argument)"
  }

  private static func meaning(_ field: FieldDescription) -> String {
    var notes: [String] = []
    if !field.isCaptured { notes.append("not captured") }
    if field.isFilterOnly { notes.append("conditions only") }
    if field.isCaptured && field.kinds.count < 3 {
      notes.append("on \(field.kinds.map { "\($0.name)" }.joined(separator: ", "))")
    }
    return "\(field.documentation)" + (notes.isEmpty ? "" : " (\(notes.joined(separator: "; ")))")
  }

  private static func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(width - text.count, 0))
  }

  private static func broken(_ text: String, to width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = ""
      }
      line += line.isEmpty ? String(word) : " " + word
    }
    return lines + [line]
  }

  // MARK: - Markdown

  var markdown: String {
    families.map { family in
      let rows = family.fields.map { field in
        let meaning = Self.meaning(field).replacing("|", with: "\\|")
        let usage = Self.usage(field).replacing("|", with: "\\|")
        return "| `\(usage)` | \(Self.type(field)) | \(meaning) |\n"
      }
      return "## \(family.name)\n\n| field | type | meaning |\n|---|---|---|\n" + rows.joined()
    }.joined(separator: "\n")
  }

  // MARK: - JSON

  var json: String {
    var json = JSONWriter()
    json.beginArray()
    for field in families.flatMap(\.fields) { Self.write(field, to: &json) }
    json.endArray()
    return json.text + "\n"
  }

  private static func write(_ field: FieldDescription, to json: inout JSONWriter) {
    let rule = field.argument
    json.beginObject()
    json.member("name", "\(field.name)")
    json.member("type", "\(field.type.name)")
    json.member("is_list", field.multiplicity == .list)
    json.member("argument", rule == .none ? "none" : rule.isRequired ? "required" : "optional")
    json.array("argument_kind") { json in
      if rule.takesIndex { json.value("index") }
      if rule.takesKey { json.value("key") }
    }
    json.member("filter_only", field.isFilterOnly)
    json.member("captured", field.isCaptured)
    json.array("events") { json in
      for type in EventType.allCases where field.kinds.contains(type.kind) { json.value("\(type.name)") }
    }
    json.member("documentation", "\(field.documentation)")
    json.endObject()
  }
}
