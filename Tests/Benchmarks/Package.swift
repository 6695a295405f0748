// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

/// Benchmarks of the parts, a package of its own so that nothing of it reaches those who build Martlet. See `make bench`.
let package = Package(
  name: "martlet-benchmarks",
  dependencies: [.package(name: "martlet", path: "../..")],
  targets: [
    .executableTarget(
      name: "martlet-bench", dependencies: [.product(name: "MartletParts", package: "martlet")],
      path: "martlet-bench",
      swiftSettings: [
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
      ])
  ]
)
