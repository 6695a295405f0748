// SPDX-License-Identifier: Apache-2.0

/// What can be wrong. Stable across releases, never reused.
///
/// `R00xx` files, YAML and syntax; `R01xx` names; `R02xx` types; `R03xx` cost and style; `R04xx` deprecated or not
/// supported; `R05xx` rule tests. What each means at length stands in `DiagnosticCode+Explanation.swift`.
public enum DiagnosticCode: String, CaseIterable, Sendable {
  // Files and YAML
  case notUTF8 = "R0001"
  case fileTooLarge = "R0002"
  case invalidYAML = "R0003"
  case unsupportedYAML = "R0004"
  case nestedTooDeep = "R0005"
  case tooManyNodes = "R0006"
  case tooManyDefinitions = "R0007"
  case tooManyItems = "R0008"
  case conditionTooLarge = "R0009"
  // Items and keys
  case notAnItem = "R0010"
  case wrongShape = "R0011"
  case missingKey = "R0012"
  case duplicateKey = "R0013"
  case unknownItem = "R0014"
  case unknownKey = "R0015"
  case invalidPriority = "R0016"
  case invalidName = "R0017"
  case engineVersion = "R0018"
  case tooManyDiagnostics = "R0019"
  case invalidOverride = "R0020"
  case invalidException = "R0021"
  // Conditions and outputs
  case emptyCondition = "R0030"
  case unexpectedText = "R0031"
  case expectedOperand = "R0032"
  case unclosedParenthesis = "R0033"
  case unclosedQuote = "R0034"
  case invalidEscape = "R0035"
  case unknownOperator = "R0036"
  case expectedValue = "R0037"
  case expectedList = "R0038"
  case invalidArgument = "R0039"
  case missingBlank = "R0040"
  case invalidOutput = "R0041"
  // Names
  case unknownField = "R0101"
  case undefinedMacro = "R0102"
  case undefinedList = "R0103"
  case macroBeforeDefinition = "R0104"
  case macroLoop = "R0105"
  case unknownEventType = "R0106"
  case unknownSource = "R0107"
  case unexpectedIndex = "R0108"
  case invalidIndex = "R0109"
  case unknownPlugin = "R0110"
  case nothingToAmend = "R0111"
  case otherSource = "R0112"
  case nothingSelected = "R0113"
  case unknownArgument = "R0120"
  case missingArgument = "R0121"
  // Types
  case operatorMismatch = "R0201"
  case invalidConstant = "R0202"
  case constantTooLong = "R0203"
  case constantWithNUL = "R0204"
  case filterOnlyField = "R0205"
  case invalidTransformer = "R0207"
  case sidesMismatch = "R0208"
  case invalidPattern = "R0209"
  // Cost and style
  case everyEvent = "R0301"
  case fieldAsText = "R0302"
  case unusedMacro = "R0303"
  case unusedList = "R0304"
  case numberWraps = "R0305"
  case nestedListAsText = "R0306"
  case redefinition = "R0307"
  case exceptionWithoutValues = "R0308"
  case duplicateException = "R0309"
  case skippedRule = "R0310"
  case uncapturedField = "R0320"
  case transformerAsText = "R0321"
  case unknownExceptionKey = "R0322"
  case unsafeNotAvailableCheck = "R0323"
  case shadowedRule = "R0324"
  case looseAppend = "R0325"
  case nameTooLong = "R0326"
  case neverFires = "R0327"
  case misspelledList = "R0328"
  case simplePattern = "R0330"
  // Deprecated, not supported
  case unsupportedKey = "R0402"
  case deprecatedSwitch = "R0403"
  case deprecatedAppend = "R0404"
  case ignoredKey = "R0405"
  case deprecatedOutput = "R0406"
  case deprecatedField = "R0407"
  // Rule tests
  case invalidRuleTest = "R0501"
  case unknownRule = "R0502"

  public var severity: Severity {
    switch self {
    case .unknownItem, .unknownKey, .unknownSource, .everyEvent, .fieldAsText, .transformerAsText, .simplePattern,
      .undefinedList,
      .unsafeNotAvailableCheck, .unusedMacro, .unusedList, .exceptionWithoutValues, .duplicateException, .skippedRule,
      .deprecatedSwitch, .deprecatedAppend, .deprecatedOutput, .deprecatedField, .invalidName, .duplicateKey,
      .unsupportedKey, .ignoredKey, .unknownExceptionKey, .tooManyDiagnostics, .nothingSelected, .neverFires,
      .misspelledList:
      .warning
    // Advice: what Falco has no word for and what may well be meant.
    case .numberWraps, .nestedListAsText, .redefinition, .shadowedRule, .looseAppend, .nameTooLong, .uncapturedField:
      .note
    default: .error
    }
  }
}
