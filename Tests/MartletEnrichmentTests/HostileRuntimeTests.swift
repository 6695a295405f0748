// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import MartletEvents
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import MartletEnrichment

/// What a real runtime cannot be made to do. Real ones are asked in the tests of pods and of podman.
@Suite("Hostile runtimes", .timeLimit(.minutes(5)))
struct HostileRuntimeTests {
  /// Listens at a socket, and says the same whatever it is asked.
  private final class FakeRuntime: Sendable {
    let path: String
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let channel: any Channel
    private let count: Count
    /// How often somebody has connected.
    var connectionCount: Int { count.value.load(ordering: .relaxed) }

    private final class Count: Sendable { let value = Atomic(0) }

    private final class Speech: ChannelInboundHandler, Sendable {
      typealias InboundIn = ByteBuffer
      let bytes: [UInt8]
      let isOver: Bool

      init(_ bytes: [UInt8], isOver: Bool) {
        self.bytes = bytes
        self.isOver = isOver
      }

      func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let written = context.channel.writeAndFlush(ByteBuffer(bytes: bytes))
        guard isOver else { return }
        let channel = context.channel
        written.whenComplete { _ in channel.close(promise: nil) }
      }
    }

    /// `closesFirst`: hangs up on the first who connects, and on nobody else.
    init(saying bytes: [UInt8], thenCloses isOver: Bool, closesFirst: Bool = false) async throws {
      path = "/tmp/martlet-\(UUID().uuidString).sock"
      let count = Count()
      self.count = count
      channel = try await ServerBootstrap(group: group)
        .childChannelInitializer { channel in
          let number = count.value.add(1, ordering: .relaxed).newValue
          return channel.pipeline.addHandler(Speech(bytes, isOver: isOver || closesFirst && number == 1))
        }
        .bind(unixDomainSocketPath: path).get()
    }

