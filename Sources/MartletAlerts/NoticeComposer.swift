// SPDX-License-Identifier: Apache-2.0

public import MartletEvents
import MartletRules
public import MartletState

/// Makes the alerts that no rule asks for: what the agent found out about itself.
///
/// In the shape of every other alert, with the source `internal`, so that one pipeline takes both and tells them apart.
public enum NoticeComposer {
  /// Shown where a notice is about a process.
  private static let processFields = [
    FieldReference(.processName), FieldReference(.processID), FieldReference(.processExePath),
    FieldReference(.processCommandLine), FieldReference(.processParentName), FieldReference(.userID),
  ]

  /// Appends one line. `context` is that of the notice's record.
  public static func compose(_ notice: Notice, _ context: inout EventContext, into buffer: inout AlertBuffer) {
    buffer.appendLine { writeMembers(notice, &context, &$0) }
  }

  private static func writeMembers(_ notice: Notice, _ context: inout EventContext, _ json: inout JSONWriter) {
    let subject = notice.subject
    let fields = AlertComposer.containerFields + (notice.hasProcess ? processFields : [])
    json.member("alert_id", AlertComposer.alertID(of: subject.rule, context))
    json.member("enrichment", context.enrichment(with: .container).rawValue)
    json.member("hostname", context.hostname)
    json.member("output", AlertText.output(of: template(notice, fields), subject.priority, &context))
    json.key("output_fields")
    writeFields(notice, fields, &context, &json)
    json.member("priority", subject.priority.name)
    json.member("rule", subject.rule)
    json.member("source", "internal")
    json.member("tags", ["martlet"])
    json.key("time")
    AlertComposer.writeTime(context.realtimeNanoseconds, &json)
  }

  private static func template(_ notice: Notice, _ fields: [FieldReference]) -> OutputTemplate {
    var pieces = [OutputTemplate.Piece.literal(Array("\(notice.subject.sentence) |".utf8))]
    if notice.count > 0 { pieces.append(.literal(Array(" count=\(notice.count)".utf8))) }
    if let hook = notice.hook { pieces.append(.literal(Array(" hook=\(hook)".utf8))) }
    if !notice.detail.isEmpty {
      let detail = UnsafeBufferPointer(start: notice.detail.start, count: notice.detail.count)
      pieces.append(.literal(Array(" detail=".utf8) + detail))
    }
    for field in fields {
      pieces += [.literal(Array(" \(field.text)=".utf8)), .field(field, width: nil)]
    }
    return OutputTemplate(pieces: pieces)
  }

  private static func writeFields(
    _ notice: Notice, _ fields: [FieldReference], _ context: inout EventContext, _ json: inout JSONWriter
  ) {
    json.beginObject()
    json.member("evt.time", context.realtimeNanoseconds)
    json.member("martlet.count", notice.count)
    json.member("martlet.detail", notice.detail)
    json.member("martlet.hook", notice.hook.map { "\($0)" })
    json.member("martlet.subject", "\(notice.subject)")
    for field in fields {
      json.key(Array(field.text.utf8))
      AlertComposer.write(context.value(of: field.field, field.argument), &json)
    }
    json.endObject()
  }
}

extension NoticeSubject {
  /// What stands where other alerts name their rule.
  fileprivate var rule: String {
    switch self {
    case .lost: "Martlet: events lost"
    case .flood: "Martlet: container floods events"
    case .unproven: "Martlet: hook tells nothing"
    case .tamper: "Martlet: agent tampered with"
    case .unseen: "Martlet: activity out of sight"
    case .filter: "Martlet: filter hides alerts"
    case .rules: "Martlet: rules not reloaded"
    case .signal: "Martlet: agent signalled"
    }
  }

  fileprivate var priority: Priority {
    switch self {
    case .lost, .flood, .unseen, .rules: .warning
    case .unproven, .filter: .critical
    case .tamper: .alert
    case .signal: .notice
    }
  }

  fileprivate var sentence: String {
    switch self {
    case .lost: "Events were seen and could not be delivered"
    case .flood: "A container causes more events than its share; some were shed"
    case .unproven: "A hook that is attached does not tell what happens"
    case .tamper: "Another process acted on the agent or its programs"
    case .unseen: "A process began something that cannot be followed on this kernel"
    case .filter: "The filter in the kernel would have dropped events that rules matched"
    case .rules: "The rules were changed, and the new ones cannot be used; the ones before stay in force"
    case .signal: "A process sent the agent a signal"
    }
  }
}
