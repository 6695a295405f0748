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
    return [
      .buildCommand(
        displayName: "Embedding the rules",
        executable: try context.tool(named: "martlet-embed").url,
        arguments: ["texts", "embeddedRules", folder.path(), ".yaml", "tests", output.path()],
        // Folders too: a file that comes or goes changes the folder that it is in.
        inputFiles: [folder] + paths.map { folder.appending(path: $0) },
        outputFiles: [output])
    ]
  }
}
