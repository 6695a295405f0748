// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletState
import MartletTesting
import Testing

@Suite("Names of addresses")
struct NameTests {
  private static let second: UInt64 = 1_000_000_000
  private static let nodeNetwork: UInt32 = 4_026_531_840
  private static let process = TestProcess(7, "/bin/p")

  private static func feed(limits: StateLimits = StateLimits()) -> Feed {
    let feed = Feed(limits: limits)
    feed.apply(Event.seed(TestProcess(2, ""), network: nodeNetwork))
    feed.apply(Event.resolvers(["10.96.0.10", "127.0.0.53", "fd00::10"]))
    return feed
  }

  private static func connect(
    to address: String, network: UInt32 = 1, at time: UInt64 = 0, call: EventType = .connect
  ) -> TestRecord {
    Event.connect(to: address, port: 443, from: "10.0.0.2", by: process, call: call, network: network, at: time)
  }

  /// All names that the address has in this network at this time.
  private static func names(
    _ feed: Feed, of address: String, network: UInt32 = 1, at time: UInt64 = 0
  ) -> [String] {
    guard var context = feed.context(connect(to: address, network: network, at: time)) else { return ["no event"] }
    return (0..<context.listCount(of: .fdServerName)).map { place in
      if case .text(let name) = context.value(of: .fdServerName, at: .index(place)) { name.string } else { "missing" }
    }
  }

  @Test("a trusted answer names what is connected to, for the processes of its network")
  func named() {
    let feed = Self.feed()
    feed.apply(Event.answer("A.example", ["192.0.2.1", "2001:db8::1"]))
    #expect(Self.names(feed, of: "192.0.2.1") == ["a.example"])
    #expect(Self.names(feed, of: "2001:db8::1") == ["a.example"])
    #expect(Self.names(feed, of: "::ffff:192.0.2.1") == ["a.example"])
    #expect(Self.names(feed, of: "192.0.2.2") == [])
    #expect(Self.names(feed, of: "192.0.2.1", network: 2) == [])
    #expect(feed.state.statistics.nameCount == 2)
  }

  @Test("each end has its own", arguments: [(EventType.connect, true), (.accept, false)])
  func ends(call: EventType, isClient: Bool) {
    let feed = Self.feed()
    feed.apply(Event.answer("far.example", ["192.0.2.1"]), Event.answer("near.example", ["10.0.0.2"]))
    let event = Self.connect(to: "192.0.2.1", call: call)
    #expect(feed.text(.fdRemoteName, on: event) == "far.example")
    #expect(feed.text(.fdLocalName, on: event) == "near.example")
    #expect(feed.text(.fdServerName, on: event) == (isClient ? "far.example" : "near.example"))
    #expect(feed.text(.fdClientName, on: event) == (isClient ? "near.example" : "far.example"))
  }

  struct Source: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let resolver: String
    let network: UInt32
    let interface: UInt32
    let isTrusted: Bool

