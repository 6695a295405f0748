// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents

/// What rules ask about a socket.
extension EventContext {
  /// What this end of an internet socket is to the other one.
  private enum Role {
    case client, server
    /// A server without a client: it listens, or is about to.
    case serverAlone
  }

  private var role: Role {
    switch type {
    case .accept, .accept4, .recvfrom, .recvmsg, .recvmmsg: .server
    case .listen, .bind: .serverAlone
    default: .client
    }
  }

  /// Whether this end is the server.
  var isServerEnd: Bool { role != .client }

  mutating func extractSocket(_ field: Field, _ part: martlet_connect, end: Int) -> FieldValue {
    let isAlone = role == .serverAlone
    // An IPv4 address in an IPv6 socket is an IPv4 connection.
    let isV6 = isAlone ? part.family == UInt16(AF_INET6) : remoteAddress(part).family == .v6
    switch field {
    case .fdNumber: return part.fd >= 0 ? .signed(Int64(part.fd)) : .missing
    case .fdType: return .text(isV6 ? "ipv6" : "ipv4")
    case .fdTypeChar: return .text(isV6 ? "6" : "4")
    case .fdName, .fdNameRaw: return .text(socketName(part))
    case .fdProtocol: return .text(protocolName(part.protocol))
    case .fdSocketFamily: return .text("ip")
    case .fdIsConnected: return .boolean(isConnected(part.record, result: part.result))
    case .fdHasNewName: return .boolean(changesName(part.record, result: part.result))
    case .fdIsServer: return .boolean(isServerEnd)
    case .fdLocalAddress, .fdLocalNetwork: return address(localOf: part)
    case .fdRemoteAddress, .fdRemoteNetwork: return address(remoteOf: part)
    case .fdLocalPort: return .unsigned(UInt64(part.local_port))
    case .fdRemotePort: return isAlone ? .missing : .unsigned(UInt64(part.remote_port))
    case .fdClientAddress, .fdClientNetwork: return address(of: part, isServer: false)
    case .fdServerAddress, .fdServerNetwork: return address(of: part, isServer: true)
    case .fdClientPort: return port(of: part, isServer: false)
    case .fdServerPort: return port(of: part, isServer: true)
    case .fdEitherAddress, .fdEitherNetwork: return address(of: part, isServer: end == 1)
    case .fdEitherPort: return port(of: part, isServer: end == 1)
    case .fdClientName, .fdServerName, .fdLocalName, .fdRemoteName:
      guard let state, let address = namedAddress(field, part) else { return .missing }
      return text(
        state.names.name(at: end, of: address, in: part.network_namespace, at: part.record.time_ns))
    default: return .missing
    }
  }

  // MARK: - Names

  /// How many names the address has that a field speaks of.
  func nameCount(of field: Field) -> Int {
    guard let state, let record, record.kind == .connect else { return 0 }
    let part = record.connect.pointee
    guard let address = namedAddress(field, part) else { return 0 }
    return state.names.count(of: address, in: part.network_namespace, at: part.record.time_ns)
  }

  func namedAddress(_ field: Field, _ part: martlet_connect) -> IPAddress? {
    let value: FieldValue
    switch field {
    case .fdClientName: value = address(of: part, isServer: false)
    case .fdServerName: value = address(of: part, isServer: true)
    case .fdLocalName: value = address(localOf: part)
    case .fdRemoteName: value = address(remoteOf: part)
    default: return nil
    }
    if case .address(let address) = value { return address }
    return nil
  }

  /// A connect that goes on counts: what the socket sends goes to that peer from now on.
  private func isConnected(_ record: martlet_record, result: Int64) -> Bool {
    switch type {
    case .connect: result == 0 || result == -Int64(EINPROGRESS)
    case .accept, .accept4: true
    default: record.flags & UInt32(MARTLET_FLAG_SOCKET_CONNECTED) != 0
    }
  }

  private func changesName(_ record: martlet_record, result: Int64) -> Bool {
    type == .connect
      ? isConnected(record, result: result) : record.flags & UInt32(MARTLET_FLAG_PEER_IS_NEW) != 0
  }

  func remoteAddress(_ part: martlet_connect) -> IPAddress {
    withUnsafeBytes(of: part.remote_address) { ipAddress($0, family: part.family) }
  }

  func localAddress(_ part: martlet_connect) -> IPAddress {
    withUnsafeBytes(of: part.local_address) { ipAddress($0, family: part.family) }
  }

