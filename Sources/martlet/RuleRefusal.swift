// SPDX-License-Identifier: Apache-2.0

import MartletAgent
import MartletRules

/// Why there are no rules to work with.
enum RuleRefusal: Error {
  case unreadable(RuleFiles.Failure)
  /// What the compiler says of them, which it has said to the user.
  case errors([Diagnostic])
  /// `help`: what would enable one.
  case noneEnabled(help: String)

  /// What `body` gives; where it refuses, the command says why and ends with status 3.
  static func endsCommand<Value>(_ body: () throws(RuleRefusal) -> Value) throws -> Value {
    do throws(RuleRefusal) { return try body() } catch {
      error.report(elseSay: "nothing was started")
      throw ExitStatus.rulesInvalid
    }
  }

  /// On stderr; `consequence`: what comes of it.
  func report(elseSay consequence: String) {
    switch self {
    case .unreadable(let failure):
      martlet.report(["\(failure)"], help: ["name a rule file, or a folder with rule files in it"])
    case .errors:
      martlet.report(["the rules have errors: \(consequence)"], help: ["check them alone with 'martlet check PATH'"])
    case .noneEnabled(let help):
      martlet.report(["no rule is enabled: there is nothing to look for"], help: [help])
    }
  }

  /// In a few words, for a log and an alert, with the place of the first error.
  var reason: String {
    switch self {
    case .unreadable(let failure): return "\(failure)"
    case .noneEnabled: return "no rule is enabled"
    case .errors(let errors):
      guard let first = errors.first else { return "they have errors" }
      let place = first.primary.span.start
      let more = errors.count > 1 ? ", and \(errors.count - 1) more" : ""
      return "\(first.code.rawValue) in '\(place.path)', line \(place.line): \(first.message)\(more)"
    }
  }
}

extension RuleOptions {
  /// The rules as they are now, for a watch that has others in force. What is wrong with them goes to stderr; the
  /// refusal says it in a few words.
  func compileAgain() throws(Agent.RuleReload.Refusal) -> Ruleset {
    do throws(RuleRefusal) { return try loadEnabled() } catch {
      error.report(elseSay: "the rules before stay in force")
      throw Agent.RuleReload.Refusal(error.reason)
    }
  }
}
