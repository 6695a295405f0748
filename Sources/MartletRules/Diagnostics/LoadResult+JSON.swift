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
    writer.array("falco_load_results") { writer in
      for result in results { result.write(to: &writer) }
    }
    writer.object("martlet") { writer in
      writer.array("diagnostics") { writer in
        for diagnostic in diagnostics { diagnostic.write(to: &writer) }
      }
      more(&writer)
    }
    writer.endObject()
    return writer.text
  }

  private func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.issues("errors", errors)
    writer.member("name", name)
    if let schemaWarnings {
      writer.member("schema_valid", schemaWarnings.isEmpty)
      writer.array("schema_warnings") { writer in
        for warning in schemaWarnings { writer.value("validation failed for \(warning)") }
      }
    }
    writer.member("successful", isSuccessful)
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
      member("code", issue.code.rawValue)
      member("codedesc", issue.code.summary)
      self.key("context")
      beginObject()
      self.key("locations")
      beginArray()
      for location in issue.locations { self.location(location) }
      endArray()
      member("snippet", issue.snippet)
      endObject()
      member("message", issue.message)
      endObject()
    }
    endArray()
  }

  private mutating func location(_ location: LoadResult.Location) {
    beginObject()
    member("item_name", location.itemName)
    member("item_type", location.itemType)
    key("position")
    beginObject()
    for (name, number) in [("column", location.column), ("line", location.line)] as [(StaticString, Int)] {
      member(name, Int64(number))
    }
    member("name", location.name)
    member("offset", Int64(location.offset))
    endObject()
    endObject()
  }
}
