// SPDX-License-Identifier: Apache-2.0

/// What can be wrong. Stable across releases, never reused.
public enum DiagnosticCode: String, CaseIterable, Sendable {
  case unknownField = "R0101"
  public var severity: Severity { .error }
}
