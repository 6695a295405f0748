// SPDX-License-Identifier: Apache-2.0

import MartletMatching
public import MartletRules

extension CompileOptions {
  /// For the matcher of this program: patterns are checked by the engine that will match them.
  public static var forMatching: CompileOptions {
    var options = CompileOptions()
    options.regexProblem = RegularExpression.problem
    return options
  }
}

extension ConditionCheck {
  /// Checks one condition for the matcher of this program.
  public init(forMatching text: [UInt8]) { self.init(text, regexProblem: RegularExpression.problem) }
}
