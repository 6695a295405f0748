// SPDX-License-Identifier: Apache-2.0

/// Falco's names for what can be wrong in a rule file, for programs that know those.
public enum UpstreamCode: String, Sendable {
  case fileRead = "LOAD_ERR_FILE_READ"
  case yamlParse = "LOAD_ERR_YAML_PARSE"
  case yamlValidate = "LOAD_ERR_YAML_VALIDATE"
  case compileCondition = "LOAD_ERR_COMPILE_CONDITION"
  case compileOutput = "LOAD_ERR_COMPILE_OUTPUT"
  case validate = "LOAD_ERR_VALIDATE"
  case unknownSource = "LOAD_UNKNOWN_SOURCE"
  case noEventType = "LOAD_NO_EVTTYPE"
  case unknownFilter = "LOAD_UNKNOWN_FILTER"
  case unusedMacro = "LOAD_UNUSED_MACRO"
  case unusedList = "LOAD_UNUSED_LIST"
  case unknownItem = "LOAD_UNKNOWN_ITEM"
  case deprecatedItem = "LOAD_DEPRECATED_ITEM"
  case appendWithoutValues = "LOAD_APPEND_NO_VALUES"
  case exceptionNameNotUnique = "LOAD_EXCEPTION_NAME_NOT_UNIQUE"
  case invalidMacroName = "LOAD_INVALID_MACRO_NAME"
  case invalidListName = "LOAD_INVALID_LIST_NAME"
  case conditionWarning = "LOAD_COMPILE_CONDITION"
  case unknownKey = "LOAD_UNKNOWN_KEY"
}

extension DiagnosticCode {
  /// What Falco calls it, where it has a name for it; mistakes inside outputs have another one. Nil for our own bounds
  /// and advice.
  var upstream: UpstreamCode? {
    switch self {
    case .fileTooLarge: .fileRead
    case .notUTF8, .invalidYAML: .yamlParse
    case .unsupportedYAML, .notAnItem, .wrongShape, .missingKey, .invalidPriority: .yamlValidate
    case .engineVersion, .unknownPlugin, .invalidOverride, .invalidException, .nothingToAmend: .validate
    case .emptyCondition, .unexpectedText, .expectedOperand, .unclosedParenthesis, .unclosedQuote, .invalidEscape,
      .unknownOperator, .expectedValue, .expectedList, .invalidArgument, .missingBlank:
      .compileCondition
    case .unknownField, .undefinedMacro, .macroBeforeDefinition, .macroLoop, .unknownEventType,
      .unexpectedIndex, .invalidIndex:
      .compileCondition
    case .operatorMismatch, .invalidConstant, .constantTooLong, .constantWithNUL, .listForOneValue,
      .invalidTransformer, .sidesMismatch, .invalidPattern:
      .compileCondition
    case .invalidOutput, .filterOnlyField: .compileOutput
    case .unknownSource: .unknownSource
    case .unknownItem: .unknownItem
    case .unknownKey: .unknownKey
    case .everyEvent: .noEventType
    case .fieldAsText, .simplePattern: .conditionWarning
    case .unusedMacro: .unusedMacro
    case .unusedList: .unusedList
    case .exceptionWithoutValues: .appendWithoutValues
    case .duplicateException: .exceptionNameNotUnique
    case .skippedRule: .unknownFilter
    case .deprecatedSwitch, .deprecatedAppend: .deprecatedItem
    case .nestedTooDeep, .tooManyNodes, .tooManyDefinitions, .tooManyItems, .conditionTooLarge, .duplicateKey,
      .invalidName, .tooManyDiagnostics, .numberWraps, .nestedListAsText, .redefinition, .unsupportedCondition,
      .undefinedList, .unsupportedKey, .ignoredKey, .invalidRuleTest, .unknownRule:
      nil
    }
  }
}
