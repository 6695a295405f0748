// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents

/// What resolvers said, and whom of them to believe.
struct ResolvedNames: ~Copyable {
  private var table: NameTable
  private let reader = AnswerReader()
  /// Those that the node's configuration names.
  private var resolvers: [IPAddress] = []
  /// The node's own network namespace: that of the kernel's own threads. 0 as long as that is not known.
  var nodeNetwork: UInt32 = 0
  private(set) var malformedCount: UInt64 = 0
  private(set) var untrustedCount: UInt64 = 0

  static let resolverCountMax = 64
  /// Programs keep addresses longer than they should, and connect some time after they have asked.
  static let lifetimeSecondsMin: UInt32 = 60
  static let lifetimeSecondsMax: UInt32 = 3600
  static let graceSeconds: UInt32 = 60
  private static let loopbackInterface = 1

  init(limits: StateLimits) { table = NameTable(limits: limits) }

  var lookup: NameLookup { table.lookup }
  var count: Int { table.count }
  var evictedCount: UInt64 { table.evictedCount }

  mutating func apply(resolvers record: EventRecord) {
    let part = record.resolvers.pointee
    let bytes = record.bytes(part.addresses)
    resolvers = (0..<min(bytes.count / 16, Self.resolverCountMax)).map { place in
      IPAddress(v6Bytes: UnsafeRawBufferPointer(start: bytes.start + place * 16, count: 16))
    }
  }

  mutating func apply(answer record: EventRecord) {
    let part = record.dns.pointee
    guard isTrusted(part) else {
      untrustedCount += 1
      return
    }
    let message = record.bytes(part.message)
    guard let answer = reader.read(message, isCut: message.count < Int(part.message_bytes)) else {
      malformedCount += 1
      return
    }
    guard answer.name.count > 0 else { return }
    let seconds = min(max(answer.lifetimeSeconds, Self.lifetimeSecondsMin), Self.lifetimeSecondsMax) + Self.graceSeconds
    let (end, isOver) = record.timeNanoseconds.addingReportingOverflow(UInt64(seconds) * 1_000_000_000)
    for address in answer.addresses {
      table.note(
        answer.name, of: address, in: part.network_namespace, until: isOver ? .max : end, at: record.timeNanoseconds)
    }
  }

  /// From one of the configured resolvers, and from outside of the namespace that asked: within it, whoever may send raw
  /// packets or add addresses can answer in any name. The node's own namespace is the exception, as that is where
  /// resolvers on loopback are.
  private func isTrusted(_ part: martlet_dns) -> Bool {
    let sender = withUnsafeBytes(of: part.resolver_address) { bytes in
      part.family == UInt16(AF_INET6) ? IPAddress(v6Bytes: bytes) : IPAddress(v4Bytes: bytes)
    }
    guard resolvers.contains(sender) else { return false }
    return part.interface_index != Self.loopbackInterface
      || nodeNetwork != 0 && part.network_namespace == nodeNetwork
  }
}
