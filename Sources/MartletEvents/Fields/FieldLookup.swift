// SPDX-License-Identifier: Apache-2.0

/// Why a name with an argument is no field.
public enum FieldLookupError: Error, Hashable, Sendable {
  case unknownField
  /// The field takes nothing behind its name.
  case unexpectedArgument
  case missingArgument
  /// A number has to stand in the brackets.
  case invalidIndex
  /// Brackets, where the argument stands behind a dot.
  case argumentNeedsDot
  /// No event has a parameter of this name, or there is no such event.
  case unknownKey
}

extension FieldRegistry {
  /// The field that a rule names, and its argument. `brackets` is what stands in brackets, without quotes; nothing in
  /// them, as in `proc.name[""]`, is the same as no brackets.
  public static func resolve(
    _ name: String, brackets: [UInt8]? = nil
  ) -> Result<(field: Field, argument: FieldArgument), FieldLookupError> {
    let brackets = brackets?.isEmpty == true ? nil : brackets
    if let field = field(named: name) {
      return argument(of: field.description.argument, brackets: brackets).map { (field, $0) }
    }
    guard let (field, key) = dotted(name) else { return .failure(.unknownField) }
    guard brackets == nil else { return .failure(.unexpectedArgument) }
    guard field.description.argument.takes(key: key) else { return .failure(.unknownKey) }
    return .success((field, .key(Array(key.utf8))))
  }

  private static func argument(
    of rule: FieldArgumentRule, brackets: [UInt8]?
  ) -> Result<FieldArgument, FieldLookupError> {
    guard let brackets else { return rule.isRequired ? .failure(.missingArgument) : .success(.none) }
    guard rule.takesIndex || !rule.isDotted else {
      return .failure(rule == .pathSide ? .unexpectedArgument : .argumentNeedsDot)
    }
    if rule.takesIndex, let index = index(brackets) { return .success(.index(index)) }
    if rule.takesKey, !rule.isDotted { return .success(.key(brackets)) }
    return .failure(rule == .none ? .unexpectedArgument : .invalidIndex)
  }

  /// Decimal digits. Nobody has more ancestors or arguments than fit.
  private static func index(_ text: [UInt8]) -> Int? {
    let isNumber = text.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    return isNumber ? Int(String(decoding: text, as: UTF8.self)) : nil
  }

  /// The field and the rest of a name such as `evt.arg.flags`.
  private static func dotted(_ name: String) -> (Field, key: Substring)? {
    guard let dot = name.lastIndex(of: "."), let field = field(named: String(name[..<dot])) else { return nil }
    let key = name[name.index(after: dot)...]
    return field.description.argument.isDotted ? (field, key) : nil
  }
}

extension FieldArgumentRule {
  fileprivate func takes(key: Substring) -> Bool {
    switch self {
    case .parameter, .parameterName: EventParameter.type(named: String(key)) != nil
    case .pathSide: key == "src" || key == "dst"
    case .word: !key.isEmpty && key.utf8.allSatisfy { $0 == UInt8(ascii: "_") || ($0 | 0x20) &- 0x61 < 26 }
    default: !key.isEmpty
    }
  }
}
