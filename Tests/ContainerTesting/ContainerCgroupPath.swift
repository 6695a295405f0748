// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Where in the cgroup tree a container lives, in the shape its runtime would give it.
///
/// The path is taken literally, so that one runc on one machine shows every shape the agent must recognise.
public struct ContainerCgroupPath: Sendable {
  public let path: String
  public let containerID: String

  /// Any path; the container's id is a new one and need not be part of it.
  public init(path: String, containerID: String = Self.newContainerID()) {
    self.path = path
    self.containerID = containerID
  }

  /// A pod's container under the cgroupfs driver.
  public static func kubernetes(podUID: String = newPodUID(), containerID: String = newContainerID()) -> Self {
    Self(path: "/kubepods/burstable/pod\(podUID)/\(containerID)", containerID: containerID)
  }

  /// A pod's container under the systemd driver, run by containerd.
  public static func kubernetesSystemd(podUID: String = newPodUID(), containerID: String = newContainerID()) -> Self {
    let slice = "kubepods-burstable-pod\(podUID.replacingOccurrences(of: "-", with: "_")).slice"
    let scope = "cri-containerd-\(containerID).scope"
    return Self(path: "/kubepods.slice/kubepods-burstable.slice/\(slice)/\(scope)", containerID: containerID)
  }

  public static func docker(containerID: String = newContainerID()) -> Self {
    Self(path: "/docker/\(containerID)", containerID: containerID)
  }

  public static func podman(containerID: String = newContainerID()) -> Self {
    Self(path: "/libpod_parent/libpod-\(containerID)", containerID: containerID)
  }

  /// 64 hexadecimal digits, as runtimes give them.
  public static func newContainerID() -> String {
    (0..<4).map { _ in
      let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  public static func newPodUID() -> String {
    UUID().uuidString.lowercased()
  }
}
