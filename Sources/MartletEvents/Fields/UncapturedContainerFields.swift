// SPDX-License-Identifier: Apache-2.0

/// What only the container runtime or Kubernetes knows.
extension FieldRegistry {
  static let uncapturedContainerFields: [FieldDescription] = [
    .init("container.cni.json", .string, "Result of the container's network set-up."),
    .init("container.duration", .relativeTime, "Nanoseconds since the container's start."),
    .init("container.healthcheck", .string, "The container's health check."),
    .init("container.host_ipc", .boolean, "Whether the container shares the node's IPC namespace."),
    .init("container.host_network", .boolean, "Whether the container shares the node's network namespace."),
    .init("container.host_pid", .boolean, "Whether the container shares the node's pid namespace."),
    .init("container.image", .string, "Name of the container's image, tag included."),
    .init("container.image.digest", .string, "Digest of the container's image."),
    .init("container.image.id", .string, "Id of the container's image."),
    .init("container.image.repository", .string, isSuggested: true, "Name of the container's image without its tag."),
    .init("container.image.tag", .string, isSuggested: true, "Tag of the container's image."),
    .init("container.ip", .string, "First IPv4 address of the container."),
    .init("container.label", .string, argument: .requiredKey, "One label of the container: `container.label[app]`."),
    .init("container.labels", .string, "All labels of the container, as `key:value`, with commas between."),
    .init("container.liveness_probe", .string, "The container's liveness probe."),
    .init(
      "container.mount", .string, argument: .requiredIndexOrKey,
      "One mount of the container, by number or by a glob of its source."),
    .init(
      "container.mount.dest", .string, argument: .requiredIndexOrKey,
      "Where a mount of the container appears in it, by number or by a glob of its source."),
    .init(
      "container.mount.mode", .string, argument: .requiredIndexOrKey,
      "Mode of a mount of the container, by number or by a glob of its source."),
    .init(
      "container.mount.propagation", .string, argument: .requiredIndexOrKey,
      "Propagation of a mount of the container, by number or by a glob of its source."),
    .init(
      "container.mount.rdwr", .string, argument: .requiredIndexOrKey,
      "Whether a mount of the container can be written to, by number or by a glob of its source."),
    .init(
      "container.mount.source", .string, argument: .requiredIndexOrKey,
      "Where a mount of the container comes from, by number or by a glob of its destination."),
    .init("container.mounts", .string, "All mounts of the container."),
    .init("container.name", .string, isSuggested: true, "Name of the container."),
    .init("container.privileged", .boolean, "Whether the container runs privileged."),
    .init("container.readiness_probe", .string, "The container's readiness probe."),
    .init("container.start_ts", .absoluteTime, "Start of the container, in nanoseconds since 1970."),
    .init("k8s.deployment.id", .string, "Unique id of the pod's deployment; deprecated."),
    .init("k8s.deployment.label", .string, argument: .requiredKey, "One label of the pod's deployment; deprecated."),
    .init("k8s.deployment.labels", .string, "All labels of the pod's deployment; deprecated."),
    .init("k8s.deployment.name", .string, "Name of the pod's deployment; deprecated."),
    .init("k8s.ns.id", .string, "Unique id of the pod's namespace; deprecated."),
    .init("k8s.ns.label", .string, argument: .requiredKey, "One label of the pod's namespace; deprecated."),
    .init("k8s.ns.labels", .string, "All labels of the pod's namespace; deprecated."),
    .init("k8s.ns.name", .string, isSuggested: true, "Namespace of the pod."),
    .init("k8s.pod.cni.json", .string, "Result of the pod's network set-up."),
    .init("k8s.pod.full_sandbox_id", .string, "Id of the pod's sandbox."),
    .init("k8s.pod.ip", .string, "Address of the pod."),
    .init("k8s.pod.label", .string, argument: .requiredKey, "One label of the pod: `k8s.pod.label[app]`."),
    .init("k8s.pod.labels", .string, "All labels of the pod, as `key:value`, with commas between."),
    .init("k8s.pod.name", .string, isSuggested: true, "Name of the pod."),
    .init("k8s.pod.sandbox_id", .string, "First twelve characters of the id of the pod's sandbox."),
    .init("k8s.rc.id", .string, "Unique id of the pod's replication controller; deprecated."),
    .init(
      "k8s.rc.label", .string, argument: .requiredKey, "One label of the pod's replication controller; deprecated."),
    .init("k8s.rc.labels", .string, "All labels of the pod's replication controller; deprecated."),
    .init("k8s.rc.name", .string, "Name of the pod's replication controller; deprecated."),
    .init("k8s.rs.id", .string, "Unique id of the pod's replica set; deprecated."),
    .init("k8s.rs.label", .string, argument: .requiredKey, "One label of the pod's replica set; deprecated."),
    .init("k8s.rs.labels", .string, "All labels of the pod's replica set; deprecated."),
    .init("k8s.rs.name", .string, "Name of the pod's replica set; deprecated."),
    .init("k8s.svc.id", .string, "Unique id of the pod's service; deprecated."),
    .init("k8s.svc.label", .string, argument: .requiredKey, "One label of the pod's service; deprecated."),
    .init("k8s.svc.labels", .string, "All labels of the pod's service; deprecated."),
    .init("k8s.svc.name", .string, "Name of the pod's service; deprecated."),
  ]
}
