// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import MartletEvents
import NIOCore
import NIOHTTP1

/// Asks docker or podman by the interface of Docker's engine.
actor DockerClient: RuntimeClient {
  private let exchange: HTTPExchange
  private var backoff = Backoff()

  init(path: String, group: any EventLoopGroup) {
    exchange = HTTPExchange(path: path, group: group)
  }

  func describe(_ id: String) async throws -> ContainerReport? {
    guard let answer = try await get("/containers/\(id)/json") else { return nil }
    guard let container = try? JSONDecoder().decode(Container.self, from: Data(answer.body)) else {
      throw RuntimeFailure.unreadable
    }
    var report = ContainerReport(id: Array(id.utf8))
    // Podman names itself in each answer.
    report.runtime = answer.headers.contains(name: "libpod-api-version") ? .podman : .docker
    report.add(container)
    let imageID = container.image ?? ""
    var facts = ImageFacts(id: Array(imageID.utf8)[...])
    // The id goes into a path: nothing but an id does.
    if ImageName.isID(facts.id), let answer = try await get("/images/\(imageID)/json"),
      let image = try? JSONDecoder().decode(Image.self, from: Data(answer.body))
    {
      facts.tags = (image.repoTags ?? []).map { Array($0.utf8)[...] }
      facts.digests = (image.repoDigests ?? []).map { Array($0.utf8)[...] }
    }
    report.setImage(asked: Array((container.config?.image ?? "").utf8)[...], facts: facts)
    return report
  }

  /// Nil where there is no such thing.
  private func get(_ target: String) async throws -> HTTPExchange.Answer? {
    guard backoff.isOver else { throw RuntimeFailure.unreachable }
    do {
      let answer = try await exchange.get(target)
      backoff.succeed()
      if answer.status == 404 { return nil }
      guard answer.status == 200 else { throw RuntimeFailure.refused(answer.status) }
      return answer
    } catch RuntimeFailure.unreachable {
      backoff.fail()
      throw RuntimeFailure.unreachable
    }
  }
}

// MARK: - What is read of the answers

private struct Container: Decodable {
  struct Configuration: Decodable {
    var image: String?
    var labels: [String: String]?

    enum CodingKeys: String, CodingKey {
      case image = "Image"
      case labels = "Labels"
    }
  }

  struct HostConfiguration: Decodable {
    var privileged: Bool?

    enum CodingKeys: String, CodingKey { case privileged = "Privileged" }
  }

  struct State: Decodable {
    var startedAt: String?

    enum CodingKeys: String, CodingKey { case startedAt = "StartedAt" }
  }

  struct Network: Decodable {
    var address: String?

    enum CodingKeys: String, CodingKey { case address = "IPAddress" }
  }

  struct NetworkSettings: Decodable {
    var address: String?
    var networks: [String: Network]?

    enum CodingKeys: String, CodingKey {
      case address = "IPAddress"
      case networks = "Networks"
    }
  }

  var name: String?
  var image: String?
  var config: Configuration?
  var hostConfig: HostConfiguration?
  var state: State?
  var networkSettings: NetworkSettings?

  enum CodingKeys: String, CodingKey {
    case name = "Name"
    case image = "Image"
    case config = "Config"
    case hostConfig = "HostConfig"
    case state = "State"
    case networkSettings = "NetworkSettings"
  }
}

private struct Image: Decodable {
  var repoTags: [String]?
  var repoDigests: [String]?

  enum CodingKeys: String, CodingKey {
    case repoTags = "RepoTags"
    case repoDigests = "RepoDigests"
  }
}

extension ContainerReport {
  fileprivate mutating func add(_ container: Container) {
    let told = Array((container.name ?? "").utf8)
    name = told.first == UInt8(ascii: "/") ? Array(told.dropFirst()) : told
    isPrivileged = container.hostConfig?.privileged
    startedNanoseconds = Timestamp.nanoseconds(container.state?.startedAt ?? "") ?? 0
    let networks = container.networkSettings
    let addresses = [networks?.address] + (networks?.networks ?? [:]).sorted { $0.key < $1.key }.map(\.value.address)
    address = Array((addresses.compactMap { $0 }.first { !$0.isEmpty } ?? "").utf8)
    labels = (container.config?.labels ?? [:]).map { .init(key: Array($0.key.utf8), value: Array($0.value.utf8)) }
    // A kubelet on top of docker says in labels what others say in their own interface.
    for label in labels {
      switch label.key {
      case Self.podLabel: podName = label.value
      case Self.podUIDLabel: podUID = label.value
      case Self.namespaceLabel: podNamespace = label.value
      case Self.containerLabel: name = label.value
      default: break
      }
    }
  }
}