  /// Missing before the socket has an address, except where none in particular is what it listens on.
  private func address(localOf part: martlet_connect) -> FieldValue {
    let address = localAddress(part)
    return address.isUnspecified && role != .serverAlone ? .missing : .address(address)
  }

  private func address(remoteOf part: martlet_connect) -> FieldValue {
    role == .serverAlone ? .missing : .address(remoteAddress(part))
  }

  private func address(of part: martlet_connect, isServer: Bool) -> FieldValue {
    switch role {
    case .client: isServer ? .address(remoteAddress(part)) : address(localOf: part)
    case .server: isServer ? address(localOf: part) : .address(remoteAddress(part))
    case .serverAlone: isServer ? address(localOf: part) : .missing
    }
  }

  private func port(of part: martlet_connect, isServer: Bool) -> FieldValue {
    switch role {
    case .client: .unsigned(UInt64(isServer ? part.remote_port : part.local_port))
    case .server: .unsigned(UInt64(isServer ? part.local_port : part.remote_port))
    case .serverAlone: isServer ? .unsigned(UInt64(part.local_port)) : .missing
    }
  }

  private func ipAddress(_ bytes: UnsafeRawBufferPointer, family: UInt16) -> IPAddress {
    Int32(family) == AF_INET6 ? IPAddress(v6Bytes: bytes) : IPAddress(v4Bytes: bytes)
  }

  private func protocolName(_ number: UInt16) -> ByteView {
    switch Int(number) {
    case IPPROTO_TCP: "tcp"
    case IPPROTO_UDP: "udp"
    case IPPROTO_ICMP, IPPROTO_ICMPV6: "icmp"
    case IPPROTO_RAW: "raw"
    default: "<NA>"
    }
  }

  /// `client:port->server:port`; the server alone where there is no client.
  private func socketName(_ part: martlet_connect) -> ByteView {
    guard let scratch else { return .empty }
    var count = 0
    func append(_ address: IPAddress, port: UInt16) {
      count += address.write(to: scratch.name + count)
      scratch.name[count] = UInt8(ascii: ":")
      count += 1 + DecimalText.write(UInt64(port), at: scratch.name + count + 1)
    }
    func appendArrow() {
      scratch.name[count] = UInt8(ascii: "-")
      scratch.name[count + 1] = UInt8(ascii: ">")
      count += 2
    }
    switch role {
    case .client:
      append(localAddress(part), port: part.local_port)
      appendArrow()
      append(remoteAddress(part), port: part.remote_port)
    case .server:
      append(remoteAddress(part), port: part.remote_port)
      appendArrow()
      append(localAddress(part), port: part.local_port)
    case .serverAlone: append(localAddress(part), port: part.local_port)
    }
    return ByteView(start: scratch.name, count: count)
  }

  // MARK: - Unix sockets

  mutating func extractUnixSocket(_ field: Field, _ record: EventRecord) -> FieldValue {
    let part = record.unix.pointee
    switch field {
    case .fdNumber: return part.fd >= 0 ? .signed(Int64(part.fd)) : .missing
    case .fdType: return .text("unix")
    case .fdTypeChar: return .text("u")
    case .fdSocketFamily: return .text("unix")
    case .fdProtocol: return .text("<NA>")
    case .fdName, .fdNameRaw: return .text(unixName(record))
    case .fdRealPath: return part.path.length_bytes > 0 ? .text(record.bytes(part.path)) : .missing
    case .fdIsConnected: return .boolean(isConnected(part.record, result: part.result))
    case .fdHasNewName: return .boolean(changesName(part.record, result: part.result))
    default: return .missing
    }
  }

  /// `this->that name`: the two ends by number and the name that one of them has. An abstract name begins with `@` where
  /// the kernel has NUL.
  func unixName(_ record: EventRecord) -> ByteView {
    guard let scratch else { return .empty }
    let part = record.unix.pointee
    let name = record.bytes(type == .connect ? part.peer_name : part.name)
    var count = HexText.write(part.socket_cookie, at: scratch.name)
    scratch.name[count] = UInt8(ascii: "-")
    scratch.name[count + 1] = UInt8(ascii: ">")
    count += 2 + HexText.write(part.peer_cookie, at: scratch.name + count + 2)
    scratch.name[count] = UInt8(ascii: " ")
    count += 1
    (scratch.name + count).update(from: name.start, count: name.count)
    if name.count > 0, name[0] == 0 { scratch.name[count] = UInt8(ascii: "@") }
    return ByteView(start: scratch.name, count: count + name.count)
  }
}
