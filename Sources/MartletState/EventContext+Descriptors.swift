// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents

/// What rules ask about the descriptor of an event: a file that was opened, or a socket.
extension EventContext {
  mutating func extractDescriptor(_ field: Field, index: Int) -> FieldValue {
    guard let record else { return .missing }
    switch record.kind {
    case .open: return extractFile(field, record)
    case .connect: return extractSocket(field, record.connect.pointee, end: index)
    case .call: return extractCallDescriptor(field, record, end: index)
    default: return .missing
    }
  }

  /// Rules ask for the name of an opened file dozens of times an event: nothing is copied, and only what a field needs
  /// is looked at.
  private mutating func extractFile(_ field: Field, _ record: EventRecord) -> FieldValue {
    let part = record.open
    let hasFile = part.pointee.result >= 0
    switch field {
    case .fdName: return text(viewedPath())
    case .fdNameRaw: return text(rawPath())
    case .fdRealPath: return text(resolvedPath)
    case .fdDirectory: return text(viewedPath().map { isDirectory(part) ? $0 : PathText.directory(of: $0) })
    case .fdFilename: return hasFile ? text(viewedPath().map { PathText.filename(of: $0) }) : .missing
    case .fdNumber: return .signed(hasFile ? part.pointee.result : -1)
    case .fdType: return hasFile ? .text(isDirectory(part) ? "directory" : "file") : .missing
    case .fdTypeChar: return .text(isDirectory(part) ? "d" : "f")
    case .fdInode: return hasFile ? .signed(Int64(bitPattern: part.pointee.inode)) : .missing
    case .fdDevice: return hasFile ? .signed(Int64(userDevice(part.pointee.device))) : .missing
    case .fdDeviceMajor: return hasFile ? .signed(Int64(part.pointee.device >> 20)) : .missing
    case .fdDeviceMinor: return hasFile ? .signed(Int64(part.pointee.device & 0xf_ffff)) : .missing
    case .fdIsUpperLayer: return hasFile ? .boolean(part.pointee.file_flags & MARTLET_FILE_UPPER_LAYER != 0) : .missing
    case .fdIsLowerLayer: return hasFile ? .boolean(part.pointee.file_flags & MARTLET_FILE_LOWER_LAYER != 0) : .missing
    case .pathName: return text(spelledPath())
    case .pathNameRaw: return text(part.pointee.name.length_bytes > 0 ? record.bytes(part.pointee.name) : rawPath())
    case .fdProtocol: return .text("<NA>")
    default: return .missing
    }
  }

  private func isDirectory(_ part: UnsafePointer<martlet_open>) -> Bool {
    let typeMask: UInt32 = 0o170000
    let directory: UInt32 = 0o040000
    return part.pointee.result >= 0 && part.pointee.inode_mode & typeMask == directory
  }

  mutating func extractSocket(_ field: Field, _ part: martlet_connect, end: Int) -> FieldValue {
    // An IPv4 address in an IPv6 socket is an IPv4 connection.
    let isV6 = remoteAddress(part).family == .v6
    switch field {
    case .fdNumber: return part.fd >= 0 ? .signed(Int64(part.fd)) : .missing
    case .fdType: return .text(isV6 ? "ipv6" : "ipv4")
    case .fdTypeChar: return .text(isV6 ? "6" : "4")
    case .fdName, .fdNameRaw: return .text(socketName(part))
    case .fdProtocol: return .text(protocolName(part.protocol))
    case .fdIsConnected: return .boolean(part.result >= 0 || part.result == -Int64(EINPROGRESS))
    case .fdHasNewName: return .boolean(type == .connect)
    case .fdIsServer: return .boolean(false)
    case .fdSocketFamily: return .text("ip")
    // Of a connect, this end is the client.
    case .fdClientAddress, .fdLocalAddress, .fdClientNetwork, .fdLocalNetwork: return address(localOf: part)
    case .fdServerAddress, .fdRemoteAddress, .fdServerNetwork, .fdRemoteNetwork: return .address(remoteAddress(part))
    case .fdClientPort, .fdLocalPort: return .unsigned(UInt64(part.local_port))
    case .fdServerPort, .fdRemotePort: return .unsigned(UInt64(part.remote_port))
    case .fdEitherAddress, .fdEitherNetwork: return end == 0 ? address(localOf: part) : .address(remoteAddress(part))
    case .fdEitherPort: return .unsigned(UInt64(end == 0 ? part.local_port : part.remote_port))
    default: return .missing
    }
  }

  private func text(_ bytes: ByteView?) -> FieldValue { bytes.map { .text($0) } ?? .missing }

  /// The device number as stat(2) gives it, from the kernel's own encoding.
  func userDevice(_ device: UInt32) -> UInt64 {
    let major = UInt64(device >> 20)
    let minor = UInt64(device & 0xf_ffff)
    return minor & 0xff | (major & 0xfff) << 8 | (minor & ~0xff) << 12 | (major & ~0xfff) << 32
  }

  // MARK: - Sockets

  func remoteAddress(_ part: martlet_connect) -> IPAddress {
    withUnsafeBytes(of: part.remote_address) { ipAddress($0, family: part.family) }
  }

  func localAddress(_ part: martlet_connect) -> IPAddress {
    withUnsafeBytes(of: part.local_address) { ipAddress($0, family: part.family) }
  }

  /// Missing before the socket has an address.
  private func address(localOf part: martlet_connect) -> FieldValue {
    let address = localAddress(part)
    return address.isUnspecified ? .missing : .address(address)
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

  /// `client:port->server:port`.
  private func socketName(_ part: martlet_connect) -> ByteView {
    guard let scratch else { return .empty }
    var count = 0
    func append(_ address: IPAddress, port: UInt16) {
      count += address.write(to: scratch.name + count)
      scratch.name[count] = UInt8(ascii: ":")
      count += 1 + DecimalText.write(UInt64(port), at: scratch.name + count + 1)
    }
    append(localAddress(part), port: part.local_port)
    scratch.name[count] = UInt8(ascii: "-")
    scratch.name[count + 1] = UInt8(ascii: ">")
    count += 2
    append(remoteAddress(part), port: part.remote_port)
    return ByteView(start: scratch.name, count: count)
  }
}
