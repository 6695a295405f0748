// SPDX-License-Identifier: Apache-2.0

/// `required_engine_version`: the version of Falco's rule language that a file needs.
enum EngineVersion {
  /// The state of the language that Martlet speaks.
  static let major = 0
  static let minor = 63

  static func check(_ node: YAMLNode?, _ log: inout DiagnosticLog) {
    guard let node else { return }
    guard let text = node.scalar?.text, let wanted = parse(text.string) else {
      log.report(
        .engineVersion, "'required_engine_version' takes a number or a version", at: node.firstByte,
        "such as 31 or 0.31.0")
      return
    }
    guard wanted.major == major, wanted.minor <= minor else {
      log.report(
        .engineVersion, "this file needs rule language \(wanted.major).\(wanted.minor)", at: text.file,
        "Martlet speaks \(major).\(minor)")
      return
    }
  }

  /// `31` means `0.31.0`.
  private static func parse(_ text: String) -> (major: Int, minor: Int)? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
    switch parts.count {
    case 1: return parts[0].map { (0, $0) }
    case 3:
      guard let major = parts[0], let minor = parts[1], parts[2] != nil else { return nil }
      return (major, minor)
    default: return nil
    }
  }
}
