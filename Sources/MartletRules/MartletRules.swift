// SPDX-License-Identifier: Apache-2.0

/// MartletRules turns rule files in Falco's language into checked, typed rules, or explains why not.
///
/// - In: `SourceFile` values, in load order. Nothing here opens a file.
/// - Out: a `Compilation`: a `Ruleset` of typed conditions whose every name, operator and constant is known to be
///   good, and `Diagnostic`s that point at characters of the files. There is a rule set if and only if no diagnostic
///   is an error.
/// - On the way: bytes → YAML nodes whose scalars know where their bytes came from (`Documents/`) → items → condition
///   syntax (`Conditions/`, cannot fail) → names, types, macro expansion, event types (`Analysis/`).
/// - What it refuses to know: how a rule is matched, what an event looks like in memory, where files live.
extension Ruleset {
  /// Compiles rule files, given in load order. Never throws for a mistake in the rules: mistakes are the result.
  public static func compile(_ sources: [SourceFile], _ options: CompileOptions = CompileOptions()) -> Compilation {
    Compiler(sources: sources, options: options).compile()
  }

  /// What Falco would say to the same files. Takes as many compilations as there are files.
  public static func loadResults(
    _ sources: [SourceFile], _ options: CompileOptions = CompileOptions()
  ) -> [LoadResult] {
    Compiler(sources: sources, options: options).loadResults()
  }
}

/// What is wrong with a pattern, in a few words; nil if nothing is. The engine that knows is not a matter of this
/// module.
public typealias RegexProblem = @Sendable (_ pattern: [UInt8]) -> String?

/// What became of some rule files.
public struct Compilation: Sendable {
  /// Nil if and only if a diagnostic is an error.
  public let ruleset: Ruleset?
  /// In the order of files and positions.
  public let diagnostics: [Diagnostic]

  public var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
}