    init(_ name: String, _ resolver: String, _ network: UInt32, _ interface: UInt32, isTrusted: Bool) {
      testDescription = name
      self.resolver = resolver
      self.network = network
      self.interface = interface
      self.isTrusted = isTrusted
    }
  }

  static let sources = [
    Source("a configured resolver", "10.96.0.10", 1, 2, isTrusted: true),
    Source("one over IPv6", "fd00::10", 1, 2, isTrusted: true),
    Source("one over IPv4 in IPv6", "::ffff:10.96.0.10", 1, 2, isTrusted: true),
    Source("any other", "198.51.100.1", 1, 2, isTrusted: false),
    Source("its address, taken by the container itself", "10.96.0.10", 1, 1, isTrusted: false),
    Source("loopback of a container", "127.0.0.53", 1, 1, isTrusted: false),
    Source("loopback of the node", "127.0.0.53", nodeNetwork, 1, isTrusted: true),
    Source("loopback of the node, not configured", "127.0.0.1", nodeNetwork, 1, isTrusted: false),
  ]

  @Test("whose answers are believed", arguments: sources)
  func trust(_ source: Source) {
    let feed = Self.feed()
    feed.apply(
      Event.answer(
        "a.example", ["192.0.2.1"], from: source.resolver, network: source.network, interface: source.interface))
    #expect(Self.names(feed, of: "192.0.2.1", network: source.network) == (source.isTrusted ? ["a.example"] : []))
    #expect(feed.state.statistics.untrustedAnswerCount == (source.isTrusted ? 0 : 1))
  }

  @Test("nobody is believed before the stream says who, nor who was left out later")
  func resolvers() {
    let feed = Feed()
    feed.apply(Event.answer("a.example", ["192.0.2.1"]), Event.resolvers(["10.96.0.10"]))
    feed.apply(
      Event.answer("b.example", ["192.0.2.1"]), Event.answer("c.example", ["192.0.2.1"], network: 0, interface: 1))
    feed.apply(Event.resolvers(["10.96.0.11"]), Event.answer("d.example", ["192.0.2.1"]))
    #expect(Self.names(feed, of: "192.0.2.1") == ["b.example"])
    #expect(Self.names(feed, of: "192.0.2.1", network: 0) == [])
    #expect(feed.state.statistics.untrustedAnswerCount == 3)
  }

  @Test(
    "a name holds as long as the answer says, within bounds, and a little longer",
    arguments: [(0, 120), (59, 120), (300, 360), (3600, 3660), (86400, 3660)] as [(UInt32, UInt64)])
  func lifetime(seconds: UInt32, holds: UInt64) {
    let feed = Self.feed()
    feed.apply(Event.answer("a.example", ["192.0.2.1"], lifetime: seconds, at: 5 * Self.second))
    let end = (5 + holds) * Self.second
    #expect(Self.names(feed, of: "192.0.2.1", at: end - 1) == ["a.example"])
    #expect(Self.names(feed, of: "192.0.2.1", at: end) == [])
    feed.apply(Event.answer("a.example", ["192.0.2.1"], lifetime: seconds, at: end))
    #expect(Self.names(feed, of: "192.0.2.1", at: end + 1) == ["a.example"])
    #expect(feed.state.statistics.nameCount == 1)
  }

  @Test("an address has several names, the last one first, up to a limit")
  func several() {
    let feed = Self.feed()
    // The one that would end first goes.
    for number in 0...8 {
      feed.apply(Event.answer("n\(number).example", ["192.0.2.1"], lifetime: number == 3 ? 60 : 600))
    }
    #expect(Set(Self.names(feed, of: "192.0.2.1")) == Set([0, 1, 2, 4, 5, 6, 7, 8].map { "n\($0).example" }))
    #expect(feed.state.statistics.evictedNameCount == 1)
    #expect(feed.state.statistics.nameCount == 8)
    let other = Self.feed()
    other.apply(Event.answer("a.example", ["192.0.2.1"]), Event.answer("b.example", ["192.0.2.1"]))
    #expect(other.text(.fdServerName, on: Self.connect(to: "192.0.2.1")) == "b.example")
  }

  @Test("a network that resolves too much loses its own oldest names")
  func networkLimit() {
    let feed = Self.feed(limits: StateLimits(nameCountMax: 16, nameCountPerNetworkMax: 4))
    feed.apply(Event.answer("kept.example", ["192.0.2.200"], network: 2))
    for number in 0..<10 { feed.apply(Event.answer("n.example", ["192.0.2.\(number)"])) }
    #expect((0..<10).map { Self.names(feed, of: "192.0.2.\($0)").count } == [0, 0, 0, 0, 0, 0, 1, 1, 1, 1])
    #expect(Self.names(feed, of: "192.0.2.200", network: 2) == ["kept.example"])
    #expect(feed.state.statistics.evictedNameCount == 6)
    #expect(feed.state.statistics.nameCount == 5)
  }

  @Test("when all are too many, the network that has most loses")
  func limit() {
    let feed = Self.feed(limits: StateLimits(nameCountMax: 8, nameCountPerNetworkMax: 8))
    feed.apply(Event.answer("kept.example", ["192.0.2.200"], network: 2))
    for number in 0..<7 { feed.apply(Event.answer("n.example", ["192.0.2.\(number)"])) }
    for network in 3...UInt32(5) { feed.apply(Event.answer("new.example", ["192.0.2.201"], network: network)) }
    #expect((0..<7).map { Self.names(feed, of: "192.0.2.\($0)").count } == [0, 0, 0, 1, 1, 1, 1])
    #expect(Self.names(feed, of: "192.0.2.200", network: 2) == ["kept.example"])
    for network in 3...UInt32(5) { #expect(Self.names(feed, of: "192.0.2.201", network: network) == ["new.example"]) }
    #expect(feed.state.statistics.evictedNameCount == 3)
  }

  @Test("making room for what no longer holds is no loss")
  func expired() {
    let feed = Self.feed(limits: StateLimits(nameCountMax: 4, nameCountPerNetworkMax: 4))
    for number in 0..<8 {
      feed.apply(Event.answer("n.example", ["192.0.2.\(number)"], at: UInt64(number) * 3600 * Self.second))
    }
    #expect(feed.state.statistics.evictedNameCount == 0)
    #expect(feed.state.statistics.nameCount == 4)
  }

  @Test("answers that cannot be read are counted, those that lead nowhere are not")
  func malformed() {
    let feed = Self.feed()
    var message = TestMessage(answering: "a.example", recordCount: 1)
    feed.apply(Event.answer(message))
    #expect(feed.state.statistics.malformedAnswerCount == 1)
    feed.apply(Event.answer(message, byteCount: 4000))
    message.add(TestMessage.pointer(12), type: 16, data: [1, 65])
    feed.apply(Event.answer(message), Event.answer("", ["192.0.2.1"]))
    #expect(feed.state.statistics.malformedAnswerCount == 1)
    #expect(feed.state.statistics.nameCount == 0)
  }
}
