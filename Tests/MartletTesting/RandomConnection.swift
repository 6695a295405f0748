// SPDX-License-Identifier: Apache-2.0

public import MartletEvents
public import MartletState

/// A connect, or a datagram, as State would show it, and the same as the kernel sees it.
public struct RandomConnection: CustomStringConvertible {
  public let kind: ConnectionClass
  public let remote: IPAddress
  public let port: UInt16
  public let program: [UInt8]
  public let user: UInt32
  public let event: GivenEvent

  public init(_ random: inout RandomRules) {
    let addresses = RandomRules.addresses.compactMap { IPAddress(text: $0) }
    kind = random.pick(ConnectionClass.allCases)
    remote = random.pick(addresses)
    port = random.pick(RandomRules.ports)
    program = Array(random.pick(RandomRules.programs.filter { $0.utf8.count < 16 }).utf8)
    user = random.pick(RandomRules.actingUsers)
    let letter = remote.family == .v4 ? "4" : "6"
    let result = random.pick([-115, -111, -1, 0])
    var values: [GivenEvent.Key: GivenEvent.Value] = [
      .init(.containerID): .text(Array((kind.isContainer ? "4f1c9e0b2a77" : "host").utf8)),
      .init(.processName): .text(program), .init(.userID): .unsigned(UInt64(user)),
      .init(.fdTypeChar): .text(Array(letter.utf8)),
      .init(.fdType): .text(Array("ipv\(letter)".utf8)), .init(.fdSocketFamily): .text(Array("ip".utf8)),
      .init(.fdIsServer): .boolean(false), .init(.eventRawResult): .signed(Int64(result)),
      .init(.fdProtocol): .text(Array(Self.protocolName(kind.kind, &random).utf8)),
      .init(.fdServerAddress): .address(remote), .init(.fdRemoteAddress): .address(remote),
      .init(.fdServerPort): .unsigned(UInt64(port)), .init(.fdRemotePort): .unsigned(UInt64(port)),
      .init(.fdClientPort): .unsigned(0), .init(.fdLocalPort): .unsigned(0),
    ]
    // Not known before the socket has one.
    if random.chance(50) {
      let local = random.pick(addresses)
      let localPort = UInt64(random.pick(RandomRules.ports))
      values[.init(.fdClientAddress)] = .address(local)
      values[.init(.fdLocalAddress)] = .address(local)
      values[.init(.fdClientPort)] = .unsigned(localPort)
      values[.init(.fdLocalPort)] = .unsigned(localPort)
    }
    for field in [Field.fdServerName, .fdRemoteName] {
      for (index, name) in RandomRules.names.shuffled(using: &random.generator).enumerated() where random.chance(40) {
        values[.init(field, .index(index))] = .text(Array(name.utf8))
      }
    }
    event = GivenEvent(kind.kind == .send ? random.pick([.sendto, .sendmsg, .sendmmsg]) : .connect, values)
  }

  private static func protocolName(_ kind: ConnectionKind, _ random: inout RandomRules) -> String {
    switch kind {
    case .connectTCP: "tcp"
    case .connectUDP: "udp"
    case .connectOther: random.pick(["icmp", "raw", "<NA>"])
    case .send: random.pick(["udp", "<NA>"])
    }
  }

  public var description: String {
    "\(kind.kind) to \(remote) \(port) by '\(String(decoding: program, as: UTF8.self))', user \(user), container \(kind.isContainer)"
  }
}
