// SPDX-License-Identifier: Apache-2.0

/// What Falco's JSON schema of rule files says to a document. It never refuses a file: its result stands beside the
/// others. Scalars count as whatever they can be read as, as in Falco.
struct SchemaCheck {
  /// The first thing wrong with it; nil if it fits.
  static func problem(in document: YAMLNode) -> String? {
    guard case .sequence(let items) = document.content else { return "<root>: not a list" }
    for (index, item) in items.enumerated() {
      if let problem = item.problem(as: .item) { return "<root>[\(index)]\(problem)" }
    }
    return nil
  }

  fileprivate indirect enum Shape: Sendable {
    case anything, text, boolean, integer
    case word(Set<String>)
    case list(Shape)
    case mapping([String: Shape], required: Set<String>, isEmptyAllowed: Bool)

    static let item = Shape.mapping(
      [
        "required_engine_version": .text, "required_plugin_versions": .list(.plugin), "macro": .text,
        "condition": .text, "list": .text, "items": .list(.text), "rule": .text, "desc": .text, "enabled": .boolean,
        "output": .text, "append": .boolean, "priority": .word(priorities), "capture": .boolean,
        "capture_duration": .integer, "source": .text, "exceptions": .list(.exception), "override": .override,
        "tags": .list(.text), "warn_evttypes": .boolean, "skip-if-unknown-filter": .boolean,
      ], required: [], isEmptyAllowed: true)

    private static let priorities: Set<String> = [
      "EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "INFORMATIONAL", "DEBUG",
    ]

    private static let exception = Shape.mapping(
      ["name": .text, "fields": .anything, "comps": .anything, "values": .anything], required: ["name"],
      isEmptyAllowed: true)

    private static let override = Shape.mapping(
      Dictionary(
        uniqueKeysWithValues: ItemKind.rule.replaceableKeys.union(["items"]).map { ($0, .word(["append", "replace"])) }),
      required: [], isEmptyAllowed: false)

    private static let plugin = Shape.mapping(
      ["name": .text, "version": .text, "alternatives": .list(alternative)], required: ["name", "version"],
      isEmptyAllowed: true)

    private static let alternative = Shape.mapping(
      ["name": .text, "version": .text], required: ["name", "version"], isEmptyAllowed: true)
  }
}

extension YAMLNode {
  fileprivate func problem(as shape: SchemaCheck.Shape) -> String? {
    switch (shape, content) {
    case (.anything, _): return nil
    case (.text, .scalar): return isNull ? ": nothing, not a text" : nil
    case (.boolean, .scalar(let scalar)):
      return ["true", "false", "yes", "no", "on", "off"].contains(scalar.text.string.lowercased())
        ? nil : ": neither true nor false"
    case (.integer, .scalar(let scalar)): return Int64(scalar.text.string) == nil ? ": not a number" : nil
    case (.word(let words), .scalar(let scalar)):
      return words.contains(scalar.text.string) ? nil : ": not one of the allowed words"
    case (.list(let shape), .sequence(let items)):
      for (index, item) in items.enumerated() {
        if let problem = item.problem(as: shape) { return "[\(index)]\(problem)" }
      }
      return nil
    case (.mapping(let shapes, let required, let isEmptyAllowed), .mapping(let entries)):
      guard isEmptyAllowed || !entries.isEmpty else { return ": empty" }
      var missing = required
      for entry in entries {
        let name = entry.key.scalar?.text.string ?? ""
        guard let shape = shapes[name] else { return ": unknown key '\(name)'" }
        missing.remove(name)
        if let problem = entry.value.problem(as: shape) { return "['\(name)']\(problem)" }
      }
      return missing.min().map { ": no '\($0)'" }
    default: return ": \(kindName) of the wrong shape"
    }
  }
}
