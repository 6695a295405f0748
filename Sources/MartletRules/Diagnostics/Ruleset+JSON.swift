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
      writer.key(key)
      writer.value(text)
    }
    writer.key("enabled")
    writer.value(isEnabled)
    writer.key("file")
    writer.value(location.path)
    writer.key("line")
    writer.value(Int64(location.line))
    for (key, text) in [("output", output.text), ("priority", priority.name), ("rule", name), ("source", source)]
      as [(StaticString, String)]
    {
      writer.key(key)
      writer.value(text)
    }
    writer.key("tags")
    writer.beginArray()
    for tag in tags { writer.value(tag) }
    writer.endArray()
    writer.endObject()
  }
}
