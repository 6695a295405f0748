// SPDX-License-Identifier: Apache-2.0

import Foundation
import PackagePlugin

/// Puts the bundled rules and the demonstration's recording into the target that uses this plugin.
///
/// The target gets `let embeddedRules: [(path: StaticString, text: StaticString)]`, paths relative to `rules/`, tests of
/// the rules left out; and `let demoRecordingBase64: StaticString`, from `Demo/demo.martlet` in the target's folder.
@main
struct EmbedContent: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let tool = try context.tool(named: "martlet-embed").url
    let folder = context.package.directoryURL.appending(path: "rules")
    let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path()).sorted()
    let rules = context.pluginWorkDirectoryURL.appending(path: "EmbeddedRules.swift")
    let recording = target.directoryURL.appending(path: "Demo/demo.martlet")
    let demo = context.pluginWorkDirectoryURL.appending(path: "EmbeddedDemo.swift")
    return [
      .buildCommand(
        displayName: "Embedding the rules",
        executable: tool,
        arguments: ["texts", "embeddedRules", folder.path(), ".yaml", "tests", rules.path()],
        // Folders too: a file that comes or goes changes the folder that it is in.
        inputFiles: [folder] + paths.map { folder.appending(path: $0) },
        outputFiles: [rules]),
      .buildCommand(
        displayName: "Embedding the demonstration",
        executable: tool,
        arguments: ["bytes", "demoRecordingBase64", recording.path(), demo.path()],
        inputFiles: [recording],
        outputFiles: [demo]),
    ]
  }
}
