// SPDX-License-Identifier: Apache-2.0

import MartletMatching
public import MartletRules

extension Ruleset {
  /// Compiles rule files for the matcher of this program: its patterns are checked by the engine that will match them.
  public static func compileForMatching(_ sources: [SourceFile]) -> Compilation {
    compile(sources, regexProblem: RegularExpression.problem)
  }
}

extension ConditionCheck {
  /// Checks one condition for the matcher of this program.
  public init(forMatching text: [UInt8]) { self.init(text, regexProblem: RegularExpression.problem) }
}
