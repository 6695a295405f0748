// SPDX-License-Identifier: Apache-2.0

/// Falco's names for what can be wrong in a rule file, for programs that know those.
public enum UpstreamCode: String, CaseIterable, Sendable {
  case fileRead = "LOAD_ERR_FILE_READ"
  case yamlParse = "LOAD_ERR_YAML_PARSE"
  case yamlValidate = "LOAD_ERR_YAML_VALIDATE"
  case compileCondition = "LOAD_ERR_COMPILE_CONDITION"
  case compileOutput = "LOAD_ERR_COMPILE_OUTPUT"
  case validate = "LOAD_ERR_VALIDATE"
  case unknownSource = "LOAD_UNKNOWN_SOURCE"
  case unsafeNotAvailableCheck = "LOAD_UNSAFE_NA_CHECK"
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

  /// Falco refuses the file.
  public var isError: Bool { rawValue.hasPrefix("LOAD_ERR_") }

  /// How Falco says what the code means.
  public var summary: String {
    switch self {
    case .fileRead: "File read error"
    case .yamlParse: "YAML parse error"
    case .yamlValidate: "Error validating internal structure of YAML file"
    case .compileCondition: "Error compiling condition"
    case .compileOutput: "Error compiling output"
    case .validate: "Error validating rule/macro/list/exception objects"
    case .unknownSource: "Unknown event source"
    case .unsafeNotAvailableCheck: "Unsafe <NA> comparison in condition"
    case .noEventType: "Condition has no event-type restriction"
    case .unknownFilter: "Unknown field or event-type in condition or output"
    case .unusedMacro: "Unused macro"
    case .unusedList: "Unused list"
    case .unknownItem: "Unknown rules file item"
    case .deprecatedItem: "Used deprecated item"
    case .appendWithoutValues: "Overriding/appending with no values"
    case .exceptionNameNotUnique: "Multiple exceptions defined with the same name"
    case .invalidMacroName: "Invalid macro name"
    case .invalidListName: "Invalid list name"
    case .conditionWarning: "Warning in rule condition"
    case .unknownKey: "Unknown key in item definition"
    }
  }
}

extension DiagnosticCode {
  /// What Falco calls it, where it has a name for it; a mistake may have another one depending on where it is. Our own
  /// bounds count as what Falco calls a file that cannot be used. Nil for our own advice.
  var upstream: UpstreamCode? {
    switch self {
    case .notUTF8, .invalidYAML, .fileTooLarge, .unsupportedYAML, .tooManyNodes: .yamlParse
    case .notAnItem, .wrongShape, .missingKey, .invalidPriority, .invalidOverride: .yamlValidate
    case .engineVersion, .unknownPlugin, .invalidException, .nothingToAmend, .undefinedMacro, .macroBeforeDefinition,
      .macroLoop, .otherSource, .tooManyDefinitions, .tooManyItems, .conditionTooLarge:
      .validate
    case .emptyCondition, .unexpectedText, .expectedOperand, .unclosedParenthesis, .unclosedQuote, .invalidEscape,
      .unknownOperator, .expectedValue, .expectedList, .invalidArgument, .missingBlank, .nestedTooDeep:
      .compileCondition
    case .unknownField, .unknownEventType, .unexpectedIndex, .invalidIndex, .unknownArgument, .missingArgument:
      .compileCondition
    case .operatorMismatch, .invalidConstant, .constantTooLong, .constantWithNUL, .invalidTransformer, .sidesMismatch,
      .invalidPattern:
      .compileCondition
    case .invalidOutput, .filterOnlyField: .compileOutput
    case .unknownSource: .unknownSource
    case .unknownItem: .unknownItem
    case .unknownKey: .unknownKey
    case .everyEvent: .noEventType
    case .unsafeNotAvailableCheck: .unsafeNotAvailableCheck
    case .unusedMacro: .unusedMacro
    case .unusedList: .unusedList
    case .exceptionWithoutValues: .appendWithoutValues
    case .duplicateException: .exceptionNameNotUnique
    case .skippedRule: .unknownFilter
    case .deprecatedSwitch, .deprecatedAppend, .deprecatedOutput, .deprecatedField: .deprecatedItem
    case .fieldAsText, .transformerAsText, .simplePattern: .conditionWarning
    case .duplicateKey, .invalidName, .tooManyDiagnostics, .numberWraps, .nestedListAsText, .redefinition,
      .unsupportedKey, .ignoredKey, .shadowedRule, .looseAppend, .nameTooLong, .unknownExceptionKey, .undefinedList,
      .invalidRuleTest, .unknownRule, .uncapturedField, .nothingSelected, .neverFires, .misspelledList:
      nil
    }
  }
}
