// SPDX-License-Identifier: Apache-2.0

import Glibc

extension IPAddress {
  /// Reads `192.0.2.1` or `2001:db8::1`. Nil for anything else, names and ports included.
  public init?(text: String) {
    var v4 = in_addr()
    var v6 = in6_addr()
    if inet_pton(AF_INET, text, &v4) == 1 {
      self.init(v4: UInt32(bigEndian: v4.s_addr))
    } else if inet_pton(AF_INET6, text, &v6) == 1 {
      self = withUnsafeBytes(of: &v6) { IPAddress(v6Bytes: $0) }
    } else {
      return nil
    }
  }

  /// The first four bytes are the address, in network order.
  public init(v4Bytes bytes: UnsafeRawBufferPointer) {
    self.init(v4: UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))
  }

  /// Sixteen bytes in network order.
  public init(v6Bytes bytes: UnsafeRawBufferPointer) {
    self.init(
      v6High: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
      low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
  }

  /// Bytes that the longest text takes, its NUL included.
  public static let textByteCountMax = Int(INET6_ADDRSTRLEN)

  /// Writes the text (RFC 5952 for IPv6) at `destination`, which holds `textByteCountMax` bytes; returns its length.
  public func write(to destination: UnsafeMutablePointer<UInt8>) -> Int {
    destination.withMemoryRebound(to: CChar.self, capacity: Self.textByteCountMax) { text in
      switch family {
      case .v4:
        var bits = UInt32(truncatingIfNeeded: low).bigEndian
        inet_ntop(AF_INET, &bits, text, socklen_t(Self.textByteCountMax))
      case .v6:
        var words = (high.bigEndian, low.bigEndian)
        inet_ntop(AF_INET6, &words, text, socklen_t(Self.textByteCountMax))
      }
      return strlen(text)
    }
  }
}

extension IPAddress: CustomStringConvertible {
  public var description: String {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.textByteCountMax) { buffer in
      guard let start = buffer.baseAddress else { return "" }
      return ByteView(start: start, count: write(to: start)).string
    }
  }
}

extension IPNetwork: CustomStringConvertible {
  /// Reads `10.0.0.0/8` or `fd00::/8`. The prefix length must be there.
  public init?(text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = IPAddress(text: String(parts[0])),
      !parts[1].isEmpty, parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let bits = Int(parts[1])
    else { return nil }
    self.init(address: address, prefixBitCount: bits)
  }

  public var description: String { "\(address)/\(prefixBitCount)" }
}
