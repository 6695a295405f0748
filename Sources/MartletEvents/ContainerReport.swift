// SPDX-License-Identifier: Apache-2.0

import CMartletABI

/// What a container runtime says about one of its containers, before it becomes a record.
///
/// Texts are bytes as the runtime gave them: anybody who may start containers chose them. Empty is what it did not tell.
public struct ContainerReport: Equatable, Sendable {
  /// One label: a key has one value.
  public struct Label: Equatable, Sendable {
    public var key: [UInt8]
    public var value: [UInt8]

    public init(key: [UInt8], value: [UInt8]) {
      self.key = key
      self.value = value
    }
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
  /// Nanoseconds since 1970; 0 where unknown.
  public var startedNanoseconds: UInt64 = 0
  /// Something in it was cut or left out.
  public var isCut = false

  /// Of a text, and of a label's key or value.
  public static let textByteCountMax = 1024
  /// Of all labels of a container, and again of those of its pod: those that find no room are left out.
  public static let labelByteCountMax = 16 << 10
  /// Of the longest record of one.
  public static let recordByteCountMax =
    MemoryLayout<martlet_container>.size + 12 * textByteCountMax + 2 * labelByteCountMax

  public init(id: [UInt8]) { self.id = id }

  /// Brings every text within its bound: what is longer is cut, labels without room are left out, and `isCut` says so.
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
    var texts: [UInt8] = []
    var part = report.part { bytes in
      let offset = MemoryLayout<martlet_container>.size + texts.count
      texts += bytes
      return martlet_text(offset_bytes: UInt32(offset), length_bytes: UInt32(bytes.count))
    }
    let byteCount = (MemoryLayout<martlet_container>.size + texts.count + 7) & ~7
    part.record.length_bytes = UInt32(byteCount)
    part.record.kind = UInt16(MARTLET_KIND_CONTAINER.rawValue)
    part.record.flags = report.isCut ? MARTLET_FLAG_NAME_TRUNCATED : 0
    part.record.time_ns = timeNanoseconds
    return try withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: MemoryLayout<UInt64>.alignment) { bytes in
      bytes.initializeMemory(as: UInt8.self, repeating: 0)
      bytes.storeBytes(of: part, as: martlet_container.self)
      UnsafeMutableRawBufferPointer(rebasing: bytes[MemoryLayout<martlet_container>.size...]).copyBytes(from: texts)
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
    return part
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
