// SPDX-License-Identifier: Apache-2.0

/// What an item with `append: true` or `override` does to which keys of the definition it changes.
struct Amendment {
  enum Operation: String { case append, replace }

  private(set) var operations: [String: Operation] = [:]

  /// Nil for an item that defines something anew.
  static func read(_ keys: inout ItemKeys, _ log: inout DiagnosticLog) -> Amendment? {
    let isAppend = keys.boolean("append", &log) ?? false
    if isAppend { warnOfAppend(keys, &log) }
    var amendment = Amendment()
    if let override = keys.entry("override") { amendment.readOverride(override, &keys, &log) }
    guard isAppend else { return amendment.operations.isEmpty ? nil : amendment }
    if !amendment.operations.isEmpty, let place = keys.entry("override")?.firstByte {
      keys.reject(
        "'append' and 'override' exclude each other", at: place, "beside 'append: true'", &log,
        words: "Keys 'override' and 'append: true' cannot be used together. "
          + "Add an 'append' entry (e.g. 'condition: append') under 'override' instead.")
    }
    amendment.appendAll(keys, &log)
    return amendment
  }

  // MARK: append: true

  private static func warnOfAppend(_ keys: ItemKeys, _ log: inout DiagnosticLog) {
    guard let place = keys.places.first(where: { $0.name == "append" })?.place else { return }
    let names = keys.places.map(\.name).filter(keys.kind.appendableKeys.contains)
    let operations = names.map { "\($0): append" }.joined(separator: ", ")
    log.report(
      .deprecatedAppend, "'append' is deprecated", at: place, "appends to a definition before this",
      help: [Suggestion("write 'override: {\(operations)}' instead")],
      words: "'append' key is deprecated. Add an 'append' entry (e.g. 'condition: append') under 'override' instead.")
  }

  /// Everything that can be appended to is; the rest is ignored.
  private mutating func appendAll(_ keys: ItemKeys, _ log: inout DiagnosticLog) {
    operations = [:]
    for (name, place) in keys.places where name != keys.kind.rawValue && name != "append" && name != "override" {
      if keys.kind.appendableKeys.contains(name) {
        operations[name] = .append
      } else if keys.kind.keys.contains(name) {
        log.report(.ignoredKey, "'\(name)' does nothing beside 'append: true'", at: place, "ignored")
      }
    }
  }

  // MARK: override

  private mutating func readOverride(_ override: YAMLNode, _ keys: inout ItemKeys, _ log: inout DiagnosticLog) {
    guard case .mapping(let entries) = override.content, !entries.isEmpty else {
      if case .sequence(let items) = override.content, !items.isEmpty {
        return keys.reject(
          "'override' takes a mapping of keys to 'append' or 'replace'", at: override.firstByte,
          "has \(override.kindName)", &log, upstream: .validate)
      }
      let place = keys.places.first { $0.name == "override" }?.place ?? override.firstByte
      return log.report(.ignoredKey, "'override' names no key", at: place, "overrides nothing")
    }
    log.trail.append(LoadLocation(.overrides, "", keys.place))
    for entry in entries { add(entry, &keys, &log) }
    log.trail.removeLast()
  }

  private mutating func add(_ entry: YAMLEntry, _ keys: inout ItemKeys, _ log: inout DiagnosticLog) {
    let name = entry.key.scalar?.text.string ?? ""
    guard let word = entry.value.isNull ? "null" : entry.value.scalar?.text.string else {
      return keys.reject(
        "an override is 'append' or 'replace'", at: entry.value.firstByte, "is \(entry.value.kindName)", &log,
        upstream: .validate)
    }
    let isAppendable = keys.kind.appendableKeys.contains(name)
    let isReplaceable = keys.kind.replaceableKeys.contains(name)
    let here = LoadLocation(.overrides, name, entry.key.file)
    switch Operation(rawValue: word) {
    case .append where isAppendable: operations[name] = .append
    case .replace where isReplaceable: operations[name] = .replace
    case .append where isReplaceable:
      keys.reject(
        "'\(name)' cannot be appended to", at: entry.value.file, "has one value", &log, help: "use 'replace'",
        words: "Key '\(name)' cannot be appended to, use 'replace' instead", detail: here)
    case let operation?:
      keys.reject(
        "'\(name)' of a \(keys.kind.rawValue) cannot be overridden", at: entry.key.file, "", &log,
        words: operation == .append
          ? "Key '\(name)' cannot be appended to, use 'replace' instead" : "Key '\(name)' cannot be replaced",
        detail: here)
    case nil:
      let place = entry.value.file.range.isEmpty ? entry.key.file : entry.value.firstByte
      let allowed = (isAppendable ? "append " : "") + (isReplaceable ? "replace " : "")
      keys.reject(
        "an override is 'append' or 'replace'", at: place, "neither", &log,
        words: "Invalid override operation for key '\(name)': '\(word)'. Allowed values are: \(allowed)",
        detail: LoadLocation(.value, name, entry.value.file))
    }
  }

  // MARK: What a rule's override names

  /// Whether a key is named with this operation; reports one that the item does not have.
  func names(_ key: String, _ operation: Operation, in keys: inout ItemKeys, _ log: inout DiagnosticLog) -> Bool {
    guard operations[key] == operation else { return false }
    guard keys.entry(key) == nil else { return true }
    keys.reject(
      "'\(key)' is overridden, but the item has none", at: keys.place, "no '\(key)'", &log,
      words: "An \(operation.rawValue) override for '\(key)' was specified but '\(key)' is not defined")
    return false
  }

  /// Every other key of the item has to be named, too: nobody should believe that it counts.
  func checkComplete(_ keys: inout ItemKeys, _ log: inout DiagnosticLog) {
    // In Falco's order, which is that of the alphabet.
    for (name, place) in keys.places.sorted(by: { $0.name < $1.name })
    where name != keys.kind.rawValue && name != "override" && name != "append" {
      guard operations[name] == nil, keys.kind.keys.contains(name) else { continue }
      guard keys.kind.replaceableKeys.contains(name) else {
        log.report(.ignoredKey, "'\(name)' does nothing beside 'override'", at: place, "ignored")
        continue
      }
      keys.reject(
        "'\(name)' is not named under 'override'", at: place, "append or replace?", &log,
        words: "Unexpected key '\(name)': no corresponding entry under 'override' is defined.",
        detail: keys.entry(name).map { LoadLocation(.overrides, name, $0.file) })
    }
  }
}
