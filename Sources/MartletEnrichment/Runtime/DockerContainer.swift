// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// What is read of docker's own words about a container.
struct DockerContainer: Decodable {
  struct Configuration: Decodable {
    var image: String?
    var labels: [String: String]?

    enum CodingKeys: String, CodingKey {
      case image = "Image"
      case labels = "Labels"
    }
  }

  struct HostConfiguration: Decodable {
    var privileged: Bool?
    var networkMode: String?
    var pidMode: String?
    var ipcMode: String?

    enum CodingKeys: String, CodingKey {
      case privileged = "Privileged"
      case networkMode = "NetworkMode"
      case pidMode = "PidMode"
      case ipcMode = "IpcMode"
    }
  }

  struct Mount: Decodable {
    var source: String?
    var destination: String?
    var mode: String?
    var isWritable: Bool?
    var propagation: String?

    enum CodingKeys: String, CodingKey {
      case source = "Source"
      case destination = "Destination"
      case mode = "Mode"
      case isWritable = "RW"
      case propagation = "Propagation"
    }
  }

  struct State: Decodable {
    var startedAt: String?

    enum CodingKeys: String, CodingKey { case startedAt = "StartedAt" }
  }

  struct Network: Decodable {
    var address: String?

    enum CodingKeys: String, CodingKey { case address = "IPAddress" }
  }

  struct NetworkSettings: Decodable {
    var address: String?
    var networks: [String: Network]?

    enum CodingKeys: String, CodingKey {
      case address = "IPAddress"
      case networks = "Networks"
    }
  }

  var name: String?
  var image: String?
  var config: Configuration?
  var hostConfig: HostConfiguration?
  var state: State?
  var networkSettings: NetworkSettings?
  var mounts: [Mount]?
  /// The same in docker's files, by destination.
  var mountPoints: [String: Mount]?

  var allMounts: [Mount]? {
    mounts ?? mountPoints.map { points in points.sorted { $0.key < $1.key }.map(\.value) }
  }

  enum CodingKeys: String, CodingKey {
    case name = "Name"
    case image = "Image"
    case config = "Config"
    case hostConfig = "HostConfig"
    case state = "State"
    case networkSettings = "NetworkSettings"
    case mounts = "Mounts"
    case mountPoints = "MountPoints"
  }
}

extension ContainerReport {
  mutating func add(_ container: DockerContainer) {
    let told = Array((container.name ?? "").utf8)
    name = told.first == UInt8(ascii: "/") ? Array(told.dropFirst()) : told
    mounts = container.allMounts?.map { mount in
      Mount(
        source: Array((mount.source ?? "").utf8), destination: Array((mount.destination ?? "").utf8),
        mode: Array((mount.mode ?? "").utf8), isWritable: mount.isWritable ?? false,
        propagation: Array((mount.propagation ?? "").utf8))
    }
    if let host = container.hostConfig { add(host) }
    startedNanoseconds = Timestamp.nanoseconds(container.state?.startedAt ?? "") ?? 0
    let networks = container.networkSettings
    let addresses = [networks?.address] + (networks?.networks ?? [:]).sorted { $0.key < $1.key }.map(\.value.address)
    address = Array((addresses.compactMap { $0 }.first { !$0.isEmpty } ?? "").utf8)
    labels = (container.config?.labels ?? [:]).map { .init(key: Array($0.key.utf8), value: Array($0.value.utf8)) }
    // A kubelet on top of docker says in labels what others say in their own interface.
    for label in labels {
      switch label.key {
      case Self.podLabel: podName = label.value
      case Self.podUIDLabel: podUID = label.value
      case Self.namespaceLabel: podNamespace = label.value
      case Self.containerLabel: name = label.value
      default: break
      }
    }
  }

  mutating func add(_ host: DockerContainer.HostConfiguration) {
    isPrivileged = host.privileged
    let modes = [(HostNamespaces.network, host.networkMode), (.pid, host.pidMode), (.ipc, host.ipcMode)]
    hostNamespaces = HostNamespaces(modes.filter { $0.1 == "host" }.map(\.0))
  }
}
