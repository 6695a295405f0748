// SPDX-License-Identifier: Apache-2.0

/// A cgroup that is a container's, as its path tells: about whom somebody may know more.
public struct ContainerCgroup: Hashable, Sendable {
  /// The container's whole id.
  public var id: String
  public var podUID: String?
  /// What runs it.
  public var runtime: ContainerRuntime?
  public var cgroupID: UInt64
  /// 0 for v2, 1 for v1.
  public var hierarchy: UInt32
  /// Whether somebody in the container made it, below the one that the runtime made.
  public var isInner: Bool

  public init(
    id: String, podUID: String? = nil, runtime: ContainerRuntime? = nil, cgroupID: UInt64 = 0, hierarchy: UInt32 = 0,
    isInner: Bool = false
  ) {
    self.id = id
    self.podUID = podUID
    self.runtime = runtime
    self.cgroupID = cgroupID
    self.hierarchy = hierarchy
    self.isInner = isInner
  }
}
