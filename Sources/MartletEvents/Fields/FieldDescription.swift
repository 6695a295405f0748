// SPDX-License-Identifier: Apache-2.0

/// The type of a field's value: decides which operators and constants a rule may use with it.
public enum FieldType: UInt8, CaseIterable, Sendable {
  /// Bytes, mostly text.
  case string
  /// A string that names a file.
  case path
  case int64
  case uint32
  case uint64
  case boolean
  /// An IPv4 or IPv6 address.
  case address
  /// An address that is compared with networks in CIDR form.
  case network
  /// A TCP or UDP port.
  case port
  /// Nanoseconds since 1970.
  case absoluteTime
  /// Nanoseconds between two moments.
  case relativeTime

  /// Falco's name for it, as users know it from field lists.
  public var name: StaticString {
    switch self {
    case .string: "string"
    case .path: "path"
    case .int64: "int64"
    case .uint32: "uint32"
    case .uint64: "uint64"
    case .boolean: "bool"
    case .address: "ip"
    case .network: "ipnet"
    case .port: "port"
    case .absoluteTime: "abstime"
    case .relativeTime: "reltime"
    }
  }

  public var isText: Bool { self == .string || self == .path }
}

/// How many values a field has on one event, and how an operator is applied to them.
public enum FieldMultiplicity: UInt8, Sendable {
  case one
  /// One for each ancestor, nearest first: a comparison holds if it holds for any of them.
  case ancestors
  /// One for each end of a connection: a comparison holds if it holds for either; `!=` if it holds for both.
  case bothEnds
}

/// What stands in brackets behind a field.
public enum FieldArgumentRule: UInt8, Sendable {
  case none
  /// `proc.aname[2]` or `proc.aname`.
  case optionalIndex
}

/// One field: the single place where its name, type and meaning are written down. The rule compiler, `martlet fields`,
/// the manual and completion read it.
public struct FieldDescription: Sendable {
  public let field: Field
  /// As rules write it.
  public let name: StaticString
  public let type: FieldType
  public let argument: FieldArgumentRule
  /// With no argument given.
  public let multiplicity: FieldMultiplicity
  /// The kinds of event that can carry it.
  public let kinds: [EventKind]
  /// May stand in conditions only.
  public let isFilterOnly: Bool
  /// One or two sentences: meaning, unit, when it is missing.
  public let documentation: StaticString

  init(
    _ field: Field, _ name: StaticString, _ type: FieldType, argument: FieldArgumentRule = .none,
    multiplicity: FieldMultiplicity = .one, on kinds: [EventKind] = [.exec, .open, .connect],
    isFilterOnly: Bool = false, _ documentation: StaticString
  ) {
    self.field = field
    self.name = name
    self.type = type
    self.argument = argument
    self.multiplicity = multiplicity
    self.kinds = kinds
    self.isFilterOnly = isFilterOnly
    self.documentation = documentation
  }
}
