// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents
import Testing

extension KernelTests {
  @Suite("Connections")
  struct ConnectTests {
    struct Case: CustomTestStringConvertible, Sendable {
      let kind: String
      let address: String
      let family: Int32
      /// The remote address's first bytes, in network order.
      let bytes: [UInt8]
      var testDescription: String { "\(kind) to \(address)" }
    }

    static let mapped: [UInt8] = Array(repeating: 0, count: 10) + [0xff, 0xff, 127, 0, 0, 1]
    static let cases = ["tcp", "udp", "disguised-udp"].flatMap { kind in
      [
        Case(kind: kind, address: "127.0.0.1", family: AF_INET, bytes: [127, 0, 0, 1]),
        Case(kind: kind, address: "::1", family: AF_INET6, bytes: Array(repeating: 0, count: 15) + [1]),
        Case(kind: kind, address: "::ffff:127.0.0.1", family: AF_INET6, bytes: mapped),
      ]
    }

    @Test(
      "a connection over several paths is told once, by its first path",
      .enabled(if: access("/proc/sys/net/mptcp", F_OK) == 0, "needs MPTCP"))
    func severalPaths() throws {
      let recorder = try Recorder()
      let actor = try Actor("connect", "mptcp", "127.0.0.1", "9")
      recorder.record(untilEndOf: actor.process)
      actor.finish()
      let found = recorder.records(of: .connect, by: actor.process)
      try #require(found.count == 1)
      #expect(found[0].connect.pointee.protocol == UInt16(IPPROTO_TCP))
      #expect(found[0].connect.pointee.remote_port == 9)
    }

    @Test("addresses come from the kernel's socket", arguments: cases)
    func connect(_ expected: Case) throws {
      let recorder = try Recorder()
      let actor = try Actor("connect", expected.kind, expected.address, "9")
      recorder.record(untilEndOf: actor.process)
      actor.finish()
      let found = recorder.records(of: .connect, by: actor.process)
      try #require(found.count == 1)
      let connect = found[0].connect.pointee
      let isStream = expected.kind == "tcp"
      #expect(Int32(connect.family) == expected.family)
      #expect(connect.protocol == UInt16(isStream ? IPPROTO_TCP : IPPROTO_UDP))
      #expect(connect.remote_port == 9)
      #expect(withUnsafeBytes(of: connect.remote_address) { Array($0.prefix(expected.bytes.count)) } == expected.bytes)
      #expect(connect.result == (isStream ? -Int64(ECONNREFUSED) : 0))
      #expect(connect.fd > 2)
      #expect(connect.local_port != 0)
      var facts = stat()
      #expect(stat("/proc/self/ns/net", &facts) == 0)
      #expect(connect.network_namespace == UInt32(truncatingIfNeeded: facts.st_ino))
      #expect(found[0].type == .connect)
    }
  }
}
