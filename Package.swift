// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

/// Every Swift target is built alike: warnings are errors, imports are explicit, and release builds inline across
/// targets (without that, generic code behind a target's border costs twice as much per event).
let swiftSettings: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
]

let package = Package(
  name: "martlet",
  dependencies: [
    // The command line: parsing, help texts, completion scripts.
    .package(url: "https://github.com/apple/swift-argument-parser.git", exact: "1.8.2"),
    // Logs on stderr, behind the interface that every library we use logs through.
    .package(url: "https://github.com/apple/swift-log.git", exact: "1.16.2"),
    // Signals and orderly start and stop of what runs side by side in the agent.
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", exact: "2.13.0"),
    // YAML for rule files; positions inside scalars are ours.
    .package(url: "https://github.com/jpsim/Yams.git", exact: "6.2.2"),
  ],
  targets: [
    // Pure core: no descriptors, clocks, sockets or logging.
    .systemLibrary(name: "CMartletABI", path: "bpf/include"),
    .target(name: "MartletEvents", dependencies: ["CMartletABI"], swiftSettings: swiftSettings),
    // Edges: one outside thing each.
    .target(
      name: "CMartletBPF",
      dependencies: ["CMartletABI"],
      cSettings: [
        .headerSearchPath("../../bpf/include"),
        .unsafeFlags(["-Wall", "-Wextra", "-Werror"]),
      ],
      // Debian's libbpf and what it stands on; the latter two are named for static builds.
      linkerSettings: [.linkedLibrary("bpf"), .linkedLibrary("elf"), .linkedLibrary("z")]),
    .target(
      name: "MartletCapture",
      dependencies: ["MartletEvents", "CMartletABI", "CMartletBPF"],
      swiftSettings: swiftSettings,
      plugins: ["EmbedProbe"]),
    // What the build runs: files become Swift source.
    .executableTarget(name: "martlet-embed", swiftSettings: swiftSettings),
    .plugin(name: "EmbedProbe", capability: .buildTool(), dependencies: ["martlet-embed"], path: "Sources/EmbedProbe"),
    .plugin(name: "EmbedRules", capability: .buildTool(), dependencies: ["martlet-embed"], path: "Sources/EmbedRules"),
    .testTarget(
      name: "MartletEventsTests", dependencies: ["MartletEvents", "CMartletABI"], swiftSettings: swiftSettings),
    .testTarget(name: "MartletCaptureTests", dependencies: ["MartletCapture"], swiftSettings: swiftSettings),
    // The real probe on the running kernel, and a program that does what these tests want to see.
    .testTarget(
      name: "KernelTests",
      dependencies: ["MartletCapture", "MartletEvents", "CMartletABI", "KernelTestActor"],
      swiftSettings: swiftSettings),
    .executableTarget(name: "KernelTestActor", path: "Tests/KernelTestActor"),
  ]
)
