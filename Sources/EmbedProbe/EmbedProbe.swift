// SPDX-License-Identifier: Apache-2.0

import Foundation
import PackagePlugin

/// Compiles the probe with the toolchain's own clang, once for each way to read kernel memory and once for its maps alone, and
/// puts the objects into the target that uses this plugin; for tests, with their own program beside them.
@main
struct EmbedProbe: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let folder = context.package.directoryURL.appending(path: "bpf")
    let trial = context.package.directoryURL.appending(path: "Tests/KernelTestTrial")
    let source =
      target.name == "KernelTests" ? trial.appending(path: "trial.bpf.c") : folder.appending(path: "martlet.bpf.c")
    return try [
      (name: "typedProbeBase64", definition: "MARTLET_TYPED_LOADS=1"),
      (name: "helperProbeBase64", definition: "MARTLET_TYPED_LOADS=0"),
      (name: "probeMapsBase64", definition: "MARTLET_MAPS_ALONE=1"),
    ].map { object in
      let output = context.pluginWorkDirectoryURL.appending(path: "\(object.name).swift")
      return .buildCommand(
        displayName: "Compiling the BPF probe",
        executable: try context.tool(named: "martlet-embed").url,
        arguments: [
          "object",
          try context.tool(named: "clang").url.path(),
          try context.tool(named: "llvm-objcopy").url.path(),
          source.path(),
          object.definition,
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
