// SPDX-License-Identifier: Apache-2.0

public import MartletEvents
import MartletMatching
public import MartletRules

/// What of each rule runs in the kernel, for people and for programs.
public struct FilterPlanText {
  private let report: KernelFilterReport

  public init(_ ruleset: Ruleset) { report = KernelFilterReport(ruleset) }

  /// Names beyond these are counted only.
  private static let nameCountMax = 12

  /// A paragraph for each rule, and at the end the rules that keep opens coming whatever they are called.
  public var text: String {
    var text = ""
    for entry in report.rules {
      text += "\(entry.rule)\n"
      for (actors, types) in grouped(entry) { text += "  \(types.joined(separator: ", ")): \(actors)\n" }
      if let opens = entry.opens { text += describe(opens) }
    }
    for (actors, what) in [(KernelFilter.Actors.host, "of the host"), (.containers, "of containers")] {
      let wide = report.rules.filter { $0.opens?.wide.contains(actors) == true }.map { "'\($0.rule)'" }
      text +=
        wide.isEmpty
        ? "opens \(what): sent only where a name fits\n"
        : "opens \(what): kept coming by \(wide.joined(separator: ", "))\n"
    }
    return text
  }

  private func grouped(_ entry: KernelFilterReport.RuleEntry) -> [(actors: String, types: [String])] {
    let groups = Dictionary(grouping: entry.types, by: { $0.actors.rawValue })
    return groups.sorted { $0.key < $1.key }.map {
      (Self.name(of: .init(rawValue: $0.key)), $0.value.map { "\($0.type.name)" })
    }
  }

  private func describe(_ opens: KernelFilterReport.Opens) -> String {
    var text = "  opens: \(opens.droppedCount) of \(OpenClass.count) classes are dropped unseen\n"
    if !opens.names.isEmpty {
      let shown = opens.names.prefix(Self.nameCountMax).map(\.description).joined(separator: ", ")
      let more = opens.names.count - Self.nameCountMax
      text += "  looks for: \(shown)\(more > 0 ? " and \(more) more" : "")\n"
    }
    if !opens.wide.isEmpty {
      let blocking = opens.blocking.joined(separator: "; ")
      text += "  whatever the name, \(Self.name(of: opens.wide)): "
      text += opens.blocking.isEmpty ? "no test of a name limits it\n" : "the kernel cannot test \(blocking)\n"
    }
    return text
  }

  private static func name(of actors: KernelFilter.Actors) -> String {
    switch actors {
    case .all: "anywhere"
    case .host: "on the host only"
    case .containers: "in containers only"
    default: "nowhere"
    }
  }

  /// One object a rule.
  public func write(to json: inout JSONWriter) {
    json.beginArray()
    for entry in report.rules {
      json.beginObject()
      if let opens = entry.opens {
        json.key("opens")
        json.beginObject()
        json.key("blocking")
        write(opens.blocking, to: &json)
        json.key("dropped_classes")
        json.value(Int64(opens.droppedCount))
        json.key("names")
        write(opens.names.map(\.description), to: &json)
        json.key("wide")
        json.value(Self.name(of: opens.wide))
        json.endObject()
      }
      json.key("rule")
      json.value(entry.rule)
      json.key("types")
      json.beginObject()
      for (type, actors) in entry.types {
        json.key(type.name)
        json.value(Self.name(of: actors))
      }
      json.endObject()
      json.endObject()
    }
    json.endArray()
  }

  private func write(_ texts: [String], to json: inout JSONWriter) {
    json.beginArray()
    for text in texts { json.value(text) }
    json.endArray()
  }
}
