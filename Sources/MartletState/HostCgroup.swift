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

extension ContainerCgroup {
  /// Nil unless the record announces such a cgroup.
  public init?(_ record: EventRecord) {
    guard record.kind == .cgroup,
      let identity = ContainerIdentity(cgroupPath: record.bytes(record.cgroup.pointee.path))
    else { return nil }
    self.init(
      id: identity.id, podUID: identity.podUID, runtime: identity.type, cgroupID: record.cgroup.pointee.id,
      hierarchy: record.cgroup.pointee.hierarchy, isInner: identity.isInner)
  }
}
