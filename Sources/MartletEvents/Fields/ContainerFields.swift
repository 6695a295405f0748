// SPDX-License-Identifier: Apache-2.0

extension FieldRegistry {
  static let containerFields: [FieldDescription] = [
    .init(
      .containerID, "container.id", .string, isSuggested: true,
      "First twelve characters of the container's id; `host` for a process that is in none."),
    .init(.containerFullID, "container.full_id", .string, "The container's whole id. Missing on the host."),
    .init(
      .containerType, "container.type", .string,
      "What runs the container, as its cgroup's name tells: docker, containerd, cri-o, podman; `host` on the host. Missing where the name does not tell."
    ),
    .init(
      .podUID, "k8s.pod.uid", .string,
      "Unique id of the pod, as its cgroup's name tells. Missing outside of Kubernetes."),
    .init(.podID, "k8s.pod.id", .string, "The same as k8s.pod.uid."),
  ]
}
