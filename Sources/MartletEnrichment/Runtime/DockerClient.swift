// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import MartletEvents
import NIOCore
import NIOHTTP1

/// Asks docker or podman by the interface of Docker's engine.
actor DockerClient: RuntimeClient {
  private let exchange: HTTPExchange
  private var backoff = Backoff()

  init(path: String, group: any EventLoopGroup, answerSeconds: Int64 = RuntimeLimits.answerSeconds) {
    exchange = HTTPExchange(path: path, group: group, answerSeconds: answerSeconds)
  }

  func describe(_ id: String) async throws -> ContainerReport? {
    // The id goes into a path, where a name would do as well, of another container: nothing but an id does.
    guard ImageName.isID(Array(id.utf8)[...]), let answer = try await get("/containers/\(id)/json") else { return nil }
    guard let container = try? JSONDecoder().decode(DockerContainer.self, from: Data(answer.body)) else {
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

private struct Image: Decodable {
  var repoTags: [String]?
  var repoDigests: [String]?

  enum CodingKeys: String, CodingKey {
    case repoTags = "RepoTags"
    case repoDigests = "RepoDigests"
  }
}
