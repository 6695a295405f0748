// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents

/// What a resolver writes, part by part, and as wrong as a test wants it.
public struct TestMessage {
  public var bytes: [UInt8] = []

  /// An answer with room for so many records, to one question.
  public init(answering name: String, type: UInt16 = 1, recordCount: UInt16) {
    bytes = [0x12, 0x34, 0x81, 0x80, 0, 1, UInt8(recordCount >> 8), UInt8(recordCount & 0xff), 0, 0, 0, 0]
    bytes += Self.name(name) + Self.word(type) + [0, 1]
  }

  /// A name without compression.
  public static func name(_ name: String) -> [UInt8] {
    name.split(separator: ".").flatMap { [UInt8(truncatingIfNeeded: $0.utf8.count)] + Array($0.utf8) } + [0]
  }

  /// The name that stands at `offset` in the message; the question's is at 12.
  public static func pointer(_ offset: Int) -> [UInt8] { word(0xc000 | UInt16(offset)) }

  public mutating func add(_ owner: [UInt8], type: UInt16, lifetime: UInt32 = 300, class: UInt16 = 1, data: [UInt8]) {
    bytes += owner + Self.word(type) + Self.word(`class`)
    bytes += Self.word(UInt16(lifetime >> 16)) + Self.word(UInt16(lifetime & 0xffff))
    bytes += Self.word(UInt16(data.count)) + data
  }

  /// An A or AAAA record of the question's name, or of another.
  public mutating func add(_ address: String, of owner: [UInt8] = pointer(12), lifetime: UInt32 = 300) {
    let isV6 = address.contains(":")
    var data = [UInt8](repeating: 0, count: isV6 ? 16 : 4)
    precondition(inet_pton(isV6 ? AF_INET6 : AF_INET, address, &data) == 1, "not an address: \(address)")
    add(owner, type: isV6 ? 28 : 1, lifetime: lifetime, data: data)
  }

  private static func word(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 0xff)] }
}

extension Event {
  /// Whom to believe.
  public static func resolvers(_ addresses: [String]) -> TestRecord {
    var part = martlet_resolvers()
    part.record = common(.resolvers, TestProcess(0), at: 0)
    var builder = RecordBuilder(part)
    let bytes = addresses.flatMap { address in
      var bytes = [UInt8](repeating: 0, count: 16)
      precondition(inet_pton(AF_INET6, address.contains(":") ? address : "::ffff:\(address)", &bytes) == 1)
      return bytes
    }
    builder.part.addresses = builder.text(bytes)
    return builder.build()
  }

  /// An answer of a resolver to a question from `network`, that came by an interface: 1 is loopback. `byteCount`: of the
  /// whole message, of which `message` may be the beginning.
  public static func answer(
    _ message: TestMessage, from resolver: String = "10.96.0.10", network: UInt32 = 1, interface: UInt32 = 2,
    byteCount: Int? = nil, at time: UInt64 = 0
  ) -> TestRecord {
    var part = martlet_dns()
    part.record = common(.dns, TestProcess(0), at: time)
    part.network_namespace = network
    part.interface_index = interface
    part.message_bytes = UInt32(byteCount ?? message.bytes.count)
    part.family = UInt16(write(resolver, to: &part.resolver_address))
    var builder = RecordBuilder(part)
    builder.part.message = builder.text(message.bytes)
    return builder.build()
  }

  /// The usual one: a name and its addresses.
  public static func answer(
    _ name: String, _ addresses: [String], lifetime: UInt32 = 300, from resolver: String = "10.96.0.10",
    network: UInt32 = 1, interface: UInt32 = 2, at time: UInt64 = 0
  ) -> TestRecord {
    var message = TestMessage(answering: name, recordCount: UInt16(addresses.count))
    for address in addresses { message.add(address, lifetime: lifetime) }
    return answer(message, from: resolver, network: network, interface: interface, at: time)
  }
}
