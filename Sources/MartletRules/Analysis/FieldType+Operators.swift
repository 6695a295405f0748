// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Which operators a type takes, and the words for it.
extension FieldType {
  enum Family { case text, bytes, number, boolean, address, opaque }

  var family: Family {
    switch self {
    case .string, .path: .text
    case .bytes: .bytes
    case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .flags8, .flags16, .flags32, .enumFlags8,
      .enumFlags16, .enumFlags32, .mode, .errorNumber, .descriptor, .processID, .signal, .double, .port,
      .absoluteTime, .relativeTime, .systemCall:
      .number
    case .boolean: .boolean
    case .address, .network: .address
    case .userID, .groupID, .socketAddress, .socketTuple, .descriptorList, .signalSet, .textArray, .textPairArray,
      .dynamic:
      .opaque
    }
  }

  func takes(_ symbol: OperatorSymbol) -> Bool {
    switch symbol {
    case .exists: true
    case .equal, .doubleEqual, .notEqual, .isIn, .intersects: family != .opaque
    case .less, .lessOrEqual, .greater, .greaterOrEqual: family == .text || family == .number
    case .bcontains, .bstartswith: family == .bytes
    case .contains, .startswith, .endswith: family == .text || family == .bytes
    default: family == .text
    }
  }

  /// "a number (int64)".
  var phrase: String {
    switch self {
    case .string: "a text"
    case .path: "a path"
    case .boolean: "true or false"
    case .address: "an address"
    case .network: "an address, compared with networks"
    case .port: "a port"
    case .absoluteTime, .relativeTime: "a time (\(name))"
    case .bytes: "bytes"
    case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .flags8, .flags16, .flags32, .enumFlags8,
      .enumFlags16, .enumFlags32, .mode, .errorNumber, .descriptor, .processID, .userID, .groupID, .signal, .double,
      .systemCall:
      "a number (\(name))"
    case .socketAddress, .socketTuple, .descriptorList, .signalSet, .textArray, .textPairArray, .dynamic:
      "a value of its own kind (\(name))"
    }
  }

  /// The operators to use instead.
  var operatorsHelp: String {
    switch family {
    case .text: "texts take every operator but 'bcontains' and 'bstartswith'"
    case .bytes: "bytes take '=', '!=', 'in', 'contains', 'startswith', 'endswith', 'bcontains' or 'bstartswith'"
    case .opaque: "it can only be asked for with 'exists'"
    case .number: "numbers take '=', '!=', '<', '<=', '>', '>=' or 'in'"
    case .boolean: "truth values take '=', '!=' or 'in', with true or false"
    case .address: "addresses take '=', '!=' or 'in'"
    }
  }
}

extension OperatorSymbol {
  /// The same among those that compare one text with another.
  var textOperator: TextOperator? { TextOperator(rawValue: plain) }

  /// The same among those that may have a field or a transformer on their right.
  var operandOperator: OperandOperator? { OperandOperator(rawValue: plain) }

  /// Those that compare raw bytes do with their constants, once these are decoded, what others do with texts.
  private var plain: String {
    switch self {
    case .doubleEqual: "="
    case .bcontains: "contains"
    case .bstartswith: "startswith"
    default: rawValue
    }
  }

  /// Among the operators that decide on which events a rule is tried, if `evt.type` is on their left.
  var restrictsEvents: Bool { [.exists, .equal, .doubleEqual, .notEqual, .isIn].contains(self) }

  var takesLists: Bool { self == .isIn || self == .intersects || self == .exists }

  /// What it does, for the sentence "'contains' compares text".
  var deed: String {
    switch self {
    case .less, .lessOrEqual, .greater, .greaterOrEqual: "compares sizes"
    case .pmatch: "compares paths"
    case .bcontains, .bstartswith: "compares raw bytes"
    default: "compares text"
    }
  }

  var needs: String {
    switch self {
    case .less, .lessOrEqual, .greater, .greaterOrEqual: "needs a number on its left"
    case .bcontains, .bstartswith: "needs bytes on its left"
    default: "needs text on its left"
    }
  }
}
