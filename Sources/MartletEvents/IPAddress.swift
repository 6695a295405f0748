// SPDX-License-Identifier: Apache-2.0

/// An IPv4 or IPv6 address, in two words in the order of its text.
///
/// IPv4-mapped IPv6 addresses (`::ffff:a.b.c.d`) become IPv4 ones when a record is read, so that a rule that names
/// an IPv4 network cannot be passed by opening an IPv6 socket.
public struct IPAddress: Hashable, Sendable {
  public enum Family: UInt8, Sendable { case v4 = 4, v6 = 6 }

  public let family: Family
  /// The first eight bytes of an IPv6 address; zero for IPv4.
  public let high: UInt64
  /// The last eight bytes; an IPv4 address in the low 32 bits.
  public let low: UInt64

  public init(v4 bits: UInt32) {
    family = .v4
    high = 0
    low = UInt64(bits)
  }

  public init(v6High high: UInt64, low: UInt64) {
    let isMapped = high == 0 && low >> 32 == 0xffff
    family = isMapped ? .v4 : .v6
    self.high = high
    self.low = isMapped ? low & 0xffff_ffff : low
  }

  public var isUnspecified: Bool { high == 0 && low == 0 }

  /// Bits in an address of this family: 32 or 128.
  public var bitCount: Int { family == .v4 ? 32 : 128 }
}

/// An address range in CIDR form: `10.0.0.0/8`. Host bits in the text are ignored, as Falco does.
public struct IPNetwork: Hashable, Sendable {
  public let address: IPAddress
  /// 0...32 or 0...128.
  public let prefixBitCount: Int

  public init?(address: IPAddress, prefixBitCount: Int) {
    guard prefixBitCount >= 0, prefixBitCount <= address.bitCount else { return nil }
    self.address = address
    self.prefixBitCount = prefixBitCount
  }

  public func contains(_ other: IPAddress) -> Bool {
    guard other.family == address.family else { return false }
    let highBits: Int
    let lowBits: Int
    switch address.family {
    case .v4: (highBits, lowBits) = (0, prefixBitCount == 0 ? 0 : 32 + prefixBitCount)
    case .v6: (highBits, lowBits) = (min(prefixBitCount, 64), max(prefixBitCount - 64, 0))
    }
    let highMask: UInt64 = highBits == 0 ? 0 : ~0 << UInt64(64 - highBits)
    let lowMask: UInt64 = lowBits == 0 ? 0 : ~0 << UInt64(64 - lowBits)
    return (other.high ^ address.high) & highMask == 0 && (other.low ^ address.low) & lowMask == 0
  }
}
