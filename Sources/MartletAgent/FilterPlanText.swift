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
  private static let textCountMax = 100

  /// A paragraph for each rule, and at the end the rules that keep opens coming whatever they are called.
  public var text: String {
    var text = ""
    for entry in report.rules {
      text += "\(entry.rule)\n"
      for (actors, types) in grouped(entry.types) { text += "  \(types.joined(separator: ", ")): \(actors)\n" }
      for (actors, types) in grouped(entry.unixTypes) {
        text += "  \(types.joined(separator: ", ")) of Unix sockets: \(actors)\n"
      }
      if let connections = entry.connections { text += describe(connections) }
      if let opens = entry.opens { text += describe(opens) }
    }
    text += closing("opens", sentWhere: "a name or the user fits", report.wideOpens) { $0.opens?.wide }
    text += closing("connections", sentWhere: "the destination, the program or the user fits", report.wideConnections) {
      $0.connections?.wide
    }
    return text
  }

  /// Who keeps them coming. What is wanted of the host is wanted of containers, too.
  private func closing(
    _ what: String, sentWhere fits: String, _ all: KernelFilter.Actors,
    _ wide: (KernelFilterReport.RuleEntry) -> KernelFilter.Actors?
  ) -> String {
    var text = ""
    for (actors, place) in [([.host], "of the host"), (.all, "of containers")] as [(KernelFilter.Actors, String)] {
      let rules = report.rules.filter { wide($0)?.isDisjoint(with: actors) == false }.map { "'\($0.rule)'" }
      let isWide = actors == .all ? all.contains(.containers) : all.contains(.host)
      text += "\(what) \(place): "
      if !rules.isEmpty {
        text += "kept coming by \(rules.joined(separator: ", "))\n"
      } else if isWide {
        text += "kept coming, as the rules together ask for more than the kernel tells apart\n"
      } else {
        text += "sent only where \(fits)\n"
      }
    }
    return text
  }

  private func grouped(
    _ types: [(type: EventType, actors: KernelFilter.Actors)]
  ) -> [(actors: String, types: [String])] {
    let groups = Dictionary(grouping: types, by: { $0.actors.rawValue })
    return groups.sorted { $0.key < $1.key }.map {
      (Self.name(of: .init(rawValue: $0.key)), $0.value.map { "\($0.type.name)" })
    }
  }

  private func describe(_ connections: KernelFilterReport.Connections) -> String {
    var text = "  connections: \(connections.droppedCount) of \(ConnectionClass.count) classes are dropped unseen\n"
    if !connections.tested.isEmpty { text += "  tested in the kernel: \(listed(connections.tested))\n" }
    if !connections.blocking.isEmpty { text += "  the kernel cannot test: \(listed(connections.blocking))\n" }
    if !connections.wide.isEmpty { text += "  whatever the destination, \(Self.name(of: connections.wide))\n" }
    return text
  }

  private func listed(_ texts: [String]) -> String {
    let more = texts.count - Self.nameCountMax
    return texts.prefix(Self.nameCountMax).map(shortened).joined(separator: "; ")
      + (more > 0 ? " and \(more) more" : "")
  }

  /// Lists of hundreds of names tell nobody anything.
  private func shortened(_ text: String) -> String {
    text.count > Self.textCountMax ? "\(text.prefix(Self.textCountMax))…" : text
  }

  private func describe(_ opens: KernelFilterReport.Opens) -> String {
    var text = "  opens: \(opens.droppedCount) of \(OpenClass.count) classes are dropped unseen\n"
    if !opens.names.isEmpty {
      let shown = opens.names.prefix(Self.nameCountMax).map(\.description).joined(separator: ", ")
      let more = opens.names.count - Self.nameCountMax
      text += "  looks for: \(shown)\(more > 0 ? " and \(more) more" : "")\n"
    }
    if !opens.tested.isEmpty { text += "  tested in the kernel: \(listed(opens.tested))\n" }
    if !opens.blocking.isEmpty { text += "  the kernel cannot test: \(listed(opens.blocking))\n" }
    if !opens.wide.isEmpty { text += "  whatever the name, \(Self.name(of: opens.wide))\n" }
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
      if let connections = entry.connections {
        json.object("connections") { json in
          json.member("blocking", connections.blocking)
          json.member("dropped_classes", Int64(connections.droppedCount))
          json.member("tested", connections.tested)
          json.member("wide", Self.name(of: connections.wide))
        }
      }
      if let opens = entry.opens {
        json.object("opens") { json in
          json.member("blocking", opens.blocking)
          json.member("dropped_classes", Int64(opens.droppedCount))
          json.member("names", opens.names.map(\.description))
          json.member("tested", opens.tested)
          json.member("wide", Self.name(of: opens.wide))
        }
      }
      json.member("rule", entry.rule)
      json.object("types") { write(entry.types, to: &$0) }
      json.object("unix_types") { write(entry.unixTypes, to: &$0) }
      json.endObject()
    }
    json.endArray()
  }

  private func write(_ types: [(type: EventType, actors: KernelFilter.Actors)], to json: inout JSONWriter) {
    for (type, actors) in types {
      json.member(type.name, Self.name(of: actors))
    }
  }
}
