// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

/// Every way in which a runtime names a container's cgroup, given to real containers, in each view of the hierarchies.
@Suite(
  "containers by the names of their cgroups", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: ContainerSupport.isAvailable, Comment(rawValue: ContainerSupport.missing ?? "")))
struct CgroupShapeTests {
  /// ID and UID stand for a new container's and a new pod's, U_U for the pod's with underscores.
  private static let shapes: [(path: String, type: String?, isPod: Bool)] = [
    ("/docker/ID", nil, false), ("/system.slice/docker-ID.scope", "docker", false), ("/actions_job/ID", nil, false),
    ("/kubepods/burstable/podUID/ID", "containerd", true), ("/kubepods/podUID/ID", "containerd", true),
    (
      "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podU_U.slice/cri-containerd-ID.scope", "containerd",
      true
    ),
    ("/kubepods-burstable-podU_U.slice:cri-containerd:ID", "containerd", true),
    ("/kubepods.slice/kubepods-podU_U.slice/crio-ID.scope", "cri-o", true), ("/crio-ID", "cri-o", false),
    ("/machine.slice/libpod-ID.scope/container", "podman", false), ("/libpod_parent/libpod-ID", "podman", false),
    ("/libpod_parent/\(String(repeating: "9", count: 64))/libpod-ID", "podman", false),
    ("/docker/\(String(repeating: "9", count: 64))/kubelet/kubepods/besteffort/podUID/ID", "containerd", true),
    ("/kubelet-kubepods-burstable-podU_U.slice/cri-containerd-ID.scope", "containerd", true),
    ("/k8s.io/shape-test", "containerd", false),
  ]

  @Test("the first program of each has its container, in every view", arguments: CgroupView.available)
  func shapes(view: CgroupView) throws {
    let folder = try TestFolder()
    let rules = try folder.write(
      "rules.yaml",
      """
      - rule: First
        desc: Whatever a container is started with
        condition: evt.type in (execve, execveat) and proc.name = true and proc.vpid = 1
        output: "%container.full_id %container.type %k8s.pod.uid"
        priority: DEBUG
      """)
    let agent = try AgentProcess(
      ["run", "-r", rules, "--runtime", "none"])
    try agent.waitUntilReady()
    for (index, shape) in Self.shapes.enumerated() {
      let id = ContainerCgroupPath.newContainerID()
      let pod = ContainerCgroupPath.newPodUID()
      let path = shape.path.replacing("U_U", with: pod.replacing("-", with: "_")).replacing("UID", with: pod)
        .replacing("ID", with: id)
      let container = try RuncContainer.create(
        cgroupPath: .init(path: path, containerID: id), arguments: ["true"], view: view)
      defer { try? container.delete() }
      let alert = try #require(try agent.alerts(count: index + 1) { $0.rule == "First" }.last)
      #expect(alert.field("container.full_id") == (shape.path.contains("ID") ? id : "shape-test"), "\(path)")
      #expect(alert.field("container.type") == shape.type, "\(path)")
      #expect(alert.field("k8s.pod.uid") == (shape.isPod ? pod : nil), "\(path)")
    }
    #expect(try agent.terminate() == .exited(0))
  }
}
