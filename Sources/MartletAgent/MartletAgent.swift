// SPDX-License-Identifier: Apache-2.0

/// MartletAgent wires the parts and owns their life.
///
/// - In: rule files, options, signals.
/// - Out: a running watch (`NodeWatch`), and at its end what became of every event (`RunSummary`).
/// - The way: `RuleFiles` → compiled rules → `Pipeline` (pure) between a capture source and an alert output.
/// - What it refuses to know: how any of the parts do their work. Only here do capture, core and outputs meet.
public enum Martlet {
  /// The release, as `--version` and the start-up line say it.
  public static let version = "0.1.0"
}
