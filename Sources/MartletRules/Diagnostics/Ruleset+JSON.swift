// SPDX-License-Identifier: Apache-2.0

import MartletEvents

extension Ruleset {
  /// All rules in load order, as one line of JSON: an array of objects whose keys are in the order of the alphabet.
  public var json: String {
    var writer = JSONWriter()
    writer.beginArray()
    for rule in rules { rule.write(to: &writer) }
    writer.endArray()
    return writer.text
  }
}

extension Rule {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.beginObject()
    let texts: [(StaticString, String)] = [("condition", condition.description), ("description", description)]
    for (key, text) in texts {
      writer.member(key, text)
    }
    writer.member("enabled", isEnabled)
    writer.member("file", location.path)
    writer.member("line", Int64(location.line))
    write(liveCoverage, to: &writer)
    for (key, text) in [("output", output.text), ("priority", priority.name), ("rule", name), ("source", source)]
      as [(StaticString, String)]
    {
      writer.member(key, text)
    }
    write(tags, under: "tags", to: &writer)
    writer.endObject()
  }

  private func write(_ coverage: LiveCoverage, to writer: inout JSONWriter) {
    writer.object("live") { writer in
      writer.member("extent", coverage.extent.rawValue)
      write(coverage.missingInCondition, under: "missing_in_condition", to: &writer)
      write(coverage.missingInOutput, under: "missing_in_output", to: &writer)
    }
  }

  private func write(_ texts: [String], under key: StaticString, to writer: inout JSONWriter) {
    writer.member(key, texts)
  }
}
