// SPDX-License-Identifier: Apache-2.0

import Glibc
import MartletEvents

/// Whom to believe about names: the resolvers that this machine's configuration names, and those that ours does.
struct ResolverList {
  private let configured: [IPAddress]

  static let path = "/etc/resolv.conf"
  static let byteCountMax = CaptureConfiguration.resolverCountMax * 16

  init(configured: [IPAddress]) { self.configured = configured }

  /// Their addresses one behind the other, sixteen bytes each, IPv4 ones mapped into IPv6. Of more than there is room for,
  /// the first.
  func read() -> [UInt8] {
    let named = Self.addresses(inConfiguration: Procfs.text(Self.path) ?? "")
    let all = (configured + named).prefix(CaptureConfiguration.resolverCountMax)
    return all.flatMap { address -> [UInt8] in
      let low = address.family == .v4 ? 0xffff << 32 | address.low : address.low
      return [address.high, low].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - $0 * 8)) } }
    }
  }

  /// The `nameserver` lines of a resolv.conf. An address with a zone is one of many, and nobody's in particular.
  static func addresses(inConfiguration text: String) -> [IPAddress] {
    text.split(whereSeparator: \.isNewline).compactMap { line in
      let words = line.split(whereSeparator: \.isWhitespace)
      guard words.count >= 2, words[0] == "nameserver" else { return nil }
      return IPAddress(text: String(words[1]))
    }
  }
}
