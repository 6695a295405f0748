// SPDX-License-Identifier: Apache-2.0

/// How many values a field has on one event, and how an operator is applied to them.
public enum FieldMultiplicity: UInt8, Sendable {
  case one
  /// One for each ancestor, nearest first: a comparison holds if it holds for any of them.
  case ancestors
  /// Any number, from 0, that are one value together: only `in`, `intersects` and `exists` go with it.
  case list
  /// One for each end of a connection: a comparison holds if it holds for either; `!=` if it holds for both.
  case bothEnds
  /// Any number of names of one thing: a comparison holds if it holds for any of them; `!=` if it holds for all.
  case names
}

/// What a rule has to write, or may write, behind a field.
public enum FieldArgumentRule: UInt8, CaseIterable, Sendable {
  case none
  /// `proc.aname[2]` or `proc.aname`.
  case optionalIndex
  /// `proc.env[HOME]`, `proc.aenv[2]` or `proc.env`.
  case optionalIndexOrKey
  /// `evt.around[1404996934793590564]`.
  case requiredIndex
  /// `container.label[app]`.
  case requiredKey
  /// `container.mount[0]`, `container.mount[/etc*]`.
  case requiredIndexOrKey
  /// A parameter of the event, by number or by name: `evt.arg[0]`, `evt.arg.flags`.
  case parameter
  /// A parameter of the event, by name: `evt.rawarg.res`.
  case parameterName
  /// `evt.type.is.open`.
  case eventName
  /// Letters and underscores: `thread.cgroup.cpuacct`.
  case word
  /// `evt.abspath`, `evt.abspath.src`, `evt.abspath.dst`.
  case pathSide

  public var isRequired: Bool {
    switch self {
    case .none, .optionalIndex, .optionalIndexOrKey, .pathSide: false
    case .requiredIndex, .requiredKey, .requiredIndexOrKey, .parameter, .parameterName, .eventName, .word: true
    }
  }

  public var takesIndex: Bool {
    switch self {
    case .optionalIndex, .optionalIndexOrKey, .requiredIndex, .requiredIndexOrKey, .parameter: true
    case .none, .requiredKey, .parameterName, .eventName, .word, .pathSide: false
    }
  }

  /// Whether what takes no index, or may take something else, is a key in brackets or behind a dot.
  public var takesKey: Bool {
    switch self {
    case .optionalIndexOrKey, .requiredKey, .requiredIndexOrKey, .parameter, .parameterName, .eventName, .word,
      .pathSide:
      true
    case .none, .optionalIndex, .requiredIndex: false
    }
  }

  /// Whether the key stands behind a dot, as if it were part of the name.
  public var isDotted: Bool {
    switch self {
    case .parameter, .parameterName, .eventName, .word, .pathSide: true
    case .none, .optionalIndex, .optionalIndexOrKey, .requiredIndex, .requiredKey, .requiredIndexOrKey: false
    }
  }
}

/// One field: the single place where its name, type and meaning are written down. The rule compiler, `martlet fields`,
/// the manual and completion read it.
public struct FieldDescription: Sendable {
  public private(set) var field: Field
  /// As rules write it.
  public let name: StaticString
  public let type: FieldType
  public let argument: FieldArgumentRule
  /// With no argument given.
  public let multiplicity: FieldMultiplicity
  /// The kinds of event that can carry it; empty for a field that is not captured.
  public let kinds: [EventKind]
  /// May stand in conditions only.
  public let isFilterOnly: Bool
  /// May stand in transformers.
  public let takesTransformers: Bool
  /// May be compared with another field, and another with it.
  public let takesOtherSide: Bool
  /// Falco's plugin adds it to outputs that ask for what it suggests.
  public let isSuggested: Bool
  /// One or two sentences: meaning, unit, when it is missing.
  public let documentation: StaticString

  /// A field that is captured.
  init(
    _ field: Field, _ name: StaticString, _ type: FieldType, argument: FieldArgumentRule = .none,
    multiplicity: FieldMultiplicity = .one, on kinds: [EventKind] = EventKind.allCases.filter(\.isMatched),
    isFilterOnly: Bool = false, takesTransformers: Bool? = nil, takesOtherSide: Bool? = nil,
    isSuggested: Bool = false, _ documentation: StaticString
  ) {
    let isPlain = !isFilterOnly && multiplicity != .ancestors && type != .dynamic
    self.field = field
    self.name = name
    self.type = type
    self.argument = argument
    self.multiplicity = multiplicity
    self.kinds = kinds
    self.isFilterOnly = isFilterOnly
    self.takesTransformers = takesTransformers ?? isPlain
    self.takesOtherSide = takesOtherSide ?? isPlain
    self.isSuggested = isSuggested
    self.documentation = documentation
  }

  /// A field that is not captured; it gets its place from the registry.
  init(
    _ name: StaticString, _ type: FieldType, argument: FieldArgumentRule = .none,
    multiplicity: FieldMultiplicity = .one, isFilterOnly: Bool = false, takesTransformers: Bool? = nil,
    takesOtherSide: Bool? = nil, isSuggested: Bool = false, _ documentation: StaticString
  ) {
    self.init(
      .uncaptured(.max), name, type, argument: argument, multiplicity: multiplicity, on: [],
      isFilterOnly: isFilterOnly, takesTransformers: takesTransformers, takesOtherSide: takesOtherSide,
      isSuggested: isSuggested, documentation)
  }

  /// Whether records of ours carry it. What is not captured is missing on every event but a given one.
  public var isCaptured: Bool { if case .uncaptured = field { false } else { true } }

  func placed(at place: UInt16) -> FieldDescription {
    var copy = self
    copy.field = .uncaptured(place)
    return copy
  }
}
