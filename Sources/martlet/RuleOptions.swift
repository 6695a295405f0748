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
      "Rule file or folder; give it again for more, loaded in order. Default: the bundled rules.", valueName: "path"),
    completion: .file(extensions: ["yaml", "yml"]))
  var paths: [String] = []

  /// The compiled rules. Diagnostics go to stderr; ends the command with status 3 where they are errors.
  func compile() throws -> Ruleset {
    let sources = try RuleOptions.read(paths)
    let compilation = Ruleset.compileForMatching(sources)
    let text = DiagnosticRenderer(sources: sources, isColored: wantsColor(STDERR_FILENO)).render(
      compilation.diagnostics)
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

  static func read(_ paths: [String]) throws -> [SourceFile] {
    guard !paths.isEmpty else { return BundledRules.sources }
    do {
      return try RuleFiles.read(paths)
    } catch {
      report(["\(error)"], help: ["name a rule file, or a folder with rule files in it"])
      throw ExitStatus.rulesInvalid
    }
  }
}
