// SPDX-License-Identifier: Apache-2.0

/// Which target may import what: the layers of the design, in one place.
///
/// A new target, or a new dependency of an old one, is added here on purpose and reviewed as a change of the design.
enum ImportMap {
  /// Foundation in any of its parts. The pure core does without: it parses and prints by hand and has no clock.
  static let foundation: Set = ["Foundation", "FoundationEssentials"]
  /// The C library, and the language's own modules for locks and atomics. `memcmp` is no layer.
  static let everywhere: Set = ["Glibc", "Musl", "Synchronization"]

  /// No descriptors, clocks, sockets or logging in these.
  static let pureCore: Set = ["MartletEvents", "MartletState", "MartletRules", "MartletMatching"]

  private static let http: Set = [
    "AsyncHTTPClient", "NIOCore", "NIOHTTP1", "NIOPosix", "NIOFoundationCompat", "NIOSSL", "NIOTransportServices",
  ]
  private static let grpc: Set = [
    "GRPCCore", "GRPCNIOTransportHTTP2", "GRPCProtobuf", "NIOHTTP2", "NIOHPACK", "SwiftProtobuf",
  ]
  private static let parts: Set = [
    "MartletEvents", "MartletCapture", "MartletState", "MartletEnrichment", "MartletSignatures", "MartletModels",
    "MartletRules",
    "MartletMatching", "MartletAlerts",
  ]

  static let allowed: [String: Set<String>] = [
    "MartletEvents": ["CMartletABI"],
    "CMartletBPF": ["CLibBPF"],
    "MartletCapture": ["MartletEvents", "CMartletABI", "CMartletBPF", "CLibBPF", "CZlib"],
    "MartletState": ["MartletEvents", "CMartletABI"],
    "MartletRules": ["MartletEvents", "Yams"],
    "MartletMatching": ["MartletEvents", "CMartletABI", "MartletState", "MartletRules", "CMartletRE2"],
    "MartletEnrichment": foundation.union(http).union(grpc).union([
      "CLinux", "CMartletABI", "Dispatch", "MartletEvents", "Logging",
    ]),
    "MartletSignatures": foundation.union(["Crypto", "X509", "SwiftASN1", "_CryptoExtras"]),
    "MartletModels": [
      "CMartletABI", "CMartletFiles", "MartletEvents", "MartletSignatures", "Crypto", "Dispatch", "Logging",
    ],
    "MartletAlerts": foundation.union(http).union([
      "MartletEvents", "MartletState", "MartletRules", "MartletMatching", "Logging",
    ]),
    "MartletAgent": foundation.union(http).union(parts).union([
      "CMartletABI", "Dispatch", "Logging", "ServiceLifecycle", "SystemPackage", "UnixSignals", "Yams",
    ]),
    // Build-time only: plugins, and the tool they run.
    "EmbedProbe": foundation.union(["PackagePlugin"]),
    "EmbedContent": foundation.union(["PackagePlugin"]),
    "martlet-embed": foundation,
    "martlet": [
      "ArgumentParser", "Logging", "MartletAgent", "MartletEnrichment", "MartletEvents", "MartletModels",
      "MartletRules",
      "MartletSignatures",
    ],
  ]

  /// Findings for a Swift file of a target below `Sources`; other files may import what they like.
  static func check(_ file: SourceFile, allowed: [String: Set<String>] = allowed) -> [Finding] {
    guard let target = file.target, file.language == .swift else { return [] }
    let imports = imports(in: file)
    guard let permitted = allowed[target] else {
      return imports.prefix(1).map {
        Finding(path: file.path, line: $0.line, message: "target '\(target)' is not in the import map")
      }
    }
    return imports.filter { !permitted.contains($0.module) && !everywhere.contains($0.module) }.map {
      Finding(path: file.path, line: $0.line, message: "'\(target)' may not import '\($0.module)'")
    }
  }

  /// The modules a file imports, by their top-level name, whatever the import's attributes and access.
  static func imports(in file: SourceFile) -> [(module: String, line: Int)] {
    let lines = file.code.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.enumerated().compactMap { index, line in
      let statement =
        /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(.+)/
      guard let match = line.prefixMatch(of: statement) else { return nil }
      let words = match.1.split(separator: " ").map(String.init)
      let kinds: Set = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
      guard let path = words.first(where: { !kinds.contains($0) }) else { return nil }
      return (path.split(separator: ".").first.map(String.init) ?? path, index + 1)
    }
  }
}
