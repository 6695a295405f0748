// SPDX-License-Identifier: Apache-2.0

/// Three numbers that say what fits: the same major number, and no less of the others.
struct Version: Equatable, CustomStringConvertible {
  let major: Int
  let minor: Int
  let patch: Int

  var description: String { "\(major).\(minor).\(patch)" }

  init(_ major: Int, _ minor: Int, _ patch: Int) { (self.major, self.minor, self.patch) = (major, minor, patch) }

  /// What follows the third number does not matter.
  init?(_ text: String) {
    let parts = text.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3 else { return nil }
    let numbers = [String(parts[0]), String(parts[1]), String(parts[2].prefix { $0.isASCII && $0.isNumber })]
      .compactMap { $0.utf8.allSatisfy(\.isDigit) ? UInt32($0) : nil }
    guard numbers.count == 3 else { return nil }
    self.init(Int(numbers[0]), Int(numbers[1]), Int(numbers[2]))
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

  static func check(_ keys: inout ItemKeys, _ log: inout DiagnosticLog) {
    guard let text = keys.text(ItemKind.engineVersion.rawValue, &log) else { return }
    guard let wanted = parse(text.string) else {
      log.report(
        .engineVersion, "'required_engine_version' takes a number or a version", at: text.file,
        "such as 31 or 0.31.0", upstream: .yamlValidate,
        words: "Unable to parse engine version '\(text.string)' as a semver string. "
          + "Expected \"x.y.z\" semver format.")
      return
    }
    guard !spoken.satisfies(wanted) else { return }
    log.report(
      .engineVersion, "this file needs rule language \(wanted)", at: text.file, "Martlet speaks \(spoken)",
      words: "Rules require engine version \(wanted), but engine version is \(spoken)")
  }

  /// `31` means `0.31.0`.
  private static func parse(_ text: String) -> Version? {
    guard let number = UInt32(text) else { return Version(text) }
    return Version(0, Int(number), 0)
  }
}

extension YAMLNode {
  /// The value of a key, if this is a mapping that has it.
  func value(of key: String) -> YAMLNode? {
    guard case .mapping(let entries) = content else { return nil }
    return entries.first { $0.key.scalar?.text.string == key }?.value
  }
}
