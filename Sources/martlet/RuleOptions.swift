// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
import Glibc
import MartletAgent
public import MartletRules

/// Which rules a command works with.
struct RuleOptions: ParsableArguments {
  @Option(
    name: [.customShort("r"), .customLong("rules")],
    help: ArgumentHelp(
      "Rule file or folder, or 'bundled' for the rules in this binary (the default); give it again for more.",
      valueName: "path"),
    completion: .file(extensions: ["yaml", "yml"]))
  var paths: [String] = []

  @OptionGroup var choices: RuleChoices

  /// The compiled rules. Errors and warnings go to stderr; ends the command with status 3 where they are errors.
  func compile() throws -> Ruleset { try RuleRefusal.endsCommand(load) }

  /// The same, for commands that have nothing to do without a rule to try.
  func compileEnabled() throws -> Ruleset { try RuleRefusal.endsCommand(loadEnabled) }

  /// The compiled rules; what the compiler says of them goes to stderr.
  private func load() throws(RuleRefusal) -> Ruleset {
    let sources = try Self.read(paths)
    let options = choices.compileOptions()
    let compilation = Ruleset.compile(sources, options)
    // Events that are not of a live node may have what nobody captures: a watch says it, in one line.
    let shown = compilation.diagnostics.filter { $0.severity != .note && $0.code != .neverFires }
    let renderer = DiagnosticRenderer(sources: sources + options.sources, isColored: wantsColor(STDERR_FILENO))
    write(renderer.render(shown), to: STDERR_FILENO)
    guard let ruleset = compilation.ruleset else { throw .errors(shown.filter { $0.severity == .error }) }
    return ruleset
  }

  func loadEnabled() throws(RuleRefusal) -> Ruleset {
    let ruleset = try load()
    guard ruleset.rules.contains(where: \.isEnabled) else { throw .noneEnabled(help: idleHelp(ruleset)) }
    warnOfNeverFiring(ruleset)
    return ruleset
  }

  private func idleHelp(_ ruleset: Ruleset) -> String {
    guard ruleset.rules.isEmpty else {
      return "\(CheckCommand.count(ruleset.rules.count, "rule")) switched off: '--enable NAME' switches rules on"
    }
    return choices.priority == .debug
      ? "there is no rule in these files: '-r bundled' adds the rules in this binary"
      : "no rule in these files is as urgent as '--priority' asks"
  }

  private static let namesMax = 3

  private func warnOfNeverFiring(_ ruleset: Ruleset) {
    let names = ruleset.neverFiring.map { "'\(DiagnosticRenderer.printable($0.name))'" }
    guard !names.isEmpty else { return }
    let more = names.count - Self.namesMax
    let shown = names.prefix(Self.namesMax).joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
    let all = CheckCommand.count(ruleset.rules.count(where: \.isEnabled), "enabled rule")
    write(
      "warning: \(names.count) of \(all) can never fire on a live node: \(shown); 'martlet check' says why\n",
      to: STDERR_FILENO)
  }

  /// Files and folders, without what is in this binary.
  var filePaths: [String] { paths.filter { $0 != Self.bundledName } }

  /// Stands for the rules in this binary among paths.
  private static let bundledName = "bundled"

  static func read(_ paths: [String]) throws(RuleRefusal) -> [SourceFile] {
    guard !paths.isEmpty else { return BundledRules.sources }
    var sources: [SourceFile] = []
    for path in paths {
      // A site adds to the rules in the binary where there is no other copy, as in the image. A file of that name is
      // still reached, as './bundled'.
      do throws(RuleFiles.Failure) {
        sources += path == bundledName ? BundledRules.sources : try RuleFiles.read([path])
      } catch {
        throw .unreadable(error)
      }
    }
    return sources
  }
}

extension RuleOptions {
  /// What Falco says to the paths that cannot be read.
  static func unreadable(_ paths: [String]) -> [LoadResult] {
    paths.compactMap { path in
      guard path != bundledName else { return nil }
      do throws(RuleFiles.Failure) {
        _ = try RuleFiles.read([path])
        return nil
      } catch {
        return LoadResult(unreadable: error.path, reason: "\(error)")
      }
    }
  }
}

/// Which of the rules in the files count, and what is added to their outputs.
struct RuleChoices: ParsableArguments {
  @Option(
    name: .customLong("enable"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Switch rules on, by name with '*' for anything, or by 'tag:NAME'. Applied in order with --disable.",
      valueName: "rules"),
    transform: { RuleSelection($0, isEnabled: true) })
  private var enabled: [RuleSelection] = []

  @Option(
    name: .customLong("disable"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Switch rules off, likewise.", valueName: "rules"),
    transform: { RuleSelection($0, isEnabled: false) })
  private var disabled: [RuleSelection] = []

  // Optional, as the help would show a default by the number behind its name.
  @Option(
    name: .customLong("priority"),
    help: "The least urgent priority of rules to load, such as warning; all are loaded without it.")
  private var chosenPriority: Priority?

  var priority: Priority { chosenPriority ?? .debug }

  @Option(help: "Of the rules that hold for an event, whether the first fires or all do.")
  var ruleMatching = RuleMatching.first

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Append this to every rule's output; may name fields.", valueName: "template"))
  var appendOutput: [String] = []

  /// Nothing was chosen.
  var areNone: Bool {
    enabled.isEmpty && disabled.isEmpty && priority == .debug && ruleMatching == .first && appendOutput.isEmpty
  }

  func compileOptions() -> CompileOptions {
    var options = CompileOptions.forMatching
    options.leastPriority = priority
    options.matching = ruleMatching
    options.selections = selections
    options.outputAmendments = appendOutput.map { OutputAmendment(extraOutput: $0) }
    return options
  }

  /// In the order of the command line, which the parser of arguments does not keep between two options.
  private var selections: [RuleSelection] {
    var lists = [true: enabled[...], false: disabled[...]]
    var result: [RuleSelection] = []
    for argument in CommandLine.arguments {
      let isEnabled: Bool? =
        argument == "--enable" || argument.hasPrefix("--enable=")
        ? true : argument == "--disable" || argument.hasPrefix("--disable=") ? false : nil
      guard let isEnabled, let next = lists[isEnabled]?.popFirst() else { continue }
      result.append(next)
    }
    return result
  }
}

extension RuleMatching: ExpressibleByArgument {}

extension Priority: ExpressibleByArgument {
  public init?(argument: String) { self.init(name: argument) }

  public static var allValueStrings: [String] { allCases.map { $0.name.lowercased() } }
  /// None: the library's own go by the numbers behind the names.
  public static var allValueDescriptions: [String: String] { [:] }
}
