// SPDX-License-Identifier: Apache-2.0

/// `required_plugin_versions`: plugins of Falco's that a file needs, each with alternatives to it.
enum PluginVersions {
  /// What Martlet has built in, as the version of the plugin whose fields it offers.
  private static let builtIn = ["container": Version(0, 7, 0)]

  static func check(_ node: YAMLNode?, _ log: inout DiagnosticLog) {
    guard let node else { return }
    log.trail.removeLast()
    log.trail.append(LoadLocation(.plugins, "", node.file))
    guard case .sequence(let entries) = node.content else {
      return log.report(
        .wrongShape, "'required_plugin_versions' takes a list", at: node.firstByte, "has \(node.kindName)",
        words: "Value of required_plugin_versions must be a sequence")
    }
    for entry in entries { check(entry, &log) }
  }

  private static func check(_ entry: YAMLNode, _ log: inout DiagnosticLog) {
    guard let wanted = Requirement(entry, .plugin, &log) else { return }
    var choices = [wanted]
    if let node = entry.value(of: "alternatives") {
      guard case .sequence(let nodes) = node.content else {
        return log.report(
          .wrongShape, "'alternatives' takes a list", at: node.firstByte, "has \(node.kindName)",
          words: "Value of plugin version alternatives must be a sequence", detail: wanted.location)
      }
      log.trail.append(wanted.location)
      let alternatives = nodes.compactMap { Requirement($0, .pluginAlternative, &log) }
      log.trail.removeLast()
      guard alternatives.count == nodes.count else { return }
      choices += alternatives
    }
    guard check(choices, &log) else { return }
    guard !choices.contains(where: \.isMet) else { return }
    if let version = builtIn[wanted.name.string] {
      log.report(
        .unknownPlugin, "this file needs plugin '\(wanted.name.string)' \(wanted.version.string)",
        at: wanted.version.file, "Martlet has \(version)", detail: wanted.location)
    } else {
      log.report(
        .unknownPlugin, "plugin '\(wanted.name.string)' is not part of Martlet", at: wanted.name.file,
        "needed by this file", detail: wanted.location)
    }
  }

  /// Whether all are versions of different plugins.
  private static func check(_ choices: [Requirement], _ log: inout DiagnosticLog) -> Bool {
    var names: Set<[UInt8]> = []
    for choice in choices {
      let name = choice.name.string
      guard Version(choice.version.string) != nil else {
        log.report(
          .unknownPlugin, "'\(choice.version.string)' is no version", at: choice.version.file, "not three numbers",
          words: "Invalid required version '\(choice.version.string)' for plugin '\(name)'",
          detail: choices[0].location)
        return false
      }
      guard names.insert(choice.name.bytes).inserted else {
        log.report(
          .unknownPlugin, "plugin '\(name)' stands twice among alternatives", at: choice.name.file, "second time",
          words: "Defined multiple alternative version requirements for plugin '\(name)'",
          detail: choices[0].location)
        return false
      }
    }
    return true
  }

  private struct Requirement {
    let name: MappedText
    let version: MappedText
    let location: LoadLocation

    init?(_ node: YAMLNode, _ item: LoadItem, _ log: inout DiagnosticLog) {
      let isAlternative = item == .pluginAlternative
      let unnamed = LoadLocation(item, "", node.file)
      guard case .mapping = node.content else {
        log.report(
          .wrongShape, "a required plugin has a 'name' and a 'version'", at: node.firstByte,
          "\(node.kindName) without them",
          words: "Plugin version \(isAlternative ? "alternative " : "")must be a mapping", detail: unnamed)
        return nil
      }
      log.trail.append(unnamed)
      defer { log.trail.removeLast() }
      let owner = "a required plugin"
      guard let name = YAMLTextReader.text("name", in: node.value(of: "name"), of: node, owner, .wrongShape, &log)
      else {
        return nil
      }
      location = LoadLocation(item, name.string, node.file)
      log.trail[log.trail.count - 1] = location
      guard
        let version = YAMLTextReader.text("version", in: node.value(of: "version"), of: node, owner, .wrongShape, &log)
      else {
        return nil
      }
      self.name = name
      self.version = version
    }

    var isMet: Bool {
      guard let wanted = Version(version.string) else { return false }
      return builtIn[name.string]?.satisfies(wanted) ?? false
    }
  }
}
