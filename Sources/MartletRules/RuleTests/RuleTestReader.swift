// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Reads files of rule tests. A broken test is reported and left out; the others are still read.
struct RuleTestReader {
  let limits: Limits
  private(set) var tests: [RuleTest] = []
  private let ruleNames: [String]
  private let knownNames: Set<String>

  init(ruleNames: [String], limits: Limits) {
    self.ruleNames = ruleNames
    knownNames = Set(ruleNames)
    self.limits = limits
  }

  mutating func read(_ document: YAMLNode, _ log: inout DiagnosticLog) {
    guard case .sequence(let items) = document.content else {
      log.report(
        .invalidRuleTest, "a file of rule tests is a list", at: document.firstByte, "\(document.kindName), not a list",
        help: [Suggestion("begin each test with '- test:'")])
      return
    }
    for item in items where !item.isNull {
      guard tests.count < limits.definitions else {
        log.report(.tooManyDefinitions, "more than \(limits.definitions) tests", at: item.firstByte, "one too many")
        return
      }
      if let test = readTest(item, &log) { tests.append(test) }
    }
  }

  private func readTest(_ node: YAMLNode, _ log: inout DiagnosticLog) -> RuleTest? {
    guard let members = members(of: node, ["test", "given", "expect", "not"], "a test", &log) else { return nil }
    guard let name = members["test"]?.scalar?.text, !name.isEmpty else {
      report("a test needs a name", at: node.firstByte, "no 'test' with a name", &log)
      return nil
    }
    guard let givenNode = members["given"] else {
      report("test '\(name.string)' has no 'given'", at: name.file, "nothing happens in it", &log)
      return nil
    }
    let given = elements(of: givenNode).map { givenLine($0, &log) }
    let expected = members["expect"].map(elements)?.map { expectedAlert($0, &log) } ?? []
    let forbidden = members["not"].map(elements)?.map { forbiddenRules($0, &log) } ?? []
    let isWhole = !given.contains { $0 == nil } && !expected.contains { $0 == nil } && !forbidden.contains { $0 == nil }
    guard isWhole else { return nil }
    guard !given.isEmpty else {
      report("test '\(name.string)' has no 'given'", at: givenNode.firstByte, "nothing happens in it", &log)
      return nil
    }
    guard !expected.isEmpty || !forbidden.isEmpty else {
      report(
        "test '\(name.string)' cannot fail", at: name.file, "neither 'expect' nor 'not'", &log,
        help: "name the rules that are to raise an alert in 'expect', those that must not in 'not'; '*' is all of them")
      return nil
    }
    return RuleTest(
      name: name.string, location: log.span(name.file).start, given: given.compactMap(\.self),
      expected: expected.compactMap(\.self), forbidden: forbidden.compactMap(\.self))
  }

  // MARK: What happens

  /// A mapping of fields to values, or a text that is an event line.
  private func givenLine(_ node: YAMLNode, _ log: inout DiagnosticLog) -> RuleTest.GivenLine? {
    if let text = node.scalar?.text, !text.isEmpty {
      return RuleTest.GivenLine(json: text.bytes, span: log.span(text.file(0..<text.bytes.count)))
    }
    guard let fields = fields(of: node, "an event", &log) else { return nil }
    var json = JSONWriter()
    json.beginObject()
    for (name, value) in fields {
      json.key(name.bytes)
      write(value, as: name.string, to: &json)
    }
    json.endObject()
    return RuleTest.GivenLine(json: json.bytes, span: log.span(node.file))
  }

  /// The members of a mapping whose keys are fields; nil where one is none.
  private func fields(
    of node: YAMLNode, _ what: String, _ log: inout DiagnosticLog
  ) -> [(name: MappedText, value: YAMLNode)]? {
    guard case .mapping(let entries) = node.content else {
      report("\(what) maps fields to values", at: node.firstByte, "\(node.kindName), not a mapping", &log)
      return nil
    }
    var result: [(name: MappedText, value: YAMLNode)] = []
    var isBroken = false
    for entry in entries {
      guard let name = entry.key.scalar?.text else { continue }
      if Self.type(of: name.string) == nil {
        let known = name.string.prefix { $0 != "[" }
        let nearest = log.nearest(to: String(known), among: FieldRegistry.names)
        log.report(
          .unknownField, "unknown field '\(name.string)'", at: name.file, "no such field",
          help: nearest.map { [Suggestion("did you mean '\($0)'?")] } ?? [])
        isBroken = true
      }
      result.append((name, entry.value))
    }
    return isBroken ? nil : result
  }

  /// Nil for what is no field: the event line's reader says more of a field whose argument is wrong.
  private static func type(of name: String) -> FieldType? {
    let parts = name.split(separator: "[", maxSplits: 1)
    guard let first = parts.first else { return nil }
    let brackets = parts.dropFirst().first.map { Array($0.utf8.dropLast()) }
    guard case .success(let (field, argument)) = FieldRegistry.resolve(String(first), brackets: brackets) else {
      return nil
    }
    return FieldReference(field, argument).type
  }

