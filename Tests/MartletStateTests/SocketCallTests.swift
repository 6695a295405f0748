// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents
import MartletState
import MartletTesting
import Testing

@Suite("Calls on sockets")
struct SocketCallTests {
  let program = TestProcess(7)

  private func call(
    _ type: EventType, to peer: String = "203.0.113.7", port: UInt16 = 41000, transport: Int32 = Int32(IPPROTO_TCP),
    result: Int64 = 0, flags: UInt32 = 0
  ) -> TestRecord {
    Event.connect(
      to: peer, port: port, from: "10.0.0.5", localPort: 443, by: program, transport: Int(transport), result: result,
      call: type, fd: 5, flags: flags)
  }

  @Test(
    "of what is accepted or received this end is the server",
    arguments: [EventType.accept, .accept4, .recvfrom, .recvmsg, .recvmmsg])
  func server(type: EventType) {
    let feed = Feed()
    let expected: [(Field, String)] = [
      (.fdName, "203.0.113.7:41000->10.0.0.5:443"), (.fdServerAddress, "10.0.0.5"), (.fdClientAddress, "203.0.113.7"),
      (.fdRemoteAddress, "203.0.113.7"), (.fdLocalAddress, "10.0.0.5"), (.fdServerPort, "443"),
      (.fdClientPort, "41000"),
      (.fdLocalPort, "443"), (.fdRemotePort, "41000"), (.fdNumber, "5"), (.eventType, "\(type.name)"),
    ]
    for (field, text) in expected { #expect(feed.text(field, on: call(type)) == text, "\(field)") }
  }

  @Test("of what is sent this end is the client", arguments: [EventType.sendto, .sendmsg, .sendmmsg])
  func client(type: EventType) {
    let feed = Feed()
    #expect(feed.text(.fdName, on: call(type)) == "10.0.0.5:443->203.0.113.7:41000")
    #expect(feed.text(.fdServerAddress, on: call(type)) == "203.0.113.7")
  }

  @Test("a listener has a server's end and no other", arguments: [EventType.listen, .bind])
  func listener(type: EventType) {
    let feed = Feed()
    let event = Event.connect(
      to: "0.0.0.0", port: 0, from: "0.0.0.0", localPort: 443, by: program, result: 0, call: type, fd: 5)
    let expected: [(Field, String?)] = [
      (.fdName, "0.0.0.0:443"), (.fdServerAddress, "0.0.0.0"), (.fdServerPort, "443"), (.fdLocalPort, "443"),
      (.fdClientAddress, nil), (.fdClientPort, nil), (.fdRemoteAddress, nil), (.fdRemotePort, nil), (.fdType, "ipv4"),
      (.fdIsConnected, "false"),
    ]
    for (field, text) in expected { #expect(feed.text(field, on: event) == text, "\(field)") }
  }

  @Test("a socket is connected once it is tied to a peer, or about to be")
  func connected() {
    let feed = Feed()
    let flag = UInt32(MARTLET_FLAG_SOCKET_CONNECTED)
    let new = UInt32(MARTLET_FLAG_PEER_IS_NEW)
    let cases: [(TestRecord, connected: String, changed: String)] = [
      (call(.connect), "true", "true"), (call(.connect, result: -Int64(EINPROGRESS)), "true", "true"),
      (call(.connect, result: -Int64(ECONNREFUSED)), "false", "false"), (call(.accept), "true", "false"),
      (call(.sendto, flags: new), "false", "true"), (call(.sendto, flags: flag), "true", "false"),
      (Event.unix(peer: "/run/x.sock", by: program), "true", "true"),
      (Event.unix(peer: "/run/x.sock", by: program, result: -2), "false", "false"),
      (Event.open("/x", by: program), "false", "false"),
    ]
    for (record, connected, changed) in cases {
      #expect(feed.text(.fdIsConnected, on: record) == connected)
      #expect(feed.text(.fdHasNewName, on: record) == changed)
    }
    #expect(feed.text(.fdIsConnected, on: Event.open("/x", by: program, result: -2)) == nil)
  }

  @Test(
    "a Unix socket has the name of the end that is asked for",
    arguments: [
      (.fdName, "2a->ff /run/docker.sock"), (.fdRealPath, "/run/real.sock"), (.fdType, "unix"), (.fdTypeChar, "u"),
      (.fdSocketFamily, "unix"), (.fdProtocol, "<NA>"), (.fdNumber, "3"), (.eventRawResult, "0"),
      (.eventResult, "SUCCESS"), (.fdServerAddress, nil), (.fdFilename, nil), (.eventType, "connect"),
    ] as [(Field, String?)])
  func unix(field: Field, expected: String?) {
    let feed = Feed()
    let event = Event.unix(
      name: "/tmp/own", peer: "/run/docker.sock", path: "/run/real.sock", by: program, cookies: (0x2a, 0xff))
    #expect(feed.text(field, on: event) == expected)
  }

  @Test("an abstract name begins with an at sign; a listener's own name is its name")
  func abstract() {
    let feed = Feed()
    #expect(feed.text(.fdName, on: Event.unix(peer: "\0bus", by: program)) == "0->0 @bus")
    #expect(feed.text(.fdName, on: Event.unix(.listen, name: "/run/own", by: program)) == "0->0 /run/own")
    #expect(feed.text(.fdRealPath, on: Event.unix(peer: "\0bus", by: program)) == nil)
  }

  @Test(
    "parameters are those that Falco's events have",
    arguments: [
      (.connect, "tuple", "10.0.0.5:443->203.0.113.7:41000"), (.connect, "addr", "203.0.113.7:41000"),
      (.connect, "res", "0"), (.connect, "flags", nil), (.accept, "res", nil), (.accept4, "addr", nil),
      (.accept, "tuple", "203.0.113.7:41000->10.0.0.5:443"), (.recvfrom, "tuple", "203.0.113.7:41000->10.0.0.5:443"),
      (.sendto, "tuple", "10.0.0.5:443->203.0.113.7:41000"), (.listen, "tuple", nil), (.listen, "res", "0"),
      (.bind, "addr", "10.0.0.5:443"), (.bind, "tuple", nil),
    ] as [(EventType, String, String?)])
  func parameters(type: EventType, name: String, expected: String?) {
    let feed = Feed()
    let text = Array(name.utf8).withUnsafeBufferPointer { bytes in
      bytes.baseAddress.flatMap { start in
        feed.text(.eventArgument, .key(ByteView(start: start, count: bytes.count)), on: call(type))
      }
    }
    #expect(text == expected)
  }

  @Test("a Unix socket's parameters have its name")
  func unixParameters() {
    let feed = Feed()
    let event = Event.unix(peer: "/run/x.sock", by: program, cookies: (1, 2))
    #expect(feed.text(.eventArgument, .key("tuple"), on: event) == "1->2 /run/x.sock")
    #expect(feed.text(.eventArguments, on: event)?.contains("<u>") == true)
  }

  @Test("what came through io_uring says so")
  func ring() {
    let feed = Feed()
    #expect(feed.text(.eventIsIOURing, on: call(.connect)) == "false")
    #expect(feed.text(.eventIsIOURing, on: call(.connect, flags: UInt32(MARTLET_FLAG_IO_URING))) == "true")
  }

  @Test("a text of a Unix socket's record that points outside makes it no record")
  func damaged() {
    let record = Event.unix(peer: "/run/x.sock", by: program)
    record.bytes.storeBytes(of: UInt32(4096), toByteOffset: 124, as: UInt32.self)
    #expect(record.record == nil)
    #expect(Event.unix(.execve, by: program).record == nil)
  }
}
