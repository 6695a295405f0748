// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import MartletEvents
import NIOCore

/// Asks containerd or CRI-O by the runtime interface of Kubernetes, version 1. Its messages are those of `cri.proto`.
struct CRIClient: RuntimeClient {
  private let connection: GRPCConnection

  init(path: String, group: any EventLoopGroup, answerSeconds: Int64 = RuntimeLimits.answerSeconds) {
    self.init(GRPCConnection(path: path, group: group, answerSeconds: answerSeconds))
  }

  init(_ connection: GRPCConnection) {
    self.connection = connection
  }

  func describe(_ id: String) async throws -> ContainerReport? {
    let idBytes = Data(id.utf8)
    guard let container = try await container(idBytes) else {
      // The sandbox of a pod is a container to the kernel and none to the interface.
      guard let sandbox = try await sandbox(idBytes) else { return nil }
      var report = ContainerReport(id: Array(id.utf8))
      report.runtime = await runtime()
      report.add(sandbox, id: idBytes)
      report.startedNanoseconds = UInt64(clamping: sandbox.createdAt)
      return report
    }
    var question = Runtime_V1_ContainerStatusRequest()
    question.containerID = idBytes
    question.verbose = true
    guard let answer = try await call("ContainerStatus", question, for: Runtime_V1_ContainerStatusResponse.self) else {
      return nil
    }
    let status = answer.status
    var report = ContainerReport(id: Array(id.utf8))
    report.runtime = await runtime()
    report.add(status)
    report.isPrivileged = RuntimeDetails(answer.info["info"]).isPrivileged
    let asked = Array(status.image.image)[...]
    let reference = Array(status.imageRef)[...]
    report.setImage(asked: asked, facts: try await image(reference.isEmpty ? asked : reference) ?? ImageFacts())
    if report.imageDigest.isEmpty, ImageName.isID(reference) { report.imageDigest = Array(reference) }
    if let sandbox = try await sandbox(container.podSandboxID) { report.add(sandbox, id: container.podSandboxID) }
    return report
  }

  /// The entry in the list of containers, which alone names the sandbox.
  private func container(_ id: Data) async throws -> Runtime_V1_Container? {
    var question = Runtime_V1_ListContainersRequest()
    question.filter.id = id
    return try await call("ListContainers", question, for: Runtime_V1_ListContainersResponse.self)?.containers
      .first { $0.id == id }
  }

  private func sandbox(_ id: Data) async throws -> Runtime_V1_PodSandboxStatus? {
    var question = Runtime_V1_PodSandboxStatusRequest()
    question.podSandboxID = id
    let answer = try await call("PodSandboxStatus", question, for: Runtime_V1_PodSandboxStatusResponse.self)
    return answer.flatMap { $0.hasStatus ? $0.status : nil }
  }

  private func image(_ reference: ArraySlice<UInt8>) async throws -> ImageFacts? {
    var question = Runtime_V1_ImageStatusRequest()
    question.image.image = Data(reference)
    let answer = try await connection.call(
      "/runtime.v1.ImageService/ImageStatus", question, for: Runtime_V1_ImageStatusResponse.self)
    guard let answer, answer.hasImage else { return nil }
    return ImageFacts(
      id: Array(answer.image.id)[...], tags: answer.image.repoTags.map { Array($0)[...] },
      digests: answer.image.repoDigests.map { Array($0)[...] })
  }

  private func runtime() async -> ContainerRuntime? {
    let answer = try? await call("Version", Runtime_V1_VersionRequest(), for: Runtime_V1_VersionResponse.self)
    guard let name = answer?.runtimeName else { return nil }
    return ContainerRuntime.allCases.first { "\($0.name)".utf8.elementsEqual(name) }
  }

  private func call<Answer: GRPCMessage>(
    _ method: String, _ question: some GRPCMessage, for type: Answer.Type
  ) async throws -> Answer? {
    try await connection.call("/runtime.v1.RuntimeService/\(method)", question, for: type)
  }
}

extension ContainerReport {
  fileprivate mutating func add(_ status: Runtime_V1_ContainerStatus) {
    name = Array(status.metadata.name)
    startedNanoseconds = UInt64(clamping: status.startedAt)
    labels = status.labels.asLabels
    mounts = status.mounts.map { mount in
      let propagation =
        switch mount.propagation {
        case .propagationHostToContainer: "rslave"
        case .propagationBidirectional: "rshared"
        case .propagationPrivate, .UNRECOGNIZED: "private"
        }
      return Mount(
        source: Array(mount.hostPath), destination: Array(mount.containerPath), isWritable: !mount.readonly,
        propagation: Array(propagation.utf8))
    }
  }

  fileprivate mutating func add(_ sandbox: Runtime_V1_PodSandboxStatus, id: Data) {
    sandboxID = Array(id)
    podName = Array(sandbox.metadata.name)
    podUID = Array(sandbox.metadata.uid)
    podNamespace = Array(sandbox.metadata.namespace)
    podLabels = sandbox.labels.asLabels
    address = Array(sandbox.network.ip)
    guard sandbox.linux.namespaces.hasOptions else { return }
    let options = sandbox.linux.namespaces.options
    let modes = [(HostNamespaces.network, options.network), (.pid, options.pid), (.ipc, options.ipc)]
    hostNamespaces = HostNamespaces(modes.filter { $0.1 == .node }.map(\.0))
  }
}

extension [String: Data] {
  fileprivate var asLabels: [ContainerReport.Label] { map { .init(key: Array($0.utf8), value: Array($1)) } }
}
