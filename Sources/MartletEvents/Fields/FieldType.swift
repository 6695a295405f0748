// SPDX-License-Identifier: Apache-2.0

/// The type of a field's value: decides which operators and constants a rule may use with it.
public enum FieldType: UInt8, CaseIterable, Sendable {
  /// Bytes, mostly text.
  case string
  /// A string that names a file.
  case path
  /// Bytes that are no text.
  case bytes
  case int8, int16, int32, int64
  case uint8, uint16, uint32, uint64
  /// Bits that have names.
  case flags8, flags16, flags32
  /// A number, each value of which has a name.
  case enumFlags8, enumFlags16, enumFlags32
  /// Permission bits.
  case mode
  /// A negated errno, or a result.
  case errorNumber
  /// The number of a descriptor.
  case descriptor
  case processID, userID, groupID
  case signal
  case double
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
  /// What Falco stores packed; rules can ask whether it exists, and little else.
  case socketAddress, socketTuple, descriptorList, signalSet, systemCall, textArray, textPairArray
  /// Each event has its own.
  case dynamic

  /// Falco's name for it, as users know it from field lists.
  public var name: StaticString {
    switch self {
    case .string: "string"
    case .path: "path"
    case .bytes: "bytebuf"
    case .int8: "int8"
    case .int16: "int16"
    case .int32: "int32"
    case .int64: "int64"
    case .uint8: "uint8"
    case .uint16: "uint16"
    case .uint32: "uint32"
    case .uint64: "uint64"
    case .flags8: "flags8"
    case .flags16: "flags16"
    case .flags32: "flags32"
    case .enumFlags8: "enumflags8"
    case .enumFlags16: "enumflags16"
    case .enumFlags32: "enumflags32"
    case .mode: "mode"
    case .errorNumber: "errno"
    case .descriptor: "fd"
    case .processID: "pid"
    case .userID: "uid"
    case .groupID: "gid"
    case .signal: "sigtype"
    case .double: "double"
    case .boolean: "bool"
    case .address: "ip"
    case .network: "ipnet"
    case .port: "port"
    case .absoluteTime: "abstime"
    case .relativeTime: "reltime"
    case .socketAddress: "sockaddr"
    case .socketTuple: "socktuple"
    case .descriptorList: "fdlist"
    case .signalSet: "sigset"
    case .systemCall: "syscallid"
    case .textArray: "stringarray"
    case .textPairArray: "stringpairarray"
    case .dynamic: "dyn"
    }
  }

  public var isText: Bool { self == .string || self == .path }

  /// The whole number that values of the type are, by its width and sign; nil for other types.
  public var integer: (bitCount: Int, isSigned: Bool)? {
    switch self {
    case .int8: (8, true)
    case .int16: (16, true)
    case .int32: (32, true)
    case .int64, .errorNumber, .descriptor, .processID: (64, true)
    case .uint8, .flags8, .enumFlags8, .signal: (8, false)
    case .uint16, .flags16, .enumFlags16, .port: (16, false)
    case .uint32, .flags32, .enumFlags32, .mode, .userID, .groupID: (32, false)
    case .uint64, .absoluteTime, .relativeTime: (64, false)
    case .string, .path, .bytes, .double, .boolean, .address, .network, .socketAddress, .socketTuple, .descriptorList,
      .signalSet, .systemCall, .textArray, .textPairArray, .dynamic:
      nil
    }
  }
}
