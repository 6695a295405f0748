// SPDX-License-Identifier: Apache-2.0

import MartletAgent
import MartletRules

extension RuleOptions {
  /// The rules as they are now, for a watch that has others in force. What is wrong with them goes to stderr; the
  /// refusal says it in a few words.
  func compileAgain() throws(Agent.RuleReload.Refusal) -> Ruleset {
    do {
      return try compileEnabled(elseSay: .nothingChanges)
    } catch {
      throw Agent.RuleReload.Refusal(reasonForRefusal())
    }
  }

  /// Found in the files once more: they are few, and were refused just now.
  private func reasonForRefusal() -> String {
    do throws(RuleFiles.Failure) { _ = try RuleFiles.read(filePaths) } catch { return "\(error)" }
    guard let sources = try? Self.read(paths), let options = try? choices.compileOptions() else {
      return "they cannot be read"
    }
    let compilation = Ruleset.compile(sources, options)
    let errors = compilation.diagnostics.filter { $0.severity == .error }
    guard let first = errors.first else { return "no rule is enabled" }
    let place = first.primary.span.start
    let more = errors.count > 1 ? ", and \(errors.count - 1) more" : ""
    return "\(first.code.rawValue) in '\(place.path)', line \(place.line): \(first.message)\(more)"
  }
}
