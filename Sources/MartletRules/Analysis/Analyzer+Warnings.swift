// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// What is allowed and doubtful in conditions. A macro's warnings are told once where it stands, and, for Falco's
/// sake, again for every rule that uses it.
extension Analyzer {
  enum ConditionWarning: Hashable {
    /// In Falco's words, and where in the condition.
    case value(String, offset: Int)
    /// A field that says nothing any more.
    case deprecated(String)
    /// A field of another source is compared with the text `<NA>`.
    case unsafeNotAvailableCheck
  }

  /// Of one rule: nobody reads more.
  private static let warningsMax = 100

  mutating func keep(_ list: [ConditionWarning]) {
    warnings += list.prefix(Self.warningsMax - min(warnings.count, Self.warningsMax))
  }

  /// Values that look like something else: as in Falco every constant is looked at, in quotes or not, blanks left out.
  /// The words are Falco's, which programs look for.
  mutating func warnOfValue(_ value: ConditionSyntax.Value, _ symbol: OperatorSymbol, _ scope: Scope) {
    // No field's name, and no call worth a warning, is longer.
    guard value.bytes.count <= limits.constantBytes else { return }
    let text = value.bytes.string
    let bare = value.bytes.filter { !ConditionLexer.isBlank($0) && $0 != 0x0b && $0 != .formFeed }
    if symbol == .regex, PlainPattern.isPlain(value.bytes) {
      warn(
        .simplePattern,
        "regex check with '\(text)' may be optimized with simpler operators such as '=', 'contains', "
          + "'startswith', 'endswith'", value, "a pattern that needs no regex", scope)
    }
    if isField(bare) {
      warn(
        .fieldAsText, "'\(text)' may be a valid field misused as a const string value", value, "the text itself", scope,
        help: "write 'val(\(bare.string))' for the value of the field")
    } else if Self.isCall(bare) {
      warn(
        .transformerAsText, "'\(text)' may be a valid field transformer misused as a const string value", value,
        "the text itself", scope, help: "write it without quotes, behind an operator")
    }
  }

  private mutating func warn(
    _ code: DiagnosticCode, _ words: String, _ value: ConditionSyntax.Value, _ label: String, _ scope: Scope,
    help: String? = nil
  ) {
    report(
      code, words, value.range, label, in: scope, help: help.map { [Suggestion($0)] } ?? [], saysUpstream: false)
    keep([.value(words, offset: value.range.lowerBound)])
  }

  /// `toupper(…)`, `val(…)`.
  private static func isCall(_ text: [UInt8]) -> Bool {
    guard text.last == .closeParenthesis, let open = text.firstIndex(of: .openParenthesis) else { return false }
    let name = text[..<open].string
    return name == "val" || TransformerNames.all.contains(name)
  }

  private func isField(_ text: [UInt8]) -> Bool {
    let name = ConditionLexer(text).name()
    guard !name.isEmpty else { return false }
    var argument: [UInt8]?
    if name.upperBound < text.count {
      guard text[name.upperBound] == .openBracket, text.last == .closeBracket else { return false }
      argument = Array(text[(name.upperBound + 1)...].dropLast())
    }
    guard case .success = FieldNames.resolve(text[name].string, argument: argument) else { return false }
    return true
  }

  /// Fields of times in which Falco saw the beginning of a system call as well as its end.
  private static let deprecatedFields: [String: String] = {
    var words = ["evt.latency", "evt.latency.s", "evt.latency.ns", "evt.latency.human", "evt.wait_latency"].reduce(
      into: [:]) { $0[$1] = "field is not available due to the drop of enter events." }
    words["evt.dir"] =
      "due to the drop of enter events, 'evt.dir = <' always evaluates to true, and 'evt.dir = >' always evaluates to "
      + "false. The rule expression can be simplified by removing the condition on 'evt.dir'"
    return words
  }()

  mutating func warnOfDeprecation(_ name: ConditionSyntax.FieldName, _ scope: Scope) {
    guard Self.deprecatedFields[name.name] != nil else { return }
    report(
      .deprecatedField, "'\(name.name)' says nothing any more", name.nameRange,
      "only the end of a system call is seen", in: scope, saysUpstream: false)
    keep([.deprecated(name.name)])
  }

  /// Fields of Kubernetes audit events spell "missing" as the text `<NA>`; comparing with it is unsafe.
  mutating func warnOfNotAvailable(_ check: ConditionSyntax.Check, _ scope: Scope) {
    guard case .field(let name) = check.left, name.name.hasPrefix("ka.") || name.name.hasPrefix("jevt.") else { return }
    guard [.equal, .doubleEqual, .notEqual, .isIn, .intersects, .pmatch].contains(check.symbol) else { return }
    let values: [ConditionSyntax.Value]
    switch check.right {
    case .value(let value): values = [value]
    case .list(let list, _): values = list
    default: return
    }
    guard let value = values.first(where: { $0.bytes.string == "<NA>" }) else { return }
    report(
      .unsafeNotAvailableCheck, "'\(name.name)' is compared with '<NA>'", value.range, "a text like any other",
      in: scope, help: [Suggestion("write '\(name.name) exists' or its opposite")], saysUpstream: false)
    keep([.unsafeNotAvailableCheck])
  }

  /// What Falco would say to a rule's condition; `isGood`: the condition was compiled.
  mutating func reportWarnings(of rule: RuleDefinition, isGood: Bool) {
    let list = Set(warnings)
    let trail = log.trail
    defer { log.trail = trail }
    log.trail = ownerTrail(isInCondition: true)
    log.step.part = .warnings
    if list.contains(.unsafeNotAvailableCheck) {
      log.reportUpstream(.unsafeNotAvailableCheck, "", at: rule.name.file)
    }
    for name in Self.deprecatedFields.keys.sorted() where list.contains(.deprecated(name)) {
      log.reportUpstream(.deprecatedItem, Self.deprecatedFields[name] ?? "", at: rule.name.file)
    }
    log.step.part = .types
    guard isGood else { return }
    for case .value(let words, let offset) in warnings {
      log.reportUpstream(
        .conditionWarning, words, at: rule.name.file, detail: LoadLocation(rule.condition.bytes, offset: offset))
    }
  }

  /// An output may name such fields, too.
  mutating func warnOfDeprecation(inOutput text: MappedText) {
    for name in Self.deprecatedFields.keys.sorted() {
      guard let place = text.bytes.place(of: Array(name.utf8)) else { continue }
      log.report(
        .deprecatedField, "'\(name)' says nothing any more", at: text.file(place),
        "only the end of a system call is seen",
        words: "usage of deprecated field '\(name)' has been detected in the rule output")
    }
  }
}

/// Patterns that a cheaper operator could stand for.
enum PlainPattern {
  private static let special = Set(".+*?^$()[]{}|\\".utf8)
  private static let repetitions = Set("+*?".utf8)

  /// Nothing special in it but anchors and `.*` at its ends. (As in Falco `.*` counts as its end only where it is
  /// the last thing, `$` not behind it.)
  static func isPlain(_ pattern: [UInt8]) -> Bool {
    let count = pattern.count
    var index = 0
    while index < count {
      let byte = pattern[index]
      if (index == 0 && byte == UInt8(ascii: "^")) || (index == count - 1 && byte == UInt8(ascii: "$")) {
        index += 1
      } else if (index == 0 && count > 1) || index == count - 2, byte == .dot, repetitions.contains(pattern[index + 1])
      {
        index += 2
      } else if special.contains(byte) {
        return false
      } else {
        index += 1
      }
    }
    return true
  }
}
