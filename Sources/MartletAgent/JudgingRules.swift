// SPDX-License-Identifier: Apache-2.0

import MartletAlerts
import MartletMatching
public import MartletRules
import MartletState

/// Rules, made ready to judge events and to say what they found: all of a pipeline that comes from rules.
public struct JudgingRules: ~Copyable {
  var matcher: Matcher
  let reference: ReferenceEvaluator
  let composer: AlertComposer
  let matching: RuleMatching
  /// What events of a container wait for. One answer for all rules: alerts of one container keep their order.
  let awaited: AwaitedNames
  /// Of all rules, by id.
  let names: [String]
  /// Rules that are looked for.
  let count: Int

  /// `explainsAlerts`: alerts say why they were raised.
  public init(_ ruleset: Ruleset, explainsAlerts: Bool = false) {
    matcher = Matcher(MatchPlanner.plan(ruleset)) { Clock.monotonicNanoseconds }
    reference = ReferenceEvaluator(ruleset)
    composer = AlertComposer(ruleset, explains: explainsAlerts)
    matching = ruleset.matching
    awaited = ruleset.rules.filter(\.isEnabled).reduce(.container) { $0.union($1.awaitedNames) }
    names = ruleset.rules.map(\.name)
    count = ruleset.rules.count { $0.isEnabled }
  }
}
