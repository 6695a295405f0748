// SPDX-License-Identifier: Apache-2.0

/// What only the container runtime or Kubernetes knows, and nobody asks them for.
extension FieldRegistry {
  static let uncapturedContainerFields: [FieldDescription] = [
    .init("container.cni.json", .string, "Result of the container's network set-up."),
    .init("container.healthcheck", .string, "The container's health check."),
    .init("container.liveness_probe", .string, "The container's liveness probe."),
    .init("container.readiness_probe", .string, "The container's readiness probe."),
    .init("k8s.deployment.id", .string, "Unique id of the pod's deployment; deprecated."),
    .init("k8s.deployment.label", .string, argument: .requiredKey, "One label of the pod's deployment; deprecated."),
    .init("k8s.deployment.labels", .string, "All labels of the pod's deployment; deprecated."),
    .init("k8s.deployment.name", .string, "Name of the pod's deployment; deprecated."),
    .init("k8s.ns.id", .string, "Unique id of the pod's namespace; deprecated."),
    .init("k8s.ns.label", .string, argument: .requiredKey, "One label of the pod's namespace; deprecated."),
    .init("k8s.ns.labels", .string, "All labels of the pod's namespace; deprecated."),
    .init("k8s.pod.cni.json", .string, "Result of the pod's network set-up."),
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
