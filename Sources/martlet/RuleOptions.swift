// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import MartletAgent
import MartletRules

/// Which rules a command works with.
struct RuleOptions: ParsableArguments {
  @Option(
    name: [.customShort("r"), .customLong("rules")],
    help: ArgumentHelp(
      "Rule file or folder, or 'bundled' for the rules in this binary (the default); give it again for more.",
      valueName: "path"),
    completion: .file(extensions: ["yaml", "yml"]))
  var paths: [String] = []

  /// The compiled rules. Errors and warnings go to stderr; ends the command with status 3 where they are errors.
  func compile() throws -> Ruleset {
    let sources = try RuleOptions.read(paths)
    let compilation = Ruleset.compileForMatching(sources)
    let text = DiagnosticRenderer(sources: sources, isColored: wantsColor(STDERR_FILENO)).render(
      compilation.diagnostics.filter { $0.severity != .note })
    write(text, to: STDERR_FILENO)
    guard let ruleset = compilation.ruleset else {
      report(["the rules have errors: nothing was started"], help: ["check them alone with 'martlet check PATH'"])
      throw ExitStatus.rulesInvalid
    }
    guard ruleset.rules.contains(where: \.isEnabled) else {
      report(["no rule is enabled: there is nothing to look for"], help: ["'-r bundled' adds the rules in this binary"])
      throw ExitStatus.rulesInvalid
    }
    return ruleset
  }

  /// Stands for the rules in this binary among paths.
  private static let bundledName = "bundled"

  static func read(_ paths: [String]) throws -> [SourceFile] {
    guard !paths.isEmpty else { return BundledRules.sources }
    do {
      // A site adds to the rules in the binary where there is no other copy, as in the image. A file of that name is
      // still reached, as './bundled'.
      return try paths.flatMap { $0 == bundledName ? BundledRules.sources : try RuleFiles.read([$0]) }
    } catch {
      report(["\(error)"], help: ["name a rule file, or a folder with rule files in it"])
      throw ExitStatus.rulesInvalid
    }
  }
}