  /// Plain YAML has no types: `7` is a text where the field is one, and otherwise a number.
  private func write(_ node: YAMLNode, as name: String, to json: inout JSONWriter) {
    switch node.content {
    case .scalar(let scalar):
      let isText = Self.type(of: name)?.isText ?? false
      if node.isNull {
        json.null()
      } else if scalar.isPlain, !isText, let literal = Literal(scalar.text.bytes) {
        switch literal {
        case .boolean(let flag): json.value(flag)
        case .signed(let number): json.value(number)
        case .unsigned(let number): json.value(number)
        }
      } else {
        json.value(scalar.text.bytes)
      }
    case .sequence(let nodes):
      json.beginArray()
      for node in nodes { write(node, as: name, to: &json) }
      json.endArray()
    case .mapping(let entries):
      json.beginObject()
      for entry in entries {
        json.key(entry.key.scalar?.text.bytes ?? [])
        write(entry.value, as: "", to: &json)
      }
      json.endObject()
    }
  }

  private enum Literal {
    case boolean(Bool)
    case signed(Int64)
    case unsigned(UInt64)

    init?(_ bytes: [UInt8]) {
      let text = bytes.string
      if let flag = Bool(text) {
        self = .boolean(flag)
      } else if let number = Int64(text) {
        self = .signed(number)
      } else if let number = UInt64(text) {
        self = .unsigned(number)
      } else {
        return nil
      }
    }
  }

  // MARK: What is to come of it

  /// A rule's name, or a mapping that says more.
  private func expectedAlert(_ node: YAMLNode, _ log: inout DiagnosticLog) -> RuleTest.ExpectedAlert? {
    if let name = node.scalar?.text {
      return rule(name, &log).map { .init(rule: $0, span: log.span(name.file), priority: nil, outputFields: []) }
    }
    guard let members = members(of: node, ["rule", "priority", "output_fields"], "an expected alert", &log) else {
      return nil
    }
    guard let name = members["rule"]?.scalar?.text else {
      report("an expected alert names its rule", at: node.firstByte, "no 'rule'", &log)
      return nil
    }
    var priority: Priority?
    if let text = members["priority"]?.scalar?.text {
      priority = Priority(name: text.string)
      guard priority != nil else {
        let names = Priority.allCases.map { $0.name.lowercased() }
        log.report(
          .invalidPriority, "unknown priority '\(text.string)'", at: text.file, "no such priority",
          help: [Suggestion("one of \(names.joined(separator: ", "))")])
        return nil
      }
    }
    var outputFields: [RuleTest.ExpectedField] = []
    if let node = members["output_fields"] {
      guard let fields = fields(of: node, "'output_fields'", &log) else { return nil }
      outputFields = fields.map { name, value in
        var json = JSONWriter()
        write(value, as: name.string, to: &json)
        return RuleTest.ExpectedField(name: name.string, json: json.bytes, span: log.span(name.file))
      }
    }
    return rule(name, &log).map {
      RuleTest.ExpectedAlert(rule: $0, span: log.span(name.file), priority: priority, outputFields: outputFields)
    }
  }

  private func rule(_ name: MappedText, _ log: inout DiagnosticLog) -> String? {
    guard !knownNames.contains(name.string) else { return name.string }
    reportUnknownRule(name, &log)
    return nil
  }

  private func forbiddenRules(_ node: YAMLNode, _ log: inout DiagnosticLog) -> RuleNamePattern? {
    guard let name = node.scalar?.text, !name.isEmpty else {
      report("'not' takes names of rules", at: node.firstByte, "\(node.kindName), not a text", &log)
      return nil
    }
    let pattern = RuleNamePattern(name.string)
    guard !ruleNames.contains(where: pattern.matches) else { return pattern }
    reportUnknownRule(name, &log)
    return nil
  }

  private func reportUnknownRule(_ name: MappedText, _ log: inout DiagnosticLog) {
    let nearest = log.nearest(to: name.string, among: ruleNames)
    log.report(
      .unknownRule, "there is no rule '\(name.string)'", at: name.file, "no such rule",
      help: nearest == nil
        ? [Suggestion("'martlet rules -r PATH' lists the rules; '-r' names those to test")]
        : Suggestion.didYouMean(nearest, replacing: log.span(name.file)))
  }

  // MARK: Shapes

  /// One thing stands for a list of one.
  private func elements(of node: YAMLNode) -> [YAMLNode] {
    if case .sequence(let nodes) = node.content { return nodes }
    return node.isNull ? [] : [node]
  }

  /// The values of a mapping by key; nil where it is none, or a key is not among `keys`.
  private func members(
    of node: YAMLNode, _ keys: [String], _ what: String, _ log: inout DiagnosticLog
  ) -> [String: YAMLNode]? {
    guard case .mapping(let entries) = node.content else {
      report("\(what) is a mapping", at: node.firstByte, "\(node.kindName), not a mapping", &log)
      return nil
    }
    var members: [String: YAMLNode] = [:]
    var isBroken = false
    for entry in entries {
      let name = entry.key.scalar?.text.string ?? ""
      if !keys.contains(name) {
        let nearest = log.nearest(to: name, among: keys)
        report(
          "unknown key '\(name)' in \(what)", at: entry.key.file, "not one of \(keys.joined(separator: ", "))", &log,
          help: nearest.map { "did you mean '\($0)'?" })
        isBroken = true
      }
      members[name] = entry.value
    }
    return isBroken ? nil : members
  }

  private func report(
    _ message: String, at place: FileRange, _ label: String, _ log: inout DiagnosticLog, help: String? = nil
  ) {
    log.report(.invalidRuleTest, message, at: place, label, help: help.map { [Suggestion($0)] } ?? [])
  }
}
