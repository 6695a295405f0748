// SPDX-License-Identifier: Apache-2.0

import Foundation
import PackagePlugin

/// Puts the rule files under `rules/` into the target that uses this plugin, tests of the rules left out.
///
/// The target gets `let embeddedRules: [(path: StaticString, text: StaticString)]`, paths relative to `rules/`.
@main
struct EmbedRules: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let folder = context.package.directoryURL.appending(path: "rules")
    let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedRules.swift")
    let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path()).sorted()
      .filter { $0.hasSuffix(".yaml") && !$0.hasPrefix("tests/") }
    return [
      .buildCommand(
        displayName: "Embedding \(paths.count) rule files",
        executable: try context.tool(named: "martlet-embed").url,
        arguments: ["texts", "embeddedRules", folder.path(), output.path()] + paths,
        inputFiles: paths.map { folder.appending(path: $0) },
        outputFiles: [output])
    ]
  }
}
