// SPDX-License-Identifier: Apache-2.0

public import MartletEvents

/// An event that is given as fields and values instead of bytes from the kernel.
///
/// Rule tests and event lines come in this way. Owns its texts; a context made from it holds as long as it lives.
public final class GivenEvent {
  /// What a field can be given as. A field that is not given is missing.
  public enum Value: Sendable {
    case text([UInt8])
    case signed(Int64)
    case unsigned(UInt64)
    case boolean(Bool)
    case double(Double)
    case address(IPAddress)
    case pending
  }

  /// A field and its argument: the n of `proc.aname[n]`; the index 0 or 1 for an end of a connection.
  public struct Key: Hashable, Sendable {
    public var field: Field
    public var argument: FieldArgument

    public init(_ field: Field, _ argument: FieldArgument = .none) {
      self.field = field
      self.argument = argument
    }
  }

  public let type: EventType
  private var values: [Key: FieldValue] = [:]
  private var valueCounts: [Field: Int] = [:]
  private var texts: [UnsafeMutablePointer<UInt8>] = []

  public init(_ type: EventType, _ given: [Key: Value]) {
    self.type = type
    for (key, value) in given {
      values[key] = keep(value)
      if case .index(let index) = key.argument {
        valueCounts[key.field] = max(valueCounts[key.field] ?? 0, index + 1)
      }
    }
    values[Key(.eventType)] = .text(ByteView(type.name))
  }

  deinit {
    for text in texts { text.deallocate() }
  }

  func value(of field: Field, at selector: FieldSelector = .whole) -> FieldValue {
    if let value = values[Key(field, FieldArgument(selector))] { return value }
    guard let source = Self.source(of: field, index: selector.index) else { return .missing }
    return values[Key(source)] ?? .missing
  }

  /// Fields that exist in conditions only ask about the value of another one.
  private static func source(of field: Field, index: Int) -> Field? {
    switch field {
    case .fdClientNetwork: .fdClientAddress
    case .fdServerNetwork: .fdServerAddress
    case .fdLocalNetwork: .fdLocalAddress
    case .fdRemoteNetwork: .fdRemoteAddress
    case .fdEitherAddress, .fdEitherNetwork: index == 0 ? .fdClientAddress : .fdServerAddress
    case .fdEitherPort: index == 0 ? .fdClientPort : .fdServerPort
    default: nil
    }
  }

  /// How many values were given, holes included.
  func valueCount(of field: Field) -> Int { valueCounts[field] ?? 0 }

  private func keep(_ value: Value) -> FieldValue {
    switch value {
    case .signed(let number): return .signed(number)
    case .unsigned(let number): return .unsigned(number)
    case .boolean(let flag): return .boolean(flag)
    case .double(let number): return .double(number)
    case .address(let address): return .address(address)
    case .pending: return .pending
    case .text(let bytes):
      let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes.count, 1))
      copy.update(from: bytes, count: bytes.count)
      texts.append(copy)
      return .text(ByteView(start: copy, count: bytes.count))
    }
  }
}
