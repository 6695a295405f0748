// SPDX-License-Identifier: Apache-2.0

extension FieldRegistry {
  static let fileFields: [FieldDescription] = [
    .init(
      .fdNumber, "fd.num", .int64, on: [.open, .connect, .unix, .call],
      "The descriptor; -1 for a failed open. Missing where the kernel hook does not know it."),
    .init(
      .fdType, "fd.type", .string, on: [.open, .connect, .unix, .call],
      "What the descriptor is: file (devices and named pipes among them), directory, ipv4, ipv6, unix. Missing on a failed open."
    ),
    .init(
      .fdTypeChar, "fd.typechar", .string, on: [.open, .connect, .unix, .call],
      "The same as one letter: f file, d directory, 4 and 6 ip sockets, u unix. A failed open gives f."),
    .init(
      .fdName, "fd.name", .path, on: [.open, .connect, .unix, .call],
      "A file's path as the program spelled it, made absolute and normalised; a socket's `client:port->server:port`, a Unix socket's `end->end name`. In the resolved view of a rule, the same as fd.realpath."
    ),
    .init(
      .fdNameRaw, "fd.nameraw", .path, on: [.open, .connect, .unix, .call],
      "A file's path made absolute, `.` and `..` left in; otherwise as fd.name. The same in both views."),
    .init(
      .fdRealPath, "fd.realpath", .path, on: [.open, .unix, .call],
      "A file's path as the kernel resolved it: links and `..` followed, seen from the process's root. Missing on a failed open and for what has no path."
    ),
    .init(
      .fdDirectory, "fd.directory", .path, on: [.open, .call],
      "The directory part of fd.name; fd.name itself where that is a directory."),
    .init(
      .fdFilename, "fd.filename", .path, on: [.open, .call],
      "The last component of fd.name. Missing on a failed open."),
    .init(
      .fdDeviceMajor, "fd.dev.major", .int32, on: [.open, .call], "Major part of fd.dev."),
    .init(
      .fdDeviceMinor, "fd.dev.minor", .int32, on: [.open, .call], "Minor part of fd.dev."),
    .init(
      .fdIsUpperLayer, "fd.is_upper_layer", .boolean, on: [.open, .call],
      "The file lies in the upper layer of an overlay: it was not in the image. Missing on a failed open."),
    .init(
      .fdIsLowerLayer, "fd.is_lower_layer", .boolean, on: [.open, .call],
      "The file lies in a lower layer of an overlay: it came with the image. Missing on a failed open."),
    .init(
      .pathName, "fs.path.name", .path, on: [.open],
      "The path that the call is about, made absolute and normalised; not resolved."),
    .init(.pathNameRaw, "fs.path.nameraw", .path, on: [.open], "The path that the call is about, as it was passed."),
    .init(.fdInode, "fd.ino", .int64, on: [.open, .call], "Inode number. Missing on a failed open."),
    .init(
      .fdDevice, "fd.dev", .int32, on: [.open, .call],
      "Device number of the file system, as stat(2) gives it. Missing on a failed open."),
  ]

  static let socketFields: [FieldDescription] = [
    .init(
      .fdProtocol, "fd.l4proto", .string, on: [.open, .connect, .unix, .call],
      "tcp, udp, icmp or raw; the text `<NA>` for anything else."),
    .init(
      .fdSocketFamily, "fd.sockfamily", .string, on: [.connect, .unix, .call],
      "`ip` for internet sockets, `unix` for Unix sockets."),
    .init(
      .fdIsConnected, "fd.connected", .boolean, on: [.open, .connect, .unix, .call],
      "The socket is tied to a peer, or a connect has asked for that and is under way."),
    .init(
      .fdHasNewName, "fd.name_changed", .boolean, on: [.open, .connect, .unix, .call],
      "The event gave the socket another peer: a connect, or a datagram with one that it was not seen with."),
    .init(
      .fdIsServer, "fd.is_server", .boolean, on: [.connect, .call],
      "Whether this end is the server: false of a connect."),
    .init(.fdClientAddress, "fd.cip", .address, on: [.connect, .call], "Address of the end that connects."),
    .init(.fdServerAddress, "fd.sip", .address, on: [.connect, .call], "Address of the end that is connected to."),
    .init(.fdLocalAddress, "fd.lip", .address, on: [.connect, .call], "Address of this end."),
    .init(.fdRemoteAddress, "fd.rip", .address, on: [.connect, .call], "Address of the other end."),
    .init(
      .fdClientPort, "fd.cport", .port, on: [.connect, .call], "Port of the end that connects; 0 before it has one."),
    .init(.fdServerPort, "fd.sport", .port, on: [.connect, .call], "Port of the end that is connected to."),
    .init(.fdLocalPort, "fd.lport", .port, on: [.connect, .call], "Port of this end."),
    .init(.fdRemotePort, "fd.rport", .port, on: [.connect, .call], "Port of the other end."),
    .init(
      .fdClientName, "fd.cip.name", .string, multiplicity: .names, on: [.connect], takesTransformers: false,
      takesOtherSide: false,
      "Names that were resolved to the address of the end that connects, as fd.sip.name has them."),
    .init(
      .fdServerName, "fd.sip.name", .string, multiplicity: .names, on: [.connect], takesTransformers: false,
      takesOtherSide: false,
      "Names that processes in this network namespace resolved to the address of the end that is connected to. `=` and `in` hold if they hold for one of them, `!=` if for all. Only answers of trusted resolvers count; missing where there were none."
    ),
    .init(
      .fdLocalName, "fd.lip.name", .string, multiplicity: .names, on: [.connect], takesTransformers: false,
      takesOtherSide: false, "Names that were resolved to the address of this end, as fd.sip.name has them."),
    .init(
      .fdRemoteName, "fd.rip.name", .string, multiplicity: .names, on: [.connect], takesTransformers: false,
      takesOtherSide: false, "Names that were resolved to the address of the other end, as fd.sip.name has them."),
    .init(
      .fdEitherAddress, "fd.ip", .address, multiplicity: .bothEnds, on: [.connect, .call], isFilterOnly: true,
      "Either end's address. `=` and `in` hold if they hold for one end, `!=` if it holds for both."),
    .init(
      .fdEitherPort, "fd.port", .port, multiplicity: .bothEnds, on: [.connect, .call], isFilterOnly: true,
      "Either end's port."),
    .init(
      .fdEitherNetwork, "fd.net", .network, multiplicity: .bothEnds, on: [.connect, .call], isFilterOnly: true,
      "Either end's address, compared with networks."),
    .init(
      .fdClientNetwork, "fd.cnet", .network, on: [.connect, .call], isFilterOnly: true,
      "Address of the end that connects, compared with networks."),
    .init(
      .fdServerNetwork, "fd.snet", .network, on: [.connect, .call], isFilterOnly: true,
      "Address of the end that is connected to, compared with networks."),
    .init(
      .fdLocalNetwork, "fd.lnet", .network, on: [.connect, .call], isFilterOnly: true,
      "Address of this end, compared with networks."),
    .init(
      .fdRemoteNetwork, "fd.rnet", .network, on: [.connect, .call], isFilterOnly: true,
      "Address of the other end, compared with networks."),
  ]
}
