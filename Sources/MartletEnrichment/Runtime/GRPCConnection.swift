// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import SwiftProtobuf

/// What is asked and answered.
typealias GRPCMessage = SwiftProtobuf.Message & Sendable

/// Calls of gRPC over a Unix socket: one message there, one back, on one connection that is made when it is needed.
actor GRPCConnection {
  private typealias Streams = NIOHTTP2Handler.AsyncStreamMultiplexer<Void>
  private typealias Frames = NIOAsyncChannel<HTTP2Frame.FramePayload, HTTP2Frame.FramePayload>

  private struct Connection: Sendable {
    let channel: any Channel
    let streams: Streams
  }

  private let path: String
  private let group: any EventLoopGroup
  private let answerSeconds: Int64
  private let controlFrameCountMax: Int
  private var connection: Task<Connection, any Error>?
  private var backoff = Backoff()

  /// gRPC's status of a call that found nothing.
  private static let notFound = 5

  init(
    path: String, group: any EventLoopGroup, answerSeconds: Int64 = RuntimeLimits.answerSeconds,
    controlFrameCountMax: Int = RuntimeLimits.controlFrameCountMax
  ) {
    self.path = path
    self.group = group
    self.answerSeconds = answerSeconds
    self.controlFrameCountMax = controlFrameCountMax
  }

  /// The answer; nil where the other side says that there is no such thing.
  func call<Answer: GRPCMessage>(
    _ method: String, _ question: some GRPCMessage, for type: Answer.Type
  ) async throws -> Answer? {
    guard let answer = try await exchange(method, try question.serializedBytes()) else { return nil }
    do { return try Answer(serializedBytes: answer) } catch { throw RuntimeFailure.unreadable }
  }

  private func exchange(_ method: String, _ message: [UInt8]) async throws -> [UInt8]? {
    let connection = try await connected()
    let deadline = NIODeadline.now() + .seconds(answerSeconds)
    let stream = try await connection.streams.openStream { channel in
      channel.eventLoop.makeCompletedFuture { try Frames(wrappingChannelSynchronously: channel) }
    }
    let timer = stream.channel.eventLoop.scheduleTask(deadline: deadline) { stream.channel.close(promise: nil) }
    defer { timer.cancel() }
    do {
      return try await stream.executeThenClose { inbound, outbound in
        try await outbound.write(.headers(.init(headers: headers(of: method))))
        try await outbound.write(.data(.init(data: .byteBuffer(Self.framed(message)), endStream: true)))
        return try await Self.answer(in: inbound)
      }
    } catch {
      throw RuntimeFailure.cause(of: error, isLate: NIODeadline.now() >= deadline)
    }
  }

  private static func answer(
    in frames: NIOAsyncChannelInboundStream<HTTP2Frame.FramePayload>
  ) async throws -> [UInt8]? {
    var body: [UInt8] = []
    var status: Int?
    for try await frame in frames {
      switch frame {
      case .headers(let headers): status = headers.headers.first(name: "grpc-status").flatMap { Int($0) } ?? status
      case .data(let data):
        guard case .byteBuffer(let bytes) = data.data,
          body.count + bytes.readableBytes <= RuntimeLimits.answerByteCountMax
        else { throw RuntimeFailure.unreadable }
        body += bytes.readableBytesView
      default: break
      }
    }
    // A stream that ends without saying how it went was cut off.
    guard let status else { throw RuntimeFailure.unreachable }
    if status == notFound { return nil }
    guard status == 0 else { throw RuntimeFailure.refused(status) }
    return try message(in: body)
  }

  /// In front of a message: whether it is compressed, and its length in four bytes.
  private static let prefixByteCount = 5

  private static func message(in body: [UInt8]) throws -> [UInt8] {
    let message = body.dropFirst(prefixByteCount)
    let length = body.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) }
    guard body.count >= prefixByteCount, body.first == 0, length == message.count else {
      throw RuntimeFailure.unreadable
    }
    return Array(message)
  }

  private static func framed(_ message: [UInt8]) -> ByteBuffer {
    var buffer = ByteBuffer()
    buffer.writeInteger(UInt8(0))
    buffer.writeInteger(UInt32(message.count))
    buffer.writeBytes(message)
    return buffer
  }

  private func headers(of method: String) -> HPACKHeaders {
    [
      ":method": "POST", ":scheme": "http", ":path": method, ":authority": "localhost", "te": "trailers",
      "content-type": "application/grpc", "grpc-timeout": "\(answerSeconds)S",
    ]
  }

  // MARK: - The connection

  /// The connection that there is, or a new one; several that ask at once wait for the same.
  private func connected() async throws -> Connection {
    // Whoever comes while this one waits takes the same attempt, or the one that another has begun by then.
    while let attempt = connection {
      guard let made = try? await attempt.value else { throw RuntimeFailure.unreachable }
      if made.channel.isActive { return made }
      if connection == attempt { connection = nil }
    }
    guard backoff.isOver else { throw RuntimeFailure.unreachable }
    let attempt = Task { [path, group, controlFrameCountMax] in
      try await Self.connect(to: path, on: group, controlFrameCountMax: controlFrameCountMax)
    }
    connection = attempt
    do {
      let made = try await attempt.value
      backoff.succeed()
      return made
    } catch {
      // Nobody can have begun another.
      connection = nil
      backoff.fail()
      throw RuntimeFailure.unreachable
    }
  }

  private static func connect(
    to path: String, on group: any EventLoopGroup, controlFrameCountMax: Int
  ) async throws -> Connection {
    var configuration = NIOHTTP2Handler.Configuration()
    // gRPC's server for Go sends a ping with most of its answers, to measure. The usual limit is that of a browser's server.
    configuration.connection.controlFrameRateLimit.maximumCount = controlFrameCountMax
    return try await ClientBootstrap(group: group).connectTimeout(.seconds(RuntimeLimits.connectSeconds))
      .connect(unixDomainSocketPath: path) { [configuration] channel in
        channel.configureAsyncHTTP2Pipeline(mode: .client, configuration: configuration) { $0.close() }
          .flatMapThrowing { streams in
            try channel.pipeline.syncOperations.addHandler(ConnectionEnd())
            return Connection(channel: channel, streams: streams)
          }
      }
  }
}

/// Closes a connection that went wrong: nothing would be read from it any more.
private final class ConnectionEnd: ChannelInboundHandler, Sendable {
  typealias InboundIn = HTTP2Frame

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
