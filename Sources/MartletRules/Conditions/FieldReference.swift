// SPDX-License-Identifier: Apache-2.0

public import MartletEvents

/// A field as a rule names it: `proc.name`, `proc.aname[2]`, `evt.arg.flags`.
public struct FieldReference: Hashable, Sendable {
  public let field: Field
  public let argument: FieldArgument
  /// As the rule writes it, and as alerts key it.
  public let text: String
  /// How many values it has on one event: a field of all ancestors has one when an index picks it.
  public let multiplicity: FieldMultiplicity

  /// `text` is how the rule writes it, where that is not the name with the argument in brackets.
  public init(_ field: Field, _ argument: FieldArgument = .none, text: String? = nil) {
    let description = field.description
    self.field = field
    self.argument = argument
    self.text = text ?? "\(description.name)\(argument.brackets)"
    multiplicity = argument == .none ? description.multiplicity : .one
  }

  /// Of `evt.rawarg.NAME` that of the parameter.
  public var type: FieldType {
    let type = field.description.type
    guard type == .dynamic, case .key(let name) = argument else { return type }
    return EventParameter.type(named: String(decoding: name, as: UTF8.self)) ?? type
  }

  /// May stand in transformers. One ancestor may, all together may not.
  var takesTransformers: Bool { field.description.takesTransformers || isPicked }

  /// May be compared with another field.
  var takesOtherSide: Bool { field.description.takesOtherSide || isPicked }

  private var isPicked: Bool { field.description.multiplicity == .ancestors && argument != .none }
}

extension FieldArgument {
  fileprivate var brackets: String {
    switch self {
    case .none: ""
    case .index(let index): "[\(index)]"
    case .key(let key): "[\(Comparison.quotedIfNeeded(key))]"
    }
  }
}
