// SPDX-License-Identifier: Apache-2.0

/// What a step of the way to a mistake is, in Falco's words.
enum LoadItem: String {
  case value = "value for"
  case exceptions, exception
  case exceptionValues = "exception values"
  case exceptionValue = "exception value"
  case content = "rules content"
  case contentItem = "rules content item"
  case engineVersion = "required_engine_version"
  case plugins = "required plugin versions"
  case plugin = "required plugin versions entry"
  case pluginAlternative = "required plugin versions alternative"
  case list
  case listItem = "list item"
  case macro
  case macroCondition = "macro condition"
  case rule
  case ruleCondition = "rule condition"
  case conditionExpression = "condition expression"
  case ruleOutput = "rule output"
  case rulePriority = "rule priority"
  case overrides
}

/// One step of the way to a mistake, from the file inwards.
struct LoadLocation {
  let item: LoadItem
  let name: String
  let place: Place

  enum Place {
    /// Where the item begins.
    case file(FileRange)
    /// An offset in a condition, which begins where the step before this one is.
    case condition([UInt8], offset: Int)
  }

  init(_ item: LoadItem, _ name: String = "", _ place: FileRange) {
    self.item = item
    self.name = name
    self.place = .file(place)
  }

  init(_ condition: [UInt8], offset: Int) {
    item = .conditionExpression
    name = ""
    place = .condition(condition, offset: offset)
  }
}

/// When Falco would have met a mistake: it reads a file, then compiles all macros, then all rules, and stops at the
/// first error.
struct LoadStep: Comparable {
  enum Phase: Int { case reading, macroSyntax, macroNames, rules, unused }
  /// What is done with one rule, in this order.
  enum Part: Int { case exceptions, output, syntax, names, warnings, types, events }

  var phase = Phase.reading
  /// The number of the macro or rule.
  var index = 0
  var part = Part.exceptions

  static func < (left: LoadStep, right: LoadStep) -> Bool {
    (left.phase.rawValue, left.index, left.part.rawValue) < (right.phase.rawValue, right.index, right.part.rawValue)
  }
}
