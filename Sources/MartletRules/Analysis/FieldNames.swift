// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Finds the field that a rule names.
enum FieldNames {
  /// `argument` is what stands in brackets.
  static func resolve(_ name: String, argument: [UInt8]?) -> Result<FieldReference, FieldLookupError> {
    FieldRegistry.resolve(name, brackets: argument).flatMap { field, resolved in
      if field.description.argument == .eventName, case .key(let key) = resolved, !EventTypeNames.isKnown(key.string) {
        return .failure(.unknownKey)
      }
      let brackets = argument.flatMap { $0.isEmpty ? nil : "[\(Comparison.quotedIfNeeded($0))]" }
      return .success(FieldReference(field, resolved, text: name + (brackets ?? "")))
    }
  }

  /// Whether it is a field, at least with an argument.
  static func isKnown(_ name: String) -> Bool {
    switch resolve(name, argument: nil) {
    case .success, .failure(.missingArgument): true
    case .failure: false
    }
  }

  /// What to report of a name that is no field.
  static func mistake(
    _ error: FieldLookupError, _ name: String
  ) -> (code: DiagnosticCode, message: String, label: String) {
    switch error {
    case .unknownField: (.unknownField, "unknown field '\(name)'", "no such field")
    case .unexpectedArgument: (.unexpectedIndex, "'\(name)' takes nothing in brackets", "not expected here")
    case .argumentNeedsDot: (.unexpectedIndex, "'\(name)' takes its argument behind a dot", "not expected here")
    case .missingArgument: (.missingArgument, "'\(name)' needs an argument", "nothing behind it")
    case .invalidIndex: (.invalidIndex, "'\(name)' takes a number in brackets", "not a number")
    case .unknownKey: (.unknownArgument, "unknown argument in '\(name)'", "no event has it")
    }
  }
}
