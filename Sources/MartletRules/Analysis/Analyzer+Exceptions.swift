// SPDX-License-Identifier: Apache-2.0

/// Exceptions and outputs of rules. An exception becomes a condition, and the rule holds where none of them does.
extension Analyzer {
  typealias NamedText = (definition: ExceptionDefinition, text: MappedText)
  typealias CompiledException = (exception: RuleException, expansion: Expansion)

  /// The exceptions that have values, as texts; nil if a value is of the wrong shape.
  mutating func exceptionTexts(of definition: RuleDefinition) -> [NamedText]? {
    var isBroken = false
    var texts: [NamedText] = []
    for item in definition.exceptions.items {
      if let text = item.condition(&isBroken, &log) { texts.append((item, text)) }
    }
    return isBroken ? nil : texts
  }

  /// The conditions of exceptions; nil if anything in them is wrong.
  mutating func exceptions(_ texts: [NamedText]) -> [CompiledException]? {
    var exceptions: [CompiledException] = []
    var isBroken = false
    for (item, text) in texts {
      let scope = Scope(expand(text), text, macro: nil, chain: [])
      let parsed = parse(scope.expanded, in: scope)
      guard let expansion = condition(parsed, in: scope) else {
        isBroken = true
        continue
      }
      let exception = RuleException(
        name: item.name.string, condition: expansion.condition, location: log.span(item.name.file).start)
      exceptions.append((exception, expansion))
    }
    return isBroken ? nil : exceptions
  }

  /// `(condition) and not (first) and not (second)…`
  static func excepting(
    _ exceptions: [CompiledException], from condition: Expansion
  ) -> Expansion {
    guard !exceptions.isEmpty else { return condition }
    return Expansion(
      condition: .all([condition.condition] + exceptions.map { .not($0.expansion.condition) }),
      size: exceptions.reduce(condition.size) { $0 + $1.expansion.size },
      depth: exceptions.reduce(condition.depth + 1) { max($0, $1.expansion.depth + 2) })
  }

  // MARK: Outputs

  private static let containerInfo = Array("%container.info".utf8)

  /// What a rule prints; nil if anything in it is wrong.
  mutating func output(of definition: RuleDefinition) -> OutputTemplate? {
    var text = definition.output
    for amendment in options.outputAmendments where amendment.fits(definition) {
      if let template = amendment.template { text.append(" " + template, near: definition.output.file) }
    }
    log.trail = ownerTrail(isInCondition: false)
    text = withoutContainerInfo(text)
    log.trail = ownerTrail(isInCondition: false) + [LoadLocation(.ruleOutput, "", definition.output.anchor)]
    guard !text.isEmpty else {
      log.report(
        .invalidOutput, "the output is empty", at: definition.output.file, "says nothing without '%container.info'",
        upstream: .compileOutput, words: "empty formatting token")
      return nil
    }
    let template = OutputReader.read(text, &self)
    if template != nil { warnOfDeprecation(inOutput: text) }
    log.trail = ownerTrail(isInCondition: false)
    return template
  }

  /// What configuration adds to the fields of its alerts; nil if anything in it is wrong.
  mutating func extraFields(of definition: RuleDefinition) -> [ExtraOutputField]? {
    let place = definition.output.file
    log.trail = ownerTrail(isInCondition: false) + [LoadLocation(.ruleOutput, "", definition.output.anchor)]
    defer { log.trail = ownerTrail(isInCondition: false) }
    var fields: [String: ExtraOutputField] = [:]
    for amendment in options.outputAmendments where amendment.fits(definition) {
      for extra in amendment.extraFields {
        var text = MappedText(anchor: place)
        text.append(extra.template, near: place)
        guard let template = OutputReader.read(text, &self) else { return nil }
        warnOfDeprecation(inOutput: text)
        let isText = if case .text = extra { true } else { false }
        fields[extra.key] = ExtraOutputField(key: extra.key, template: template, isText: isText)
      }
    }
    return fields.values.sorted { $0.key < $1.key }
  }

  /// `%container.info` once stood for what is now part of every alert, and means nothing.
  mutating func withoutContainerInfo(_ text: MappedText) -> MappedText {
    guard let first = text.bytes.place(of: Self.containerInfo) else { return text }
    log.report(
      .deprecatedOutput, "'%container.info' means nothing any more", at: text.file(first), "left out",
      words: "%container.info is deprecated and no more useful, and will be dropped by Falco 1.0.0. "
        + "The container plugin will automatically add required fields to the output message.")
    var result = MappedText(anchor: text.anchor)
    var copied = 0
    while let range = text.bytes.place(of: Self.containerInfo, from: copied) {
      result.join(text, copied..<range.lowerBound)
      copied = range.upperBound
    }
    result.join(text, copied..<text.bytes.count)
    return result
  }
}
