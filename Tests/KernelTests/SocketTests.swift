// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletCapture
import MartletEvents
import Testing

extension KernelTests {
  @Suite("Sockets")
  struct SocketTests {
    @Test("a server's calls have the addresses of the kernel's socket", arguments: ["accept", "accept4"])
    func server(call: String) throws {
      let recorder = try Recorder()
      let actor = try Actor("listen", "127.0.0.1", "tcp", "blocking", "127.0.0.1", "0", "accept", call)
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      let calls = recorder.records(of: .connect, by: actor.process)
      #expect(calls.map(\.type) == [.bind, .listen, .connect, call == "accept" ? .accept : .accept4])
      let parts = calls.map { $0.connect.pointee }
      try #require(parts.count == 4)
      let port = parts[2].remote_port
      #expect(parts[0].local_port == port && parts[1].local_port == port && parts[3].local_port == port)
      #expect(parts[3].remote_port == parts[2].local_port && parts[2].local_port != 0)
      #expect(parts[3].result == Int64(parts[3].fd) && parts[3].fd > 2)
      for part in parts[...1] { #expect(part.fd > 2 && part.result == 0) }
      #expect(withUnsafeBytes(of: parts[3].remote_address) { Array($0.prefix(4)) } == [127, 0, 0, 1])
    }

    @Test(
      "datagrams are told once for each peer, by the call's name",
      arguments: [
        ("sendto", EventType.sendto), ("sendmsg", .sendmsg), ("sendmmsg", .sendmmsg),
      ], ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
    func send(call: (verb: String, type: EventType), address: String) throws {
      let cgroup = try TestCgroup()
      let recorder = try Recorder(.sockets(in: cgroup))
      let actor = try Actor("join", cgroup.path, "send", call.verb, address, "50", "3")
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      let told = recorder.records(of: .connect, by: actor.process)
      #expect(told.map(\.type) == [call.type, call.type, call.type])
      #expect(Set(told.map { $0.connect.pointee.remote_port }) == [40000, 40001, 40002])
      #expect(told.allSatisfy { SocketCall($0).remote == address && $0.has(flag: UInt32(MARTLET_FLAG_PEER_IS_NEW)) })
      #expect(told.allSatisfy { !$0.has(flag: UInt32(MARTLET_FLAG_SOCKET_CONNECTED)) })
    }

    @Test(
      "whoever sends to a socket is told once, by the call that took it",
      arguments: [("recvfrom", EventType.recvfrom), ("recvmsg", .recvmsg), ("recvmmsg", .recvmmsg)])
    func receive(verb: String, type: EventType) throws {
      let cgroup = try TestCgroup()
      let recorder = try Recorder(.sockets(in: cgroup))
      let actor = try Actor("join", cgroup.path, "receive", verb)
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      let told = recorder.records(of: .connect, by: actor.process).filter { $0.type == type }
      try #require(told.count == 1)
      let sent = try #require(recorder.records(of: .connect, by: actor.process).first { $0.type == .sendto })
      #expect(told[0].connect.pointee.remote_port == sent.connect.pointee.local_port)
      #expect(told[0].connect.pointee.local_port == sent.connect.pointee.remote_port)
    }

    @Test("a datagram through io_uring is told")
    func ringSend() throws {
      let cgroup = try TestCgroup()
      let recorder = try Recorder(.sockets(in: cgroup))
      let actor = try Actor("join", cgroup.path, "ring-socket", "send", "127.0.0.1", "9")
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      let told = recorder.records(of: .connect, by: actor.process)
      #expect(told.map { $0.connect.pointee.remote_port } == [9])
      #expect(told.first?.type == .sendmsg)
    }

    struct UnixCase: CustomTestStringConvertible, Sendable {
      let how: String
      let isAbstract: Bool
      let told: [EventType]
      var result: Int64 = 0
      var testDescription: String { "\(how)\(isAbstract ? ", abstract" : "")" }
    }

    static let unixCases = [
      UnixCase(how: "stream", isAbstract: false, told: [.bind, .listen, .connect, .accept]),
      UnixCase(how: "stream", isAbstract: true, told: [.bind, .listen, .connect, .accept]),
      UnixCase(how: "dgram", isAbstract: false, told: [.bind, .connect]),
      UnixCase(how: "dgram", isAbstract: true, told: [.bind, .connect]),
      UnixCase(how: "missing", isAbstract: false, told: [.connect], result: -Int64(ENOENT)),
      UnixCase(how: "missing", isAbstract: true, told: [.connect], result: -Int64(ECONNREFUSED)),
    ]

    @Test("Unix sockets have the names that they are bound to", arguments: unixCases)
    func unix(_ expected: UnixCase) throws {
      let folder = try Folder()
      let real = folder.folder("real")
      let name = expected.isAbstract ? "@martlet-\(getpid())" : "\(folder.link("link", to: real))/socket"
      let recorder = try Recorder()
      let actor = try Actor("unix", expected.how, name)
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      let calls = recorder.records(of: .unix, by: actor.process)
      #expect(calls.map(\.type) == expected.told)
      let wanted = expected.isAbstract ? "\0" + name.dropFirst() : name
      for call in calls {
        let part = call.unix.pointee
        let isConnect = call.type == .connect
        #expect(call.bytes(isConnect ? part.peer_name : part.name).string == wanted)
        let hasFile = !expected.isAbstract && part.result >= 0
        #expect(call.bytes(part.path).string == (hasFile ? "\(real)/socket" : ""))
        #expect(part.fd > 2)
        #expect(part.result == (call.type == .accept ? Int64(part.fd) : expected.result))
        #expect(call.has(flag: UInt32(MARTLET_FLAG_ADDRESS_UNTRUSTED)) == (part.result < 0))
      }
    }
  }
}
