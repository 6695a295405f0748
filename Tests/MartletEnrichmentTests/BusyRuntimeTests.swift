// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import MartletEnrichment

@Suite("Busy runtimes", .timeLimit(.minutes(5)))
struct BusyRuntimeTests {
  /// Speaks just enough HTTP/2 to say to each question that there is no such thing, with pings around it as gRPC's
  /// server for Go sends them.
  private final class Denial: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer

    private let pingCount: Int
    // Used by the channel's event loop only.
    private var received: [UInt8] = []
    private var isGreeted = false
    private static let prefaceByteCount = 24

    init(pingCount: Int) { self.pingCount = pingCount }

    private static func frame(
      _ type: UInt8, flags: UInt8 = 0, stream: ArraySlice<UInt8> = [0, 0, 0, 0], _ body: [UInt8]
    )
      -> [UInt8]
    {
      [0, 0, UInt8(body.count), type, flags] + stream + body
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      received += unwrapInboundIn(data).readableBytesView
      var answer: [UInt8] = []
      if !isGreeted, received.count >= Self.prefaceByteCount {
        received.removeFirst(Self.prefaceByteCount)
        isGreeted = true
        answer += Self.frame(4, [])
      }
      while isGreeted, received.count >= 9 {
        let length = received[..<3].reduce(0) { $0 << 8 | Int($1) }
        guard received.count >= 9 + length else { break }
        let (type, flags, stream) = (received[3], received[4], received[5..<9])
        if type == 1 {
          for _ in 0..<pingCount { answer += Self.frame(6, [UInt8](repeating: 7, count: 8)) }
          // Status 200, and `grpc-status: 5`; the end of headers and of the stream.
          let headers = [0x88, 0, 11] + Array("grpc-status".utf8) + [1] + Array("5".utf8)
          answer += Self.frame(1, flags: 5, stream: stream, headers)
        } else if type == 4, flags == 0 {
          answer += Self.frame(4, flags: 1, [])
        }
        received.removeFirst(9 + length)
      }
      if !answer.isEmpty { context.channel.writeAndFlush(ByteBuffer(bytes: answer), promise: nil) }
    }
  }

  private final class Counter: Sendable {
    let value = Atomic<Int>(0)
  }

  /// Asks until so many questions were answered, or refused: over how many connections that took.
  private func ask(
    untilAnswered answeredCount: Int, refused refusedCount: Int, pingCount: Int, controlFrameCountMax: Int
  ) async throws -> Int {
    let path = "/tmp/martlet-\(UUID().uuidString).sock"
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let connections = Counter()
    let server = try await ServerBootstrap(group: group)
      .childChannelInitializer { channel in
        connections.value.add(1, ordering: .relaxed)
        return channel.pipeline.addHandler(Denial(pingCount: pingCount))
      }
      .bind(unixDomainSocketPath: path).get()
    // Longer than the whole test may take: what fails here was not waited for.
    let client = CRIClient(
      GRPCConnection(path: path, group: group, answerSeconds: 300, controlFrameCountMax: controlFrameCountMax))
    var (answered, refused) = (0, 0)
    while answered < answeredCount || refused < refusedCount {
      do {
        #expect(try await client.describe("\(answered)") == nil)
        answered += 1
      } catch {
        // Past its limit a test gets nothing but refusals.
        try Task.checkCancellation()
        refused += 1
      }
    }
    try await server.close()
    try await group.shutdownGracefully()
    unlink(path)
    return connections.value.load(ordering: .relaxed)
  }

  @Test("one that is asked many times in a row, and pings hundreds of times, goes on answering")
  func pings() async throws {
    let connectionCount = try await ask(
      untilAnswered: 60, refused: 0, pingCount: 5, controlFrameCountMax: RuntimeLimits.controlFrameCountMax)
    #expect(connectionCount == 1)
  }

  @Test("one that floods with pings loses the connection, at once, and is asked over another one")
  func flood() async throws {
    // Two calls a question: the fourth is too much for a connection.
    let connectionCount = try await ask(
      untilAnswered: 3, refused: 3, pingCount: 30, controlFrameCountMax: 100)
    #expect(connectionCount > 1)
  }
}
