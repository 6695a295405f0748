// SPDX-License-Identifier: Apache-2.0

import Foundation
import PackagePlugin

/// Compiles the probe with the toolchain's own clang into several objects, and puts them into the target that uses this
/// plugin: its maps alone, and its programs in two parts, once for each way to read kernel memory (bpf/lib/kernel.h). For
/// tests, all of it with their own program beside it.
@main
struct EmbedProbe: BuildToolPlugin {
  private static let probe = [
    (name: "probeMapsBase64", definitions: "MARTLET_MAPS_ALONE=1"),
    (name: "typedPart1Base64", definitions: "MARTLET_TYPED_LOADS=1,MARTLET_PART=1"),
    (name: "typedPart2Base64", definitions: "MARTLET_TYPED_LOADS=1,MARTLET_PART=2"),
    (name: "helperPart1Base64", definitions: "MARTLET_TYPED_LOADS=0,MARTLET_PART=1"),
    (name: "helperPart2Base64", definitions: "MARTLET_TYPED_LOADS=0,MARTLET_PART=2"),
  ]
  private static let trial = [
    (name: "typedTrialBase64", definitions: "MARTLET_TYPED_LOADS=1"),
    (name: "helperTrialBase64", definitions: "MARTLET_TYPED_LOADS=0"),
  ]

  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let folder = context.package.directoryURL.appending(path: "bpf")
    let trial = context.package.directoryURL.appending(path: "Tests/KernelTestTrial")
    let isTrial = target.name == "KernelTests"
    let source = isTrial ? trial.appending(path: "trial.bpf.c") : folder.appending(path: "martlet.bpf.c")
    return try (isTrial ? Self.trial : Self.probe).map { object in
      let output = context.pluginWorkDirectoryURL.appending(path: "\(object.name).swift")
      return .buildCommand(
        displayName: "Compiling the BPF probe",
        executable: try context.tool(named: "martlet-embed").url,
        arguments: [
          "object",
          try context.tool(named: "clang").url.path(),
          try context.tool(named: "llvm-objcopy").url.path(),
          source.path(),
          object.definitions,
          object.name,
          output.path(),
        ],
        // The one source includes all the others, so an edit of any of them has to count.
        inputFiles: try files(below: folder) + files(below: trial),
        outputFiles: [output])
    }
  }

  private func files(below folder: URL) throws -> [URL] {
    try FileManager.default.subpathsOfDirectory(atPath: folder.path()).sorted()
      .filter { $0.hasSuffix(".c") || $0.hasSuffix(".h") }
      .map { folder.appending(path: $0) }
  }
}