    func end() async throws {
      try await channel.close()
      try await group.shutdownGracefully()
      unlink(path)
    }
  }

  private let id = String(repeating: "a", count: 64)

  /// What asking it by the interface comes to. It has long to answer, as these tests share the machine with others.
  private func ask(
    _ interface: RuntimeSocket.Interface, saying bytes: [UInt8], thenCloses isOver: Bool = false,
    answerSeconds: Int64 = 240
  ) async throws -> Result<ContainerReport?, any Error> {
    let runtime = try await FakeRuntime(saying: bytes, thenCloses: isOver)
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let client: any RuntimeClient =
      interface == .cri
      ? CRIClient(path: runtime.path, group: group, answerSeconds: answerSeconds)
      : DockerClient(path: runtime.path, group: group, answerSeconds: answerSeconds)
    let result: Result<ContainerReport?, any Error>
    do { result = .success(try await client.describe(id)) } catch { result = .failure(error) }
    try await group.shutdownGracefully()
    try await runtime.end()
    return result
  }

  private static func http(_ body: [UInt8], status: String = "200 OK") -> [UInt8] {
    Array("HTTP/1.1 \(status)\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body
  }

  @Test("one that says nothing costs as long as an answer may take", arguments: [RuntimeSocket.Interface.cri, .docker])
  func silent(interface: RuntimeSocket.Interface) async throws {
    let result = try await ask(interface, saying: [], answerSeconds: RuntimeLimits.answerSeconds)
    #expect(throws: RuntimeFailure.timedOut) { try result.get() }
  }

  @Test("one that speaks nonsense or hangs up is no answer", arguments: [RuntimeSocket.Interface.cri, .docker])
  func nonsense(interface: RuntimeSocket.Interface) async throws {
    for bytes in [[], Array("nonsense\r\n\r\n".utf8), [UInt8](repeating: 0, count: 4096), [0xff, 0xfe]] {
      let result = try await ask(interface, saying: bytes, thenCloses: true)
      #expect(throws: (any Error).self) { try result.get() }
    }
  }

  @Test("an answer that does not end is not read to its end")
  func endless() async throws {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: \(RuntimeLimits.answerByteCountMax + 1)\r\n\r\n"
    let result = try await ask(.docker, saying: Array(head.utf8))
    #expect(throws: RuntimeFailure.unreadable) { try result.get() }
  }

  @Test("a refusal is one, and a container that is not there is none")
  func refusal() async throws {
    let refused = try await ask(.docker, saying: Self.http([], status: "500 Internal Server Error"))
    #expect(throws: RuntimeFailure.refused(500)) { try refused.get() }
    #expect(try await ask(.docker, saying: Self.http([], status: "404 Not Found")).get() == nil)
  }

  @Test("huge names and labels come in, and leave within their bounds")
  func huge() async throws {
    let long = String(repeating: "\\u0000\\n\\\"x", count: 20_000)
    let body = #"{"Name":"/\#(long)","Config":{"Image":"\#(long)","Labels":{"a":"\#(long)"}},"HostConfig":null}"#
    var report = try #require(try await ask(.docker, saying: Self.http(Array(body.utf8))).get())
    #expect(report.name.count == 80_000 && !report.isCut)
    report.withRecord(at: 0) { #expect($0.count <= ContainerReport.recordByteCountMax) }
    report.cut()
    #expect(report.name.count == ContainerReport.textByteCountMax && report.isCut)
  }

  @Test("questions nobody answers are bounded and counted, and none is asked twice")
  func bound() {
    let inquiry = ContainerInquiry(
      sockets: [RuntimeSocket(.cri, "/nowhere/x.sock")], logger: Logger(label: "test")
    ) {}
    for round in 0..<2 {
      for number in 0..<(ContainerInquiry.openCountMax + 10) { inquiry.ask(ContainerCgroup(id: "\(number)")) }
      #expect(inquiry.statistics.asked == UInt64(ContainerInquiry.openCountMax))
      #expect(inquiry.statistics.dropped == UInt64(10 * (round + 1)))
    }
    // Those that were not asked about need not be waited for.
    let answers = inquiry.takeAnswers(100)
    let first = ContainerAnswer.unanswered(id: Array("\(ContainerInquiry.openCountMax)".utf8))
    #expect(answers.count == 20 && answers.first as? ContainerAnswer == first)
    for number in 0..<(3 * ContainerInquiry.answerCountMax) { inquiry.ask(ContainerCgroup(id: "late \(number)")) }
    #expect(inquiry.takeAnswers(.max).count == ContainerInquiry.answerCountMax)
    #expect(inquiry.takeAnswers(10).isEmpty)
  }

  @Test("where nobody is expected to listen, a question is closed; where somebody is, it stays open")
  func away() async throws {
    for isExpected in [false, true] {
      let socket = RuntimeSocket(.docker, "/nowhere/x.sock", isExpected: isExpected)
      let inquiry = ContainerInquiry(sockets: [socket], logger: Logger(label: "test")) {}
      inquiry.ask(ContainerCgroup(id: id, runtime: .docker))
      let run = Task { await inquiry.run() }
      while inquiry.statistics.unknown == 0, inquiry.statistics.failed == 0 {
        try await Task.sleep(for: .milliseconds(5))
      }
      #expect(inquiry.statistics.open == (isExpected ? 1 : 0))
      // Who waits for names need not wait for somebody who never was there.
      let told = inquiry.takeAnswers(10).first as? ContainerAnswer
      #expect(told == (isExpected ? nil : .unanswered(id: Array(id.utf8))))
      run.cancel()
      await run.value
    }
  }

  @Test("whoever asks at once after a connection has died shares the next one")
  func reconnect() async throws {
    let runtime = try await FakeRuntime(saying: [], thenCloses: false, closesFirst: true)
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let client = CRIClient(path: runtime.path, group: group)
    await #expect(throws: (any Error).self) { try await client.describe(id) }
    #expect(runtime.connectionCount == 1)
    await withTaskGroup { tasks in
      for _ in 0..<16 { tasks.addTask { _ = try? await client.describe(id) } }
    }
    #expect(runtime.connectionCount == 2)
    try await group.shutdownGracefully()
    try await runtime.end()
  }

  // MARK: - Starts

  /// What is told when a container is asked for that has started so many seconds ago, by a runtime.
  private static func told(
    startedAgo seconds: Double, _ asks: [(ContainerCgroup, wasThere: Bool)]
  ) async throws -> [[any StreamReport]] {
    let started = Date(timeIntervalSinceNow: -seconds).formatted(.iso8601)
    let body = #"{"Name":"/web","State":{"StartedAt":"\#(started)"}}"#
    let runtime = try await FakeRuntime(saying: http(Array(body.utf8)), thenCloses: false)
    let inquiry = ContainerInquiry(sockets: [RuntimeSocket(.docker, runtime.path)], logger: Logger(label: "test")) {}
    let run = Task { await inquiry.run() }
    var told: [[any StreamReport]] = []
    for (number, (cgroup, wasThere)) in asks.enumerated() {
      inquiry.ask(cgroup, wasThere: wasThere)
      // One that is not asked for again is never answered.
      guard inquiry.statistics.asked == UInt64(number + 1) else {
        told.append([])
        continue
      }
      while inquiry.statistics.answered < number + 1 { try await Task.sleep(for: .milliseconds(2)) }
      told.append(inquiry.takeAnswers(10))
    }
    run.cancel()
    await run.value
    try await runtime.end()
    return told
  }

  @Test("a container that starts is told of once, behind what the runtime says of it; cgroups inside make no other")
  func start() async throws {
    let own = ContainerCgroup(id: id, cgroupID: 5, hierarchy: 1)
    // By that runtime's clock it has yet to start: it has just started however long this takes.
    let told = try await Self.told(
      startedAgo: -300,
      [
        (own, false), (own, false), (ContainerCgroup(id: id, cgroupID: 6, hierarchy: 1, isInner: true), false),
        (ContainerCgroup(id: id, cgroupID: 7), false),
      ])
    #expect(told.map(\.count) == [2, 0, 0, 0])
    guard case .report(let report)? = told[0][0] as? ContainerAnswer else { return #expect(Bool(false), "no report") }
    #expect(report.name == Array("web".utf8))
    #expect(told[0][1] as? ContainerStart == ContainerStart(cgroupID: 5, hierarchy: 1))
  }

  @Test(
    "one that was there before the agent, or has run for long, has not started",
    arguments: [(1, true), (3600, false)] as [(Double, Bool)])
  func noStart(seconds: Double, wasThere: Bool) async throws {
    let told = try await Self.told(startedAgo: seconds, [(ContainerCgroup(id: id, cgroupID: 5), wasThere)])
    #expect(told.map(\.count) == [1] && told[0][0] is ContainerAnswer)
  }
}
