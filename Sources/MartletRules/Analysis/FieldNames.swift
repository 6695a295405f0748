// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Finds the field that a rule names.
enum FieldNames {
  enum Mistake: Error {
    case unknown
    case unexpectedIndex
    case invalidIndex
  }

  static func resolve(_ name: String, argument: [UInt8]?) -> Result<FieldReference, Mistake> {
    guard let field = FieldRegistry.field(named: name) else {
      return .failure(.unknown)
    }
    guard let argument else { return .success(FieldReference(field)) }
    switch field.description.argument {
    case .none: return .failure(.unexpectedIndex)
    case .optionalIndex:
      guard !argument.isEmpty, argument.allSatisfy(\.isDigit), let index = Int(argument.string) else {
        return .failure(.invalidIndex)
      }
      return .success(FieldReference(field, index: index))
    }
  }
}
