// SPDX-License-Identifier: Apache-2.0

public import MartletEvents

extension LoadResult {
  /// What `martlet check --format json` prints: Falco's results, and beside them all that Martlet has to say.
  /// `more` writes members behind the diagnostics.
  public static func json(
    _ results: [LoadResult], _ diagnostics: [Diagnostic], more: (inout JSONWriter) -> Void = { _ in }
  ) -> String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("falco_load_results")
    writer.beginArray()
    for result in results { result.write(to: &writer) }
    writer.endArray()
    writer.key("martlet")
    writer.beginObject()
    writer.key("diagnostics")
    writer.beginArray()
    for diagnostic in diagnostics { diagnostic.write(to: &writer) }
    writer.endArray()
    more(&writer)
    writer.endObject()
    writer.endObject()
    return writer.text
  }

  private func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.issues("errors", errors)
    writer.key("name")
    writer.value(name)
    if let schemaWarnings {
      writer.key("schema_valid")
      writer.value(schemaWarnings.isEmpty)
      writer.key("schema_warnings")
      writer.beginArray()
      for warning in schemaWarnings { writer.value("validation failed for \(warning)") }
      writer.endArray()
    }
    writer.key("successful")
    writer.value(isSuccessful)
    writer.issues("warnings", warnings)
    writer.endObject()
  }
}

extension JSONWriter {
  fileprivate mutating func issues(_ key: StaticString, _ issues: [LoadResult.Issue]) {
    self.key(key)
    beginArray()
    for issue in issues {
      beginObject()
      self.key("code")
      value(issue.code.rawValue)
      self.key("codedesc")
      value(issue.code.summary)
      self.key("context")
      beginObject()
      self.key("locations")
      beginArray()
      for location in issue.locations { self.location(location) }
      endArray()
      self.key("snippet")
      value(issue.snippet)
      endObject()
      self.key("message")
      value(issue.message)
      endObject()
    }
    endArray()
  }

  private mutating func location(_ location: LoadResult.Location) {
    beginObject()
    key("item_name")
    value(location.itemName)
    key("item_type")
    value(location.itemType)
    key("position")
    beginObject()
    for (name, number) in [("column", location.column), ("line", location.line)] as [(StaticString, Int)] {
      key(name)
      value(Int64(number))
    }
    key("name")
    value(location.name)
    key("offset")
    value(Int64(location.offset))
    endObject()
    endObject()
  }
}
