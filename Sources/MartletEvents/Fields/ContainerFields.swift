// SPDX-License-Identifier: Apache-2.0

/// Whom an event belongs to. Ids come with the event; the rest is what the container's runtime says: pending for as long as
/// that is waited for, and missing where nobody said it, and on the host, unless another value is named.
extension FieldRegistry {
  static let containerFields: [FieldDescription] = [
    .init(
      .containerID, "container.id", .string, isSuggested: true,
      "First twelve characters of the container's id; `host` for a process that is in none."),
    .init(.containerFullID, "container.full_id", .string, "The container's whole id. Missing on the host."),
    .init(
      .containerType, "container.type", .string,
      "What runs the container, as its runtime or its cgroup's name tells: docker, containerd, cri-o, podman; `host` on the host. Missing where neither tells."
    ),
    .init(
      .containerName, "container.name", .string, isSuggested: true,
      "Name of the container, as its runtime tells; `host` on the host."),
    .init(.containerPrivileged, "container.privileged", .boolean, "Whether the container runs privileged."),
    .init(.containerImage, "container.image", .string, "Name of the container's image, tag included."),
    .init(
      .containerImageRepository, "container.image.repository", .string, isSuggested: true,
      "Name of the container's image without its tag."),
    .init(
      .containerImageTag, "container.image.tag", .string, isSuggested: true, "Tag of the container's image, if any."),
    .init(
      .containerImageDigest, "container.image.digest", .string,
      "Digest under which a registry knows the container's image: `sha256:` and 64 digits."),
    .init(
      .containerImageID, "container.image.id", .string, "Id of the container's image on the node, without `sha256:`."),
    .init(
      .containerStart, "container.start_ts", .absoluteTime,
      "Start of the container, in nanoseconds since 1970, as its runtime tells."),
    .init(
      .containerDuration, "container.duration", .relativeTime, "Nanoseconds from the container's start to the event."),
    .init(
      .containerLabel, "container.label", .string, argument: .requiredKey,
      "One label of the container: `container.label[app]`."),
    .init(
      .containerLabels, "container.labels", .string,
      "All labels of the container, as `key:value`, with commas between."),
    .init(
      .containerMounts, "container.mounts", .string,
      "All mounts of the container, as `source:destination:mode:writable:propagation`, with commas between."),
    .init(
      .containerMount, "container.mount", .string, argument: .requiredIndexOrKey,
      "One mount of the container in that form, by number or by a glob of its source."),
    .init(
      .containerMountSource, "container.mount.source", .string, argument: .requiredIndexOrKey,
      "Where a mount of the container comes from, by number or by a glob of its destination."),
    .init(
      .containerMountDestination, "container.mount.dest", .string, argument: .requiredIndexOrKey,
      "Where a mount of the container appears in it, by number or by a glob of its source."),
    .init(
      .containerMountMode, "container.mount.mode", .string, argument: .requiredIndexOrKey,
      "Mode of a mount of the container, by number or by a glob of its source."),
    .init(
      .containerMountIsWritable, "container.mount.rdwr", .string, argument: .requiredIndexOrKey,
      "Whether a mount of the container can be written to, `true` or `false`, by number or by a glob of its source."),
    .init(
      .containerMountPropagation, "container.mount.propagation", .string, argument: .requiredIndexOrKey,
      "Propagation of a mount of the container, by number or by a glob of its source."),
    .init(
      .containerHostNetwork, "container.host_network", .boolean,
      "Whether the container shares the node's network namespace."),
    .init(.containerHostPID, "container.host_pid", .boolean, "Whether the container shares the node's pid namespace."),
    .init(.containerHostIPC, "container.host_ipc", .boolean, "Whether the container shares the node's IPC namespace."),
    .init(
      .containerCgroups, "container.cgroups", .string,
      "Paths of the container's cgroups, the last 384 bytes of each: on the unified hierarchy and, where it is another, on the one of version 1 that is in use, with a comma between."
    ),
    .init(.containerAddress, "container.ip", .string, "First address of the container, or of its pod."),
    .init(
      .podUID, "k8s.pod.uid", .string,
      "Unique id of the pod, as its cgroup's name or its runtime tells. Missing outside of Kubernetes."),
    .init(.podID, "k8s.pod.id", .string, "The same as k8s.pod.uid."),
    .init(
      .podName, "k8s.pod.name", .string, isSuggested: true, "Name of the pod. Missing outside of Kubernetes."),
    .init(
      .podNamespace, "k8s.ns.name", .string, isSuggested: true,
      "Namespace of the pod. Missing outside of Kubernetes."),
    .init(
      .podLabel, "k8s.pod.label", .string, argument: .requiredKey, "One label of the pod: `k8s.pod.label[app]`."),
    .init(.podLabels, "k8s.pod.labels", .string, "All labels of the pod, as `key:value`, with commas between."),
    .init(
      .podSandboxID, "k8s.pod.sandbox_id", .string,
      "First twelve characters of the id of the pod's sandbox, which is itself a container."),
    .init(.podFullSandboxID, "k8s.pod.full_sandbox_id", .string, "Id of the pod's sandbox."),
    .init(.podAddress, "k8s.pod.ip", .string, "Address of the pod. Missing outside of Kubernetes."),
  ]
}
