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
  products: [
    // For the package of the benchmarks alone, which cannot name targets.
    .library(
      name: "MartletParts",
      targets: [
        "CMeasure", "MartletAgent", "MartletAlerts", "MartletCapture", "MartletEvents", "MartletMatching",
        "MartletRules",
        "MartletState", "MartletTesting",
      ])
  ],
  dependencies: [
    // The command line: parsing, help texts, completion scripts.
    .package(url: "https://github.com/apple/swift-argument-parser.git", exact: "1.8.2"),
    // Logs on stderr, behind the interface that every library we use logs through.
    .package(url: "https://github.com/apple/swift-log.git", exact: "1.16.2"),
    // Signals and orderly start and stop of what runs side by side in the agent.
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", exact: "2.13.0"),
    // YAML for rule files; positions inside scalars are ours.
    .package(url: "https://github.com/jpsim/Yams.git", exact: "6.2.2"),
    // Container runtimes: HTTP/2 under gRPC and HTTP/1.1 under Docker's interface, both over Unix sockets, and the messages
    // of the former. Measured with the five calls that are made of it, in a program of its own (release build from nothing
    // in seconds of processor time; stripped size with Swift's libraries in it; PSS, connected and idle):
    //   grpc-swift-2, its NIO transport and protobuf    554 s  37.7 MiB  20.5 MiB
    //   nio-http2 and swift-protobuf                    155 s  21.8 MiB  14.1 MiB
    //   nio-http2 and a reader of protobuf of our own   115 s  12.9 MiB  10.8 MiB
    // The first brings TLS and certificates to a Unix socket that has neither, and 399 s more for each clean build. Of the
    // other two a well-kept reader of what strangers send is worth 40 s: Foundation is most of the rest and here anyway.
    .package(url: "https://github.com/apple/swift-nio.git", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-http2.git", exact: "1.46.0"),
    .package(url: "https://github.com/apple/swift-protobuf.git", exact: "1.39.0"),
    // Files, and errno as a type.
    .package(url: "https://github.com/apple/swift-system.git", exact: "1.8.1"),
    // SHA-2 and ECDSA: the digests and the signatures of models.
    .package(url: "https://github.com/apple/swift-crypto.git", exact: "4.5.2"),
    // The chain of a signer's certificate, up to an anchor from the configuration.
    .package(url: "https://github.com/apple/swift-certificates.git", exact: "1.21.1"),
    // DER: keys, and the extensions of certificates that only Sigstore knows. swift-certificates brings it.
    .package(url: "https://github.com/apple/swift-asn1.git", exact: "1.7.4"),
  ],
  targets: [
    // Pure core: no descriptors, clocks, sockets or logging.
    .systemLibrary(name: "CMartletABI", path: "bpf/include"),
    .target(name: "MartletEvents", dependencies: ["CMartletABI"], swiftSettings: swiftSettings),
    .target(name: "MartletState", dependencies: ["CMartletABI", "MartletEvents"], swiftSettings: swiftSettings),
    .target(
      name: "MartletRules", dependencies: ["MartletEvents", .product(name: "Yams", package: "Yams")],
      swiftSettings: swiftSettings),
    .target(
      name: "MartletMatching", dependencies: ["CMartletRE2", "MartletEvents", "MartletRules", "MartletState"],
      swiftSettings: swiftSettings),

    // Debian's RE2 for the operator 'regex', behind functions of C.
    .target(
      name: "CMartletRE2", cxxSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])],
      linkerSettings: [.linkedLibrary("re2")]),

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
    // zlib from Debian: the checksums of recordings.
    .systemLibrary(name: "CZlib", path: "Sources/CZlib"),
    .target(
      name: "MartletCapture",
      dependencies: ["CMartletABI", "CMartletBPF", "CZlib", "MartletEvents"],
      swiftSettings: swiftSettings,
      plugins: ["EmbedProbe"]),
    .target(
      name: "MartletSignatures",
      dependencies: [
        .product(name: "Crypto", package: "swift-crypto"), .product(name: "X509", package: "swift-certificates"),
        .product(name: "SwiftASN1", package: "swift-asn1"),
      ],
      swiftSettings: swiftSettings),
    // Calls on files of strangers that Swift has no name for.
    .target(
      name: "CMartletFiles", dependencies: ["CLinux"],
      cSettings: [.headerSearchPath("../CLinux"), .unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
    .target(
      name: "MartletModels",
      dependencies: [
        "CMartletABI", "CMartletFiles", "MartletEvents", "MartletSignatures",
        .product(name: "Crypto", package: "swift-crypto"), .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: swiftSettings),
    .target(
      name: "MartletAlerts", dependencies: ["MartletEvents", "MartletMatching", "MartletRules", "MartletState"],
      swiftSettings: swiftSettings),
    // System calls for which glibc has no function.
    .systemLibrary(name: "CLinux", path: "Sources/CLinux"),
    .target(
      name: "MartletEnrichment",
      dependencies: [
        "CLinux", "CMartletABI", "MartletEvents",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHPACK", package: "swift-nio-http2"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTP2", package: "swift-nio-http2"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      exclude: ["Runtime/cri.proto"], swiftSettings: swiftSettings),

    // Composition: the only places where the parts meet.
    .target(
      name: "MartletAgent",
      dependencies: [
        "CMartletABI", "MartletAlerts", "MartletCapture", "MartletEnrichment", "MartletEvents", "MartletMatching",
        "MartletRules", "MartletState",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      exclude: ["Demo/demo.martlet"], swiftSettings: swiftSettings, plugins: ["EmbedContent"]),
    .executableTarget(
      name: "martlet",
      dependencies: [
        "MartletAgent", "MartletEnrichment", "MartletEvents", "MartletModels", "MartletRules", "MartletSignatures",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: swiftSettings),

    // What the build runs: files become Swift source.
    .executableTarget(name: "martlet-embed", swiftSettings: swiftSettings),
    .plugin(name: "EmbedProbe", capability: .buildTool(), dependencies: ["martlet-embed"], path: "Sources/EmbedProbe"),
    .plugin(
      name: "EmbedContent", capability: .buildTool(), dependencies: ["martlet-embed"], path: "Sources/EmbedContent"),

    // Tests of the parts. Time, and how often memory was asked for:
    .target(
      name: "CMeasure", path: "Tests/CMeasure", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
    .target(
      name: "MartletTesting", dependencies: ["CMartletABI", "MartletEvents", "MartletRules", "MartletState"],
      path: "Tests/MartletTesting", swiftSettings: swiftSettings),
    .testTarget(
      name: "MartletEventsTests", dependencies: ["CMartletABI", "MartletEvents", "MartletTesting"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "MartletStateTests", dependencies: ["CMartletABI", "MartletEvents", "MartletState", "MartletTesting"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "MartletRulesTests",
      dependencies: ["MartletEvents", "MartletRules", "MartletTesting", .product(name: "Yams", package: "Yams")],
      exclude: ["Fixtures"], swiftSettings: swiftSettings),
    .testTarget(
      name: "MartletMatchingTests",
      dependencies: ["MartletEvents", "MartletMatching", "MartletRules", "MartletState", "MartletTesting"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "MartletAlertsTests",
      dependencies: ["MartletAlerts", "MartletEvents", "MartletRules", "MartletState", "MartletTesting"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "MartletAgentTests",
      dependencies: [
        "CMartletABI", "CMeasure", "ContainerTesting", "MartletAgent", "MartletAlerts", "MartletCapture",
        "MartletEvents",
        "MartletMatching", "MartletRules", "MartletState", "MartletTesting",
      ],
      swiftSettings: swiftSettings),

    .testTarget(
      name: "MartletSignaturesTests",
      dependencies: [
        "ContainerTesting", "MartletSignatures", .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "X509", package: "swift-certificates"), .product(name: "SwiftASN1", package: "swift-asn1"),
      ],
      exclude: ["Interop"], swiftSettings: swiftSettings),
    .testTarget(
      name: "MartletModelsTests",
      dependencies: [
        "CMartletABI", "ContainerTesting", "MartletEvents", "MartletModels", "MartletSignatures", "MartletTesting",
        .product(name: "Crypto", package: "swift-crypto"), .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "MartletCaptureTests", dependencies: ["CMartletABI", "MartletCapture", "MartletEvents", "MartletTesting"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "MartletEnrichmentTests",
      dependencies: [
        "CMartletABI", "ContainerTesting", "MartletEnrichment", "MartletEvents",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: swiftSettings),

    // Tests of the whole: the real probe on the running kernel, with a program that does what they want to see; real
    // containers and the agent as a process; its image and manifests; the style guide.
    .executableTarget(name: "KernelTestActor", path: "Tests/KernelTestActor"),
    // The probe's filter as a program that runs when it is called, not when something happens.
    .target(
      name: "KernelTestTrial", dependencies: ["CMartletABI"], path: "Tests/KernelTestTrial",
      exclude: ["trial.bpf.c"],
      cSettings: [.headerSearchPath("../../bpf/include"), .unsafeFlags(["-Wall", "-Wextra", "-Werror"])],
      linkerSettings: [.linkedLibrary("bpf")]),
    .testTarget(
      name: "KernelTests",
      dependencies: [
        "CMartletABI", "KernelTestActor", "KernelTestTrial", "MartletCapture", "MartletEvents", "MartletMatching",
        "MartletRules", "MartletState", "MartletTesting",
      ],
      swiftSettings: swiftSettings, plugins: ["EmbedProbe"]),
    .target(name: "ContainerTesting", path: "Tests/ContainerTesting", swiftSettings: swiftSettings),
    .testTarget(name: "CommandTests", dependencies: ["ContainerTesting"], swiftSettings: swiftSettings),
    .testTarget(
      name: "ContainerTests", dependencies: ["ContainerTesting", .product(name: "Crypto", package: "swift-crypto")],
      exclude: ["Models/hang_fuse.py"], swiftSettings: swiftSettings),
    .testTarget(
      name: "DeployTests", dependencies: ["ContainerTesting"], exclude: ["Node"], swiftSettings: swiftSettings),
    .testTarget(name: "TidyTests", swiftSettings: swiftSettings),

    // libFuzzer over what reads text of strangers, for `make fuzz`; other builds link it without a driver.
    .target(name: "CMartletFuzz", path: "Tests/Fuzz/CMartletFuzz"),
    .executableTarget(
      name: "martlet-fuzz", dependencies: ["CMartletFuzz", "MartletRules"], path: "Tests/Fuzz/martlet-fuzz",
      swiftSettings: swiftSettings),
  ],
  cxxLanguageStandard: .cxx17
)
