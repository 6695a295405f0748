// SPDX-License-Identifier: Apache-2.0

/// Three numbers that say what fits: the same major number, and no less of the others.
struct Version: Equatable, CustomStringConvertible {
  let major: Int
  let minor: Int
  let patch: Int

  var description: String { "\(major).\(minor).\(patch)" }

  init(_ major: Int, _ minor: Int, _ patch: Int) { (self.major, self.minor, self.patch) = (major, minor, patch) }

  init?(_ text: String) {
    let numbers = text.split(separator: ".", omittingEmptySubsequences: false).compactMap { Int($0) }
    guard numbers.count == 3, text.utf8.allSatisfy({ $0.isDigit || $0 == .dot }) else { return nil }
    self.init(numbers[0], numbers[1], numbers[2])
  }

  /// Whether what is of this version serves who asks for another.
  func satisfies(_ wanted: Version) -> Bool {
    major == wanted.major && (minor, patch) >= (wanted.minor, wanted.patch)
  }
}

/// `required_engine_version`: the version of Falco's rule language that a file needs.
enum EngineVersion {
  /// The state of the language that Martlet speaks.
  static let spoken = Version(0, 63, 0)

  static func check(_ node: YAMLNode?, _ log: inout DiagnosticLog) {
    guard let node else { return }
    guard let text = node.scalar?.text, let wanted = parse(text.string) else {
      log.report(
        .engineVersion, "'required_engine_version' takes a number or a version", at: node.firstByte,
        "such as 31 or 0.31.0")
      return
    }
    guard spoken.satisfies(wanted) else {
      log.report(
        .engineVersion, "this file needs rule language \(wanted)", at: text.file, "Martlet speaks \(spoken)")
      return
    }
  }

  /// `31` means `0.31.0`.
  private static func parse(_ text: String) -> Version? {
    guard let number = Int(text), number >= 0 else { return Version(text) }
    return Version(0, number, 0)
  }
}

/// `required_plugin_versions`: plugins of Falco's that a file needs, each with alternatives to it.
enum PluginVersions {
  /// What Martlet has built in, as the version of the plugin whose fields it offers.
  private static let builtIn = ["container": Version(0, 7, 0)]

  static func check(_ node: YAMLNode?, _ log: inout DiagnosticLog) {
    guard let node else { return }
    guard case .sequence(let entries) = node.content else {
      return log.report(
        .wrongShape, "'required_plugin_versions' takes a list", at: node.firstByte, "has \(node.kindName)")
    }
    for entry in entries { check(entry, &log) }
  }

  private static func check(_ entry: YAMLNode, _ log: inout DiagnosticLog) {
    guard let wanted = Requirement(entry, &log) else { return }
    var alternatives: [Requirement] = []
    if let node = entry.value(of: "alternatives") {
      guard case .sequence(let nodes) = node.content else {
        return log.report(.wrongShape, "'alternatives' takes a list", at: node.firstByte, "has \(node.kindName)")
      }
      alternatives = nodes.compactMap { Requirement($0, &log) }
      guard alternatives.count == nodes.count else { return }
    }
    guard !([wanted] + alternatives).contains(where: { isMet($0) }) else { return }
    if let version = builtIn[wanted.name.string] {
      log.report(
        .unknownPlugin, "this file needs plugin '\(wanted.name.string)' \(wanted.version)", at: wanted.place,
        "Martlet has \(version)")
    } else {
      log.report(
        .unknownPlugin, "plugin '\(wanted.name.string)' is not part of Martlet", at: wanted.name.file,
        "needed by this file")
    }
  }

  private static func isMet(_ wanted: Requirement) -> Bool {
    builtIn[wanted.name.string]?.satisfies(wanted.version) ?? false
  }

  private struct Requirement {
    let name: MappedText
    let version: Version
    /// Of the version.
    let place: FileRange

    init?(_ node: YAMLNode, _ log: inout DiagnosticLog) {
      let version = node.value(of: "version")?.scalar?.text
      guard let name = node.value(of: "name")?.scalar?.text, let version, let number = Version(version.string) else {
        log.report(
          .wrongShape, "a required plugin has a 'name' and a 'version' of three numbers", at: node.firstByte,
          "\(node.kindName) without them")
        return nil
      }
      self.name = name
      self.version = number
      place = version.file
    }
  }
}

extension YAMLNode {
  /// The value of a key, if this is a mapping that has it.
  func value(of key: String) -> YAMLNode? {
    guard case .mapping(let entries) = content else { return nil }
    return entries.first { $0.key.scalar?.text.string == key }?.value
  }
}
