// SPDX-License-Identifier: Apache-2.0

/// Bounds on everything that a rule file can make large. Each has a diagnostic; none is near what people write.
public struct Limits: Sendable {
  /// Bytes of one file.
  public var fileBytes = 4 << 20
  /// Levels of YAML inside each other. Rule files need five.
  public var yamlDepth = 32
  /// YAML nodes of one file, those behind aliases counted at each use.
  public var yamlNodes = 1_000_000
  /// Levels of a condition, macros expanded: Falco's own limit.
  public var conditionDepth = 1000
  /// Definitions of rules, macros and lists, all files together.
  public var definitions = 50_000
  /// Entries of one list.
  public var listItems = 100_000
  /// Comparisons and constants of one condition, macros and lists expanded.
  public var conditionSize = 200_000
  /// The same for all rules together.
  public var rulesetSize = 5_000_000
  /// Bytes of one constant: Falco's own limit.
  public var constantBytes = 255
  /// Diagnostics that are kept; what comes behind them is not reported.
  public var diagnostics = 1000

  public init() {}
}
