// SPDX-License-Identifier: Apache-2.0

/// How an internet socket is asked to reach a far end.
public enum ConnectionKind: Int, CaseIterable, Sendable {
  case connectTCP = 0
  case connectUDP = 1
  case connectOther = 2
  /// A datagram to an address that the socket is not tied to, by whichever call.
  case send = 3
}

/// What is known of a connection but for its far end: the filter's first question.
public struct ConnectionClass: Hashable, Sendable, CaseIterable {
  /// From 0 to `count` - 1; the probe computes the same number.
  public let rawValue: Int

  public static let count = 8
  public static let allCases: [ConnectionClass] = ConnectionKind.allCases.flatMap { kind in
    [false, true].map { ConnectionClass(kind, isContainer: $0) }
  }

  public init(_ kind: ConnectionKind, isContainer: Bool) { rawValue = kind.rawValue | (isContainer ? 4 : 0) }

  public var kind: ConnectionKind { ConnectionKind(rawValue: rawValue & 3) ?? .connectOther }
  public var isContainer: Bool { rawValue & 4 != 0 }
}

/// The filter of connects and of datagrams that are sent without one.
///
/// Addresses and ports fall into ranges within which no rule tells one from another. A range is known by its first
/// value; the first range begins with zero, and each ends where the next one begins.
public struct ConnectionFilter: Hashable, Sendable {
  /// Ascending, at most `addressRangesMax`.
  public var v4Ranges: [UInt32] = [0]
  /// Ascending, at most `addressRangesMax`. IPv4-mapped addresses are IPv4 ones.
  public var v6Ranges: [UInt128] = [0]
  /// Ascending, at most `portRangesMax`.
  public var portRanges: [UInt16] = [0]
  /// By `ConnectionClass.rawValue`, then by range of addresses, IPv4 first: the ranges of ports (bit n: range n) that
  /// pass whoever asks.
  public var passing: [[UInt64]]
  /// The same of those that pass if one of `programs` or of `users` asks.
  public var passingForSome: [[UInt64]]
  /// What the acting process has to be called, and for which classes (bit n: the class n).
  public var programs: [[UInt8]: UInt8] = [:]
  /// The same of its effective user id.
  public var users: [ClosedRange<UInt32>: UInt8] = [:]

  public static let addressRangesMax = 128
  public static let portRangesMax = 64

  /// Lets everything through.
  public static let none = ConnectionFilter(passing: [[UInt64]](repeating: [1, 1], count: ConnectionClass.count))

  private init(passing: [[UInt64]]) {
    self.passing = passing
    passingForSome = passing
  }

  /// Drops everything.
  public init(v4Ranges: [UInt32], v6Ranges: [UInt128], portRanges: [UInt16]) {
    precondition(v4Ranges.first == 0 && v6Ranges.first == 0 && portRanges.first == 0, "ranges have a gap")
    let limit = Self.addressRangesMax
    precondition(v4Ranges.count <= limit && v6Ranges.count <= limit && portRanges.count <= Self.portRangesMax)
    self.v4Ranges = v4Ranges
    self.v6Ranges = v6Ranges
    self.portRanges = portRanges
    let nothing = [UInt64](repeating: 0, count: v4Ranges.count + v6Ranges.count)
    passing = Array(repeating: nothing, count: ConnectionClass.count)
    passingForSome = passing
  }

  /// Whether a connection has to be sent. `program`: what the acting process is called; `user`: its effective id.
  public func passes(
    _ kind: ConnectionClass, to address: IPAddress, port: UInt16, program: [UInt8], user: UInt32
  ) -> Bool {
    let range =
      address.family == .v4
      ? Self.range(of: UInt32(truncatingIfNeeded: address.low), in: v4Ranges)
      : v4Ranges.count + Self.range(of: UInt128(address.high) << 64 | UInt128(address.low), in: v6Ranges)
    let bit = UInt64(1) << UInt64(Self.range(of: port, in: portRanges))
    if passing[kind.rawValue][range] & bit != 0 { return true }
    guard passingForSome[kind.rawValue][range] & bit != 0 else { return false }
    let classes = users.reduce(programs[program, default: 0]) { $1.key.contains(user) ? $0 | $1.value : $0 }
    return classes & (1 << UInt8(kind.rawValue)) != 0
  }

  /// The last one that begins at the value or below it.
  private static func range<Value: Comparable>(of value: Value, in ranges: [Value]) -> Int {
    (ranges.firstIndex { $0 > value } ?? ranges.count) - 1
  }
}
