// SPDX-License-Identifier: Apache-2.0

/// What an item with `append: true` or `override` does to which keys of the definition it changes.
struct Amendment {
  enum Operation: String { case append, replace }

  private(set) var operations: [String: Operation] = [:]

  /// Nil for an item that defines something anew.
  static func read(_ keys: inout ItemKeys, _ log: inout DiagnosticLog) -> Amendment? {
    let isAppend = keys.boolean("append", &log) ?? false
    guard let override = keys.entry("override") else { return isAppend ? append(&keys, &log) : nil }
    var amendment = Amendment()
    guard !isAppend else {
      keys.reject("'append' and 'override' exclude each other", at: override.firstByte, "beside 'append: true'", &log)
      return amendment
    }
    guard case .mapping(let entries) = override.content, !entries.isEmpty else {
      keys.reject(
        "'override' takes a mapping of keys to 'append' or 'replace'", at: override.firstByte,
        "has \(override.kindName)", &log)
      return amendment
    }
    for entry in entries { amendment.add(entry, &keys, &log) }
    amendment.checkComplete(&keys, &log)
    return amendment
  }

  /// `append: true`: everything that can be appended to is; the rest is ignored.
  private static func append(_ keys: inout ItemKeys, _ log: inout DiagnosticLog) -> Amendment {
    var amendment = Amendment()
    for (name, place) in keys.places where name != keys.kind.rawValue && name != "append" {
      if keys.kind.appendableKeys.contains(name) {
        amendment.operations[name] = .append
      } else if keys.kind.keys.contains(name) {
        log.report(.ignoredKey, "'\(name)' does nothing beside 'append: true'", at: place, "ignored")
      }
    }
    guard let place = keys.places.first(where: { $0.name == "append" })?.place else { return amendment }
    let operations = amendment.operations.keys.sorted().map { "\($0): append" }.joined(separator: ", ")
    log.report(
      .deprecatedAppend, "'append' is deprecated", at: place, "appends to a definition before this",
      help: [Suggestion("write 'override: {\(operations)}' instead")])
    if amendment.operations["condition"] == nil, amendment.operations["exceptions"] == nil, keys.kind == .rule {
      keys.reject("an appended rule needs a condition", at: place, "nothing to append", &log)
    }
    return amendment
  }

  private mutating func add(_ entry: YAMLEntry, _ keys: inout ItemKeys, _ log: inout DiagnosticLog) {
    let name = entry.key.scalar?.text.string ?? ""
    let word = entry.value.scalar?.text.string ?? ""
    guard let operation = Operation(rawValue: word) else {
      let place = entry.value.file.range.isEmpty ? entry.key.file : entry.value.firstByte
      return keys.reject("an override is 'append' or 'replace'", at: place, "neither", &log)
    }
    guard keys.kind.replaceableKeys.contains(name) else {
      return keys.reject("'\(name)' of a \(keys.kind.rawValue) cannot be overridden", at: entry.key.file, "", &log)
    }
    guard operation == .replace || keys.kind.appendableKeys.contains(name) else {
      return keys.reject(
        "'\(name)' cannot be appended to", at: entry.value.file, "has one value", &log, help: "use 'replace'")
    }
    guard keys.entry(name) != nil else {
      return keys.reject("'\(name)' is overridden, but the item has none", at: entry.key.file, "no value for it", &log)
    }
    operations[name] = operation
  }

  /// Every other key of the item has to be named, too: nobody should believe that it counts.
  private func checkComplete(_ keys: inout ItemKeys, _ log: inout DiagnosticLog) {
    guard !keys.isBroken else { return }
    for (name, place) in keys.places where name != keys.kind.rawValue && name != "override" {
      guard operations[name] == nil, keys.kind.keys.contains(name) else { continue }
      keys.reject("'\(name)' is not named under 'override'", at: place, "append or replace?", &log)
    }
  }
}
