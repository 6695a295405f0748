// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import NIOCore

/// Asks containerd or CRI-O by the runtime interface of Kubernetes, version 1.
///
/// Numbers of fields are those of its `api.proto`; they never change their meaning.
struct CRIClient: RuntimeClient {
  private let connection: GRPCConnection

  init(path: String, group: any EventLoopGroup) {
    connection = GRPCConnection(path: path, group: group)
  }

  func describe(_ id: String) async throws -> ContainerReport? {
    let id = Array(id.utf8)
    guard let container = try await container(id) else {
      // The sandbox of a pod is a container to the kernel and none to the interface.
      guard let sandbox = try await sandbox(id) else { return nil }
      var report = ContainerReport(id: id)
      report.runtime = await runtime()
      report.add(sandbox: sandbox, id: id)
      report.startedNanoseconds = sandbox.number(4)
      return report
    }
    guard let answer = try await call("ContainerStatus", Self.question(id, isVerbose: true)) else { return nil }
    let status = answer.field(1)
    var report = ContainerReport(id: id)
    report.runtime = await runtime()
    report.add(status: status)
    report.isPrivileged = RuntimeDetails(answer.fields(2).entries).isPrivileged
    let image = status.field(8).field(1)
    report.setImage(
      asked: image, facts: try await self.image(status.field(9).isEmpty ? image : status.field(9)) ?? ImageFacts())
    if report.imageDigest.isEmpty, ImageName.isID(status.field(9)) { report.imageDigest = Array(status.field(9)) }
    let sandboxID = Array(container.field(2))
    if let sandbox = try await sandbox(sandboxID) { report.add(sandbox: sandbox, id: sandboxID) }
    return report
  }

  /// The entry in the list of containers, which alone names the sandbox.
  private func container(_ id: [UInt8]) async throws -> ArraySlice<UInt8>? {
    var filter = WireWriter()
    filter.add(1, id)
    var question = WireWriter()
    question.add(1, filter.bytes)
    return try await call("ListContainers", question.bytes)?.fields(1).first { Array($0.field(1)) == id }
  }

  private func sandbox(_ id: [UInt8]) async throws -> ArraySlice<UInt8>? {
    let status = try await call("PodSandboxStatus", Self.question(id, isVerbose: false))?.field(1) ?? []
    return status.isEmpty ? nil : status
  }

  private func image(_ reference: ArraySlice<UInt8>) async throws -> ImageFacts? {
    var name = WireWriter()
    name.add(1, Array(reference))
    var question = WireWriter()
    question.add(1, name.bytes)
    let image = try await connection.call("/runtime.v1.ImageService/ImageStatus", question.bytes)?.field(1) ?? []
    guard !image.isEmpty else { return nil }
    return ImageFacts(id: image.field(1), tags: image.fields(2), digests: image.fields(3))
  }

  private func runtime() async -> ContainerRuntime? {
    let name = (try? await call("Version", []))?.field(2) ?? []
    return ContainerRuntime.allCases.first { "\($0.name)".utf8.elementsEqual(name) }
  }

  private func call(_ method: String, _ message: [UInt8]) async throws -> ArraySlice<UInt8>? {
    try await connection.call("/runtime.v1.RuntimeService/\(method)", message)
  }

  private static func question(_ id: [UInt8], isVerbose: Bool) -> [UInt8] {
    var question = WireWriter()
    question.add(1, id)
    question.add(2, isVerbose)
    return question.bytes
  }
}

extension [ArraySlice<UInt8>] {
  /// Of a map: each entry is a message with a key and a value.
  fileprivate var entries: [ContainerReport.Label] {
    map { entry in .init(key: [UInt8](entry.field(1)), value: [UInt8](entry.field(2))) }
  }
}

extension ContainerReport {
  fileprivate mutating func add(status: ArraySlice<UInt8>) {
    name = Array(status.field(2).field(1))
    startedNanoseconds = status.number(5)
    labels = status.fields(12).entries
  }

  fileprivate mutating func add(sandbox: ArraySlice<UInt8>, id: [UInt8]) {
    let metadata = sandbox.field(2)
    sandboxID = id
    podName = Array(metadata.field(1))
    podUID = Array(metadata.field(2))
    podNamespace = Array(metadata.field(3))
    podLabels = sandbox.fields(7).entries
    address = Array(sandbox.field(5).field(1))
  }
}
