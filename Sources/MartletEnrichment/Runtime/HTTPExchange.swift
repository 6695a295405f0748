// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1
import NIOPosix

/// One request of HTTP/1.1 over a Unix socket, on a connection of its own.
struct HTTPExchange {
  private typealias Parts = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

  struct Answer {
    let status: Int
    let headers: HTTPHeaders
    let body: [UInt8]
  }

  let path: String
  let group: any EventLoopGroup
  let answerSeconds: Int64

  func get(_ target: String) async throws -> Answer {
    let deadline = NIODeadline.now() + .seconds(answerSeconds)
    let channel: Parts
    do {
      channel = try await ClientBootstrap(group: group).connectTimeout(.seconds(RuntimeLimits.connectSeconds))
        .connect(unixDomainSocketPath: path) { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHTTPClientHandlers()
            return try Parts(wrappingChannelSynchronously: channel)
          }
        }
    } catch {
      throw RuntimeFailure.unreachable
    }
    let timer = channel.channel.eventLoop.scheduleTask(deadline: deadline) { channel.channel.close(promise: nil) }
    defer { timer.cancel() }
    do {
      return try await channel.executeThenClose { inbound, outbound in
        let headers: HTTPHeaders = ["host": "localhost", "accept": "application/json", "connection": "close"]
        try await outbound.write(.head(.init(version: .http1_1, method: .GET, uri: target, headers: headers)))
        try await outbound.write(.end(nil))
        return try await Self.answer(in: inbound)
      }
    } catch {
      throw RuntimeFailure.cause(of: error, isLate: NIODeadline.now() >= deadline)
    }
  }

  private static func answer(in parts: NIOAsyncChannelInboundStream<HTTPClientResponsePart>) async throws -> Answer {
    var head: HTTPResponseHead?
    var body: [UInt8] = []
    for try await part in parts {
      switch part {
      case .head(let part):
        let length = part.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
        guard length <= RuntimeLimits.answerByteCountMax else { throw RuntimeFailure.unreadable }
        head = part
      case .body(let bytes):
        guard body.count + bytes.readableBytes <= RuntimeLimits.answerByteCountMax else {
          throw RuntimeFailure.unreadable
        }
        body += bytes.readableBytesView
      case .end:
        guard let head else { throw RuntimeFailure.unreadable }
        return Answer(status: Int(head.status.code), headers: head.headers, body: body)
      }
    }
    // Closed before the answer's end.
    throw RuntimeFailure.unreachable
  }
}
