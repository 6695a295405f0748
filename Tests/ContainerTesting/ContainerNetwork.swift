// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The network of a test container: a default route along which everything vanishes.
///
/// A connection to a public address is then a real one to the kernel, up to the packet that nobody picks up: both ends
/// of the virtual cable are inside the container's own namespace, so nothing can leave it, and all goes with it.
enum ContainerNetwork {
  static let address = "198.51.100.2"

  private static let commands = [
    "link set lo up",
    "link add eth0 type veth peer name nowhere",
    // Without address resolution a packet is sent at once and lost, where otherwise connect would fail early.
    "link set eth0 arp off",
    "addr add \(address)/24 dev eth0",
    "link set nowhere up",
    "link set eth0 up",
    "route add default dev eth0",
  ]

  /// Sets up the network namespace of the process given.
  static func configure(namespaceOf pid: Int32) throws {
    let script = commands.joined(separator: "\n") + "\n"
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-network-\(UUID().uuidString)")
    try Data(script.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    try Child.check(["nsenter", "--net=/proc/\(pid)/ns/net", "ip", "-batch", file.path])
  }
}
