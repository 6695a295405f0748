// SPDX-License-Identifier: Apache-2.0

import CMartletABI

/// What a container runtime says about one of its containers, before it becomes a record.
///
/// Texts are bytes as the runtime gave them: anybody who may start containers chose them. Empty is what it did not tell.
public struct ContainerReport: StreamReport, Equatable {
  /// One label: a key has one value.
  public struct Label: Equatable, Sendable {
    public var key: [UInt8]
    public var value: [UInt8]

    public init(key: [UInt8], value: [UInt8]) {
      self.key = key
      self.value = value
    }
  }

  /// Something from outside that appears in the container.
  public struct Mount: Equatable, Sendable {
    public var source: [UInt8]
    public var destination: [UInt8]
    /// As the runtime writes it; empty where it has none.
    public var mode: [UInt8]
    public var isWritable: Bool
    /// `private`, `rslave`, `rshared` and their like.
    public var propagation: [UInt8]

    public init(
      source: [UInt8], destination: [UInt8], mode: [UInt8] = [], isWritable: Bool, propagation: [UInt8] = []
    ) {
      self.source = source
      self.destination = destination
      self.mode = mode
      self.isWritable = isWritable
      self.propagation = propagation
    }
  }

  /// Which of the node's namespaces a container shares.
  public struct HostNamespaces: OptionSet, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let network = HostNamespaces(rawValue: 1)
    public static let pid = HostNamespaces(rawValue: 2)
    public static let ipc = HostNamespaces(rawValue: 4)
  }

  /// As in the names of its cgroups.
  public var id: [UInt8]
  public var runtime: ContainerRuntime?
  public var name: [UInt8] = []
  /// As it was asked for, tag included.
  public var image: [UInt8] = []
  public var imageRepository: [UInt8] = []
  public var imageTag: [UInt8] = []
  public var imageDigest: [UInt8] = []
  public var imageID: [UInt8] = []
  public var labels: [Label] = []
  public var podName: [UInt8] = []
  public var podNamespace: [UInt8] = []
  public var podUID: [UInt8] = []
  public var podLabels: [Label] = []
  /// The container's own id for the sandbox itself.
  public var sandboxID: [UInt8] = []
  /// The first address of the container or its pod, written out.
  public var address: [UInt8] = []
  /// Nil where the runtime did not say.
  public var isPrivileged: Bool?
  /// Nil where the runtime did not say.
  public var hostNamespaces: HostNamespaces?
  /// In the runtime's order; nil where it did not say.
  public var mounts: [Mount]?
  /// Nanoseconds since 1970; 0 where unknown.
  public var startedNanoseconds: UInt64 = 0
  /// Something in it was cut or left out.
  public var isCut = false

  /// Of a text, and of a label's key or value.
  public static let textByteCountMax = 1024
  /// Of all labels of a container, and again of those of its pod: those that find no room are left out.
  public static let labelByteCountMax = 16 << 10
  /// Of all mounts of a container: those that find no room are left out.
  public static let mountByteCountMax = 16 << 10
  /// Of the longest record of one.
  public static let recordByteCountMax =
    MemoryLayout<martlet_container_mounts>.size + 12 * textByteCountMax + 2 * labelByteCountMax + mountByteCountMax + 7

  public init(id: [UInt8]) { self.id = id }

  /// Brings every text within its bound: what is longer is cut, labels and mounts without room are left out, and `isCut`
  /// says so.
  public mutating func cut() {
    let texts: [WritableKeyPath<Self, [UInt8]>] = [
      \.id, \.name, \.image, \.imageRepository, \.imageTag, \.imageDigest, \.imageID, \.podName, \.podNamespace,
      \.podUID,
      \.sandboxID, \.address,
    ]
    for text in texts where self[keyPath: text].count > Self.textByteCountMax {
      self[keyPath: text] = Array(self[keyPath: text].prefix(Self.textByteCountMax))
      isCut = true
    }
    labels = fitting(labels)
    podLabels = fitting(podLabels)
    mounts = mounts.map { fitting($0) }
  }

  /// NUL ends each text in the record.
  private mutating func fitting(_ mounts: [Mount]) -> [Mount] {
    func cut(_ text: [UInt8]) -> [UInt8] { Array(text.prefix(Self.textByteCountMax).prefix { $0 != 0 }) }
    var fitting: [Mount] = []
    var byteCount = 0
    for mount in mounts {
      let mine = Mount(
        source: cut(mount.source), destination: cut(mount.destination), mode: cut(mount.mode),
        isWritable: mount.isWritable, propagation: cut(mount.propagation))
      let count = mine.flat.count
      guard byteCount + count <= Self.mountByteCountMax else {
        isCut = true
        continue
      }
      if mine != mount { isCut = true }
      byteCount += count
      fitting.append(mine)
    }
    return fitting
  }

  /// Sorted by key. NUL ends a key or a value, because it does so in the record.
  private mutating func fitting(_ labels: [Label]) -> [Label] {
    var fitting: [Label] = []
    var byteCount = 0
    for label in labels.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      let key = label.key.prefix(Self.textByteCountMax).prefix { $0 != 0 }
      let value = label.value.prefix(Self.textByteCountMax).prefix { $0 != 0 }
      if key.count < label.key.count || value.count < label.value.count { isCut = true }
      guard byteCount + key.count + value.count + 2 <= Self.labelByteCountMax else {
        isCut = true
        continue
      }
      byteCount += key.count + value.count + 2
      fitting.append(Label(key: Array(key), value: Array(value)))
    }
    return fitting
  }

  /// Hands out the record that says the same, within the bounds; the bytes hold within `body` only.
  public func withRecord<Result>(
    at timeNanoseconds: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    var report = self
    report.cut()
    let fixedByteCount =
      report.mounts == nil ? MemoryLayout<martlet_container>.size : MemoryLayout<martlet_container_mounts>.size
    var texts: [UInt8] = []
    func place(_ bytes: [UInt8]) -> martlet_text {
      let offset = fixedByteCount + texts.count
      texts += bytes
      return martlet_text(offset_bytes: UInt32(offset), length_bytes: UInt32(bytes.count))
    }
    var part = martlet_container_mounts()
    part.container = report.part(place)
    part.mounts = place((report.mounts ?? []).flatMap(\.flat))
    let byteCount = (fixedByteCount + texts.count + 7) & ~7
    part.container.record.length_bytes = UInt32(byteCount)
    part.container.record.kind = UInt16(MARTLET_KIND_CONTAINER.rawValue)
    part.container.record.flags = report.isCut ? MARTLET_FLAG_NAME_TRUNCATED : 0
    part.container.record.time_ns = timeNanoseconds
    return try withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: MemoryLayout<UInt64>.alignment) { bytes in
      bytes.initializeMemory(as: UInt8.self, repeating: 0)
      withUnsafeBytes(of: part) { bytes.copyBytes(from: $0.prefix(fixedByteCount)) }
      UnsafeMutableRawBufferPointer(rebasing: bytes[fixedByteCount...]).copyBytes(from: texts)
      return try body(UnsafeRawBufferPointer(bytes))
    }
  }

  /// The fixed part but for its record, with each text where `place` puts it.
  private func part(_ place: ([UInt8]) -> martlet_text) -> martlet_container {
    func flat(_ labels: [Label]) -> [UInt8] { labels.flatMap { $0.key + [0] + $0.value + [0] } }
    var part = martlet_container()
    part.id = place(id)
    part.name = place(name)
    part.image = place(image)
    part.image_repository = place(imageRepository)
    part.image_tag = place(imageTag)
    part.image_digest = place(imageDigest)
    part.image_id = place(imageID)
    part.labels = place(flat(labels))
    part.pod_name = place(podName)
    part.pod_namespace = place(podNamespace)
    part.pod_uid = place(podUID)
    part.pod_labels = place(flat(podLabels))
    part.sandbox_id = place(sandboxID)
    part.address = place(address)
    part.started_ns = startedNanoseconds
    part.runtime = runtime?.rawValue ?? UInt32(MARTLET_RUNTIME_UNKNOWN.rawValue)
    if let isPrivileged {
      part.facts = MARTLET_CONTAINER_PRIVILEGE_KNOWN | (isPrivileged ? MARTLET_CONTAINER_PRIVILEGED : 0)
    }
    if let hostNamespaces {
      part.facts |= MARTLET_CONTAINER_NAMESPACES_KNOWN
      if hostNamespaces.contains(.network) { part.facts |= MARTLET_CONTAINER_HOST_NETWORK }
      if hostNamespaces.contains(.pid) { part.facts |= MARTLET_CONTAINER_HOST_PID }
      if hostNamespaces.contains(.ipc) { part.facts |= MARTLET_CONTAINER_HOST_IPC }
    }
    if mounts != nil { part.facts |= MARTLET_CONTAINER_MOUNTS }
    return part
  }
}

extension ContainerReport.Mount {
  /// As in a record.
  fileprivate var flat: [UInt8] {
    [source, destination, mode, Array((isWritable ? "true" : "false").utf8), propagation].flatMap { $0 + [0] }
  }
}

/// What runs a container. Raw values are those of `enum martlet_runtime` and never change.
public enum ContainerRuntime: UInt32, CaseIterable, Sendable {
  case docker = 1
  case containerd = 2
  case crio = 3
  case podman = 4

  /// As rules see it in `container.type`.
  public var name: StaticString {
    switch self {
    case .docker: "docker"
    case .containerd: "containerd"
    case .crio: "cri-o"
    case .podman: "podman"
    }
  }
}
