// SPDX-License-Identifier: Apache-2.0

import CMartletABI
public import MartletEvents

/// A cgroup that is no container's, by the same judgement that `container.id` rests on.
public struct HostCgroup: Hashable, Sendable {
  public let id: UInt64
  /// 0 for v2, 1 for v1.
  public let hierarchy: UInt32

  /// Nil unless the record announces such a cgroup, with its whole path.
  public init?(_ record: EventRecord) {
    guard record.kind == .cgroup, !record.has(flag: MARTLET_FLAG_PATH_TRUNCATED),
      ContainerIdentity(cgroupPath: record.bytes(record.cgroup.pointee.path)) == nil
    else { return nil }
    id = record.cgroup.pointee.id
    hierarchy = record.cgroup.pointee.hierarchy
  }
}

/// A cgroup that is a container's: whose names somebody may know.
public struct ContainerCgroup: Hashable, Sendable {
  /// The container's whole id.
  public let id: String
  /// What runs it, as the cgroup's name tells.
  public let runtime: ContainerRuntime?

  /// Nil unless the record announces such a cgroup.
  public init?(_ record: EventRecord) {
    guard record.kind == .cgroup,
      let identity = ContainerIdentity(cgroupPath: record.bytes(record.cgroup.pointee.path))
    else { return nil }
    id = identity.id
    runtime = identity.type
  }
}
