// SPDX-License-Identifier: Apache-2.0

/// One thing wrong, or doubtful, in a rule file.
public struct Diagnostic: Hashable, Sendable {
  /// Stable across releases; carries the severity and the explanation.
  public let code: DiagnosticCode
  /// What Falco calls it, if it does.
  public let upstreamCode: UpstreamCode?
  /// One line, lower case, names in single quotes, no position, no full stop.
  public let message: String
  /// Where, and the few words under the carets.
  public let primary: SourceLabel
  /// Other places that matter, in this file or another.
  public let related: [SourceLabel]
  /// How we got here: the macro chain, innermost first.
  public let notes: [Note]
  /// What to do about it.
  public let help: [Suggestion]

  public var severity: Severity { code.severity }

  public init(
    _ code: DiagnosticCode, _ message: String, at primary: SourceLabel, related: [SourceLabel] = [],
    notes: [Note] = [], help: [Suggestion] = [], upstreamCode: UpstreamCode? = nil
  ) {
    self.code = code
    self.upstreamCode = upstreamCode ?? code.upstream
    self.message = message
    self.primary = primary
    self.related = related
    self.notes = notes
    self.help = help
  }
}

public enum Severity: String, Sendable {
  case error, warning
  /// Worth knowing; nothing is wrong.
  case note
}

/// A stretch of a file and the few words that say why it matters.
public struct SourceLabel: Hashable, Sendable {
  public let span: SourceSpan
  /// May be empty.
  public let text: String

  public init(_ span: SourceSpan, _ text: String = "") {
    self.span = span
    self.text = text
  }
}

/// A step on the way to a mistake.
public struct Note: Hashable, Sendable {
  public let text: String
  public let span: SourceSpan?

  public init(_ text: String, at span: SourceSpan? = nil) {
    self.text = text
    self.span = span
  }
}

/// Advice: prose, and a replacement where it is certain enough to be typed in.
public struct Suggestion: Hashable, Sendable {
  public let text: String
  public let replacement: Replacement?

  public init(_ text: String, replacing span: SourceSpan? = nil, with newText: String = "") {
    self.text = text
    replacement = span.map { Replacement(span: $0, newText: newText) }
  }

  public struct Replacement: Hashable, Sendable {
    public let span: SourceSpan
    public let newText: String
  }
}
