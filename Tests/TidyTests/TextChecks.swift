// SPDX-License-Identifier: Apache-2.0

/// What can be said about a file from its lines alone.
enum TextChecks {
  static let linesMax = 600
  static let functionLinesMax = 70
  /// What runs in the kernel has to offer the GPL: the kernel keeps most of its functions from other programs.
  static func license(of path: String) -> String {
    let isKernelSide = path.hasPrefix("bpf/") && !path.hasPrefix("bpf/include/")
    return "SPDX-License-Identifier: " + (isKernelSide ? "GPL-2.0-only OR BSD-2-Clause" : "Apache-2.0")
  }

  /// The licence is named on the first line, or right below a line that has to be first.
  static func license(_ file: SourceFile) -> [Finding] {
    guard [.swift, .c, .script].contains(file.language) else { return [] }
    let first = file.lines.first ?? ""
    let mustBeFirst = first.hasPrefix("#!") || first.hasPrefix("// swift-tools-version")
    let line = mustBeFirst ? file.lines.dropFirst().first ?? "" : first
    let comment = line.drop { "/*# ".contains($0) }
    let license = license(of: file.path)
    guard !comment.hasPrefix(license) else { return [] }
    return [Finding(path: file.path, line: mustBeFirst ? 2 : 1, message: "says no '\(license)'")]
  }

  static func length(_ file: SourceFile) -> [Finding] {
    guard [.swift, .c, .script].contains(file.language) else { return [] }
    let count = file.lines.count - (file.text.hasSuffix("\n") ? 1 : 0)
    guard count > linesMax else { return [] }
    return [Finding(path: file.path, line: linesMax + 1, message: "has \(count) lines, more than \(linesMax)")]
  }

  static func functionLength(_ file: SourceFile) -> [Finding] {
    let functions: [MeasuredFunction]
    switch file.language {
    case .swift: functions = FunctionMeasure(file.code).swiftFunctions()
    case .c: functions = FunctionMeasure(file.code).cFunctions()
    default: return []
    }
    return functions.filter { $0.lineCount > functionLinesMax }.map {
      let message = "'\($0.name)' has \($0.lineCount) lines, more than \(functionLinesMax)"
      return Finding(path: file.path, line: $0.line, message: message)
    }
  }

  /// Words that promise work instead of doing it. Spelled apart, so that this file does not find itself.
  static func promises(_ file: SourceFile) -> [Finding] {
    findings(of: #"\b(?:TO"# + #"DO|FIX"# + #"ME|XX"# + #"X)\b"#, in: file.text, of: file) {
      "'\($0)' promises work; do it or record it as an issue"
    }
  }

  /// The project speaks of itself alone, not of the machines and people it was made on.
  static func workplace(_ file: SourceFile) -> [Finding] {
    let pattern = #"(?i)/wo"# + #"rk/|\b(?:helper|agent|this) ses"# + #"sion\b|\bwork"# + #"tree\b"#
    return findings(of: pattern, in: file.text, of: file) { "'\($0)' speaks of a workplace, not of the project" }
  }

  /// Names that say nothing attract everything.
  static func name(_ file: SourceFile) -> [Finding] {
    let vague = ["util", "utils", "utilities", "utility", "helper", "helpers", "misc", "miscellaneous", "common"]
    let parts = file.components.map { part in part.prefix { $0 != "." } }
    return parts.filter { part in lastWord(of: part).map { vague.contains($0.lowercased()) } ?? false }.map {
      Finding(path: file.path, line: 1, message: "'\($0)' does not say what it holds")
    }
  }

  /// The last word of a name in CamelCase, or with separators.
  private static func lastWord(of name: Substring) -> Substring? {
    let words = name.matches(of: /[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])/)
    return words.last?.output
  }

  /// The text with every match of the pattern taken out.
  static func withoutMatches(of pattern: String, in text: String) -> String {
    text.replacing(expression(pattern), with: "")
  }

  private static func expression(_ pattern: String) -> Regex<AnyRegexOutput> {
    guard let expression = try? Regex(pattern) else { preconditionFailure("not a pattern: \(pattern)") }
    // Unicode's word boundaries see none in `Clock.now`.
    return expression.wordBoundaryKind(.simple)
  }

  /// One finding for each match of the pattern, with its line.
  static func findings(
    of pattern: String, in text: String, of file: SourceFile, message: (Substring) -> String
  ) -> [Finding] {
    let expression = expression(pattern)
    return text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().flatMap { index, line in
      line.matches(of: expression).map { match in
        Finding(path: file.path, line: index + 1, message: message(line[match.range]))
      }
    }
  }
}
