// SPDX-License-Identifier: Apache-2.0

public import MartletEvents
import MartletMatching
public import MartletRules
public import MartletState

/// Makes the JSON line of an alert, in Falco's shape.
///
/// `output_fields` is flat and typed: numbers and booleans stay so, what is missing is null, times are nanoseconds.
/// What Falco does not have stands beside it at the top level, where its consumers do not look.
public struct AlertComposer: Sendable {
  /// What does not change from one alert of a rule to the next.
  private struct Form: Sendable {
    var rule: Rule
    /// What its alerts are to tell, beside what the kernel knows.
    var names: AwaitedNames
    /// Sorted by key.
    var fields: [(key: JSONWriter, content: Content)]
    /// The members that say the same on every event.
    var constants: JSONWriter
  }

  private enum Content: Sendable {
    /// Of the event, in whichever form: programs get nanoseconds.
    case time
    case field(FieldReference)
    case ancestors(FieldReference)
    case operand(Operand)
    case text(OutputTemplate)

    init(_ reference: FieldReference) {
      switch reference.multiplicity {
      case _ where AlertComposer.times.contains(reference.field): self = .time
      case .list: self = .operand(.field(reference))
      case .ancestors: self = .ancestors(reference)
      default: self = .field(reference)
      }
    }

    init?(_ extra: ExtraOutputField) {
      if extra.isText {
        self = .text(extra.template)
      } else if let transformed = extra.template.transformed.first {
        self = .operand(transformed.operand)
      } else if let field = extra.template.fields.first {
        self.init(field)
      } else {
        return nil
      }
    }
  }

  /// In every alert, so that it can be triaged without another look at the node.
  private static let alwaysShown: [FieldReference] =
    [
      .init(.eventTime), .init(.eventType), .init(.processName), .init(.processExePath), .init(.processCommandLine),
      .init(.processID), .init(.processParentName), .init(.processParentCommandLine),
      .init(.processAncestorName, .index(2)), .init(.processAncestorName, .index(3)),
      .init(.processAncestorName, .index(4)), .init(.processTerminal), .init(.processDirectory), .init(.userID),
      .init(.userLoginID), .init(.fdName), .init(.fdRealPath),
    ] + containerFields

  /// Whose event it is.
  static let containerFields: [FieldReference] = [
    .init(.containerID), .init(.containerName), .init(.containerImageRepository), .init(.containerImageTag),
    .init(.podUID), .init(.podName), .init(.podNamespace),
  ]

  private static let times: Set<Field> = [
    .eventTime, .eventTimeSeconds, .eventTimeISO, .eventDateTime, .eventDateTimeSeconds,
  ]

  private let forms: [Form]

  /// Nil where alerts are not to be explained.
  private let explanation: AlertExplanation?

  /// `explains`: alerts say why they were raised, in `explain`. That costs about as much again as evaluating the rule
  /// several times.
  public init(_ ruleset: Ruleset, explains: Bool = false) {
    explanation = explains ? AlertExplanation() : nil
    forms = ruleset.rules.map { rule in
      let references = Set(rule.output.fields + Self.alwaysShown)
      let fields = references.map { (key: Array($0.text.utf8), content: Content($0)) }
      let others = rule.output.transformed.map { (key: Array($0.text.utf8), content: Content.operand($0.operand)) }
      let extras = rule.extraFields.compactMap { extra in
        Content(extra).map { (key: Array(extra.key.utf8), content: $0) }
      }
      // What configuration adds counts, whatever else has its name.
      let keyed = Dictionary((fields + others + extras).map { ($0.key, $0.content) }) { $1 }
      let sorted = keyed.sorted { $0.key.lexicographicallyPrecedes($1.key) }
      return Form(
        rule: rule, names: rule.awaitedNames, fields: sorted.map { (key: Self.name($0.key), content: $0.value) },
        constants: Self.constants(of: rule))
    }
  }

  private static func name(_ key: [UInt8]) -> JSONWriter {
    var json = JSONWriter()
    json.key(key)
    return json
  }

