// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

/// Benchmarks of the parts, a package of its own so that nothing of it reaches those who build Martlet. See `make bench`.
let package = Package(
  name: "martlet-benchmarks",
  dependencies: [.package(name: "martlet", path: "../..")],
  targets: [
    // Time, and how often memory was asked for.
    .target(name: "CMeasure", path: "CMeasure", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
    .executableTarget(
      name: "martlet-bench", dependencies: ["CMeasure", .product(name: "MartletParts", package: "martlet")],
      path: "martlet-bench",
      swiftSettings: [
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
      ]),
  ]
)
