// SPDX-License-Identifier: Apache-2.0

/// What a field has on one event: the currency between state, matching and alerts.
///
/// A trivial value (no reference count); texts are views that hold as long as the event and the state are unchanged.
public enum FieldValue {
  /// The event has no such value: every comparison with it is false.
  case missing
  /// The value is on its way (metadata in flight): every comparison with it is unknown.
  case pending
  case text(ByteView)
  case signed(Int64)
  case unsigned(UInt64)
  case boolean(Bool)
  case double(Double)
  case address(IPAddress)
}

/// The result of a condition: Kleene's three values.
public enum Truth: UInt8, Sendable {
  case isFalse = 0
  case isTrue = 1
  /// It depends on a value that is still pending.
  case isUnknown = 2

  @inlinable
  public init(_ value: Bool) { self = value ? .isTrue : .isFalse }

  @inlinable
  public static prefix func ! (value: Truth) -> Truth {
    switch value {
    case .isFalse: .isTrue
    case .isTrue: .isFalse
    case .isUnknown: .isUnknown
    }
  }
}

/// Which name of an opened file a rule looks at.
public enum PathView: UInt8, CaseIterable, Sendable {
  /// As the program spelled it, made absolute and normalised: Falco's `fd.name`.
  case spelled
  /// As the kernel resolved it: `fd.realpath`.
  case resolved

  public var name: StaticString {
    switch self {
    case .spelled: "spelled"
    case .resolved: "resolved"
    }
  }
}