  private static func constants(of rule: Rule) -> JSONWriter {
    var json = JSONWriter()
    json.member("priority", rule.priority.name)
    json.member("rule", rule.name)
    json.member("source", rule.source)
    json.member("tags", rule.tags)
    return json
  }

  /// Appends one line. The context may be in any view; `view` is the one under which the rule held.
  public func compose(
    _ rule: RuleID, under view: PathView, _ context: inout EventContext, into buffer: inout AlertBuffer
  ) {
    // The texts of an alert show the name that made the rule hold.
    context.pathView = view
    buffer.appendLine { writeMembers(forms[rule.rawValue], under: view, &context, &$0) }
    context.pathView = .spelled
  }

  private func writeMembers(
    _ form: Form, under view: PathView, _ context: inout EventContext, _ json: inout JSONWriter
  ) {
    json.member("alert_id", Self.alertID(of: form.rule.name, context))
    json.member("enrichment", context.enrichment(with: form.names).rawValue)
    if let explanation {
      json.key("explain")
      explanation.write(form.rule, &context, &json)
    }
    json.member("hostname", context.hostname)
    json.member("output", AlertText.output(of: form.rule.output, form.rule.priority, &context))
    json.key("output_fields")
    writeFields(form, &context, &json)
    if context.type?.kind == .open {
      json.member("path_view", ByteView(view.name))
    }
    json.append(form.constants)
    json.key("time")
    Self.writeTime(context.realtimeNanoseconds, &json)
  }

  /// Which event, and which rule: the same again when a recording is replayed.
  static func alertID(of rule: String, _ context: EventContext) -> [UInt8] {
    var identity = context.identity
    for byte in rule.utf8 { identity.combine(UInt64(byte)) }
    return identity.hexadecimal
  }

  static func writeTime(_ nanoseconds: Int64, _ json: inout JSONWriter) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: TimeText.dateTimeByteCount) { text in
      guard let start = text.baseAddress else { return }
      TimeText.writeDateTime(nanoseconds: nanoseconds, at: start)
      json.value(ByteView(start: start, count: TimeText.dateTimeByteCount))
    }
  }

  // MARK: - The fields

  private func writeFields(_ form: Form, _ context: inout EventContext, _ json: inout JSONWriter) {
    json.beginObject()
    for (key, content) in form.fields {
      json.append(key)
      switch content {
      case .time: json.value(context.realtimeNanoseconds)
      case .field(let reference): Self.write(context.value(of: reference.field, reference.argument), &json)
      case .ancestors(let reference): json.value(AlertText.value(of: reference, &context))
      case .operand(let operand): write(OperandEvaluator.value(of: operand, &context), &json)
      case .text(let template): json.value(AlertText.text(of: template, &context))
      }
    }
    json.endObject()
  }

  private func write(_ value: OperandValue, _ json: inout JSONWriter) {
    switch value {
    case .missing, .pending: json.null()
    case .one(let constant): Self.write(constant, &json)
    case .many(let constants):
      json.beginArray()
      for constant in constants { Self.write(constant, &json) }
      json.endArray()
    }
  }

  static func write(_ constant: Constant, _ json: inout JSONWriter) {
    switch constant {
    case .text(let text): json.value(text)
    case .signed(let number): json.value(number)
    case .unsigned(let number): json.value(number)
    case .boolean(let flag): json.value(flag)
    case .double(let number): json.value(number)
    case .address(let address): json.value(Array(address.description.utf8))
    case .network(let network): json.value("\(network)")
    }
  }

  static func write(_ value: FieldValue, _ json: inout JSONWriter) {
    switch value {
    case .missing, .pending: json.null()
    case .text(let text): json.value(text)
    case .signed(let number): json.value(number)
    case .unsigned(let number): json.value(number)
    case .boolean(let flag): json.value(flag)
    case .double(let number): json.value(number)
    case .address(let address): json.value(Array(address.description.utf8))
    }
  }
}
