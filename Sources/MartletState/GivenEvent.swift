// SPDX-License-Identifier: Apache-2.0

public import MartletEvents

/// An event that is given as fields and values instead of bytes from the kernel.
///
/// Rule tests and event lines come in this way. Owns its texts; a context made from it holds as long as it lives.
///
/// What is not given is missing, and nothing is worked out from anything else, but for this:
/// - Conditions on all ancestors (`proc.aname` without index) look at those that are given: `proc.aname[1]`,
///   `proc.aname[2]` and so on. A value given without index is that of the parent.
/// - `fd.ip`, `fd.port` and `fd.net` look at both ends: at `fd.cip` and `fd.sip`, or `fd.cport` and `fd.sport`. If one
///   of them is itself given, at that alone. `fd.net` looks at a given `fd.ip`, too.
/// - Names of addresses (`fd.sip.name` and its like) are those that a trusted resolver told; there may be several.
/// - `fd.cnet`, `fd.snet`, `fd.lnet` and `fd.rnet` look at `fd.cip`, `fd.sip`, `fd.lip` and `fd.rip`.
/// - What asks for the kind of a call (`evt.is_open_read` and its like) is false.
/// - In the resolved view `fd.name`, `fd.directory` and `fd.filename` come from a given `fd.realpath`.
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

  /// Nil where the event is of no captured type, or none was given.
  public let type: EventType?
  private var values: [Key: FieldValue] = [:]
  private var valueCounts: [Field: Int] = [:]
  private var texts: [UnsafeMutablePointer<UInt8>] = []

  /// Conditions on a whole list look at no more of it.
  private static let listIndexMax = 4095

  /// Its place among those that are given together: tells its alerts apart. `evt.num` is another thing, and missing
  /// unless it is given.
  public let place: UInt64

  /// An event of the type that is given as `evt.type`.
  public init(_ given: [Key: Value], place: UInt64 = 0) {
    self.place = place
    var type: EventType?
    if case .text(let name)? = given[Key(.eventType)] {
      type = EventType.allCases.first { "\($0.name)".utf8.elementsEqual(name) }
    }
    self.type = type
    for (key, value) in given {
      values[key] = keep(key.field.description.multiplicity == .names ? Self.normalized(value) : value)
      switch key.argument {
      case .index(let index):
        valueCounts[key.field] = max(valueCounts[key.field] ?? 0, min(index, Self.listIndexMax) + 1)
      case .none:
        let first = key.field.description.multiplicity == .ancestors ? 1 : 0
        valueCounts[key.field] = max(valueCounts[key.field] ?? 0, first + 1)
      case .key: break
      }
    }
  }

  public convenience init(_ type: EventType, _ given: [Key: Value]) {
    self.init(given.merging([Key(.eventType): .text(Array("\(type.name)".utf8))]) { $1 })
  }

  deinit {
    for text in texts { text.deallocate() }
  }

  func value(of field: Field, at selector: FieldSelector = .whole) -> FieldValue {
    let argument = FieldArgument(selector)
    if let value = values[Key(field, argument)] { return value }
    if let value = Self.sources(of: field, argument).lazy.compactMap({ self.values[$0] }).first { return value }
    return field.isFalseElsewhere ? .boolean(false) : .missing
  }

  /// Where else to look for a value, in this order.
  private static func sources(of field: Field, _ argument: FieldArgument) -> [Key] {
    let isFirstEnd = argument == .index(0)
    switch field {
    case .fdClientNetwork: return [Key(.fdClientAddress)]
    case .fdServerNetwork: return [Key(.fdServerAddress)]
    case .fdLocalNetwork: return [Key(.fdLocalAddress)]
    case .fdRemoteNetwork: return [Key(.fdRemoteAddress)]
    case .fdEitherAddress, .fdEitherNetwork:
      let directly = isFirstEnd ? [Key(field), Key(.fdEitherAddress)] : [Key(.fdEitherAddress, argument)]
      return directly + [Key(isFirstEnd ? .fdClientAddress : .fdServerAddress)]
    case .fdEitherPort: return (isFirstEnd ? [Key(field)] : []) + [Key(isFirstEnd ? .fdClientPort : .fdServerPort)]
    default:
      // One ancestor or one element of a list, given without index.
      let multiplicity = field.description.multiplicity
      // The first of several names stands for all of them where one is asked for.
      if multiplicity == .names, argument == .none { return [Key(field, .index(0))] }
      let isFirst = argument == .index(multiplicity == .ancestors ? 1 : 0)
      return isFirst && multiplicity != .one ? [Key(field)] : []
    }
  }

  /// How many values were given, holes included.
  func valueCount(of field: Field) -> Int { valueCounts[field] ?? 0 }

  private static func normalized(_ name: Value) -> Value {
    if case .text(let bytes) = name { .text(DomainName.normalized(bytes)) } else { name }
  }

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

extension Field {
  /// Whether Falco has a value for it on every event: false where the event has nothing to do with it.
  fileprivate var isFalseElsewhere: Bool {
    switch self {
    case .eventIsOpenRead, .eventIsOpenWrite, .eventIsOpenExec, .eventIsOpenCreate, .eventIsIO, .eventIsIORead,
      .eventIsIOWrite, .eventIsWait, .eventIsSyslog, .eventIsAsync:
      true
    default: false
    }
  }
}
