// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents
import MartletState
import MartletTesting
import Testing

@Suite("Calls")
struct CallTests {
  static let process = TestProcess(7, "/bin/tool")

  struct Case: CustomTestStringConvertible, Sendable {
    let type: EventType
    var result: Int64 = 0
    var arguments: [UInt64] = []
    var names: [String] = []
    var directories: [String] = []
    /// Parameter and text.
    let expected: [String: String]
    var testDescription: String { "\(type.name)" }

    var record: TestRecord {
      Event.call(
        type, by: CallTests.process, result: result, arguments: arguments, names: names, below: directories)
    }
  }

  static let minusHundred = UInt64(UInt32(bitPattern: -100))
  static let cases = [
    Case(
      type: .symlinkat, arguments: [0, minusHundred], names: ["/etc/shadow", "a/../link"], directories: ["", "/tmp"],
      expected: ["res": "0", "target": "/etc/shadow", "linkdirfd": "AT_FDCWD", "linkpath": "/tmp/link"]),
    Case(
      type: .renameat2, result: -2, arguments: [5, 0, 6, 0, 3], names: ["old", "/new"], directories: ["/srv"],
      expected: [
        "res": "ENOENT", "olddirfd": "5", "oldpath": "/srv/old", "newdirfd": "6", "newpath": "/new",
        "flags": "RENAME_NOREPLACE|RENAME_EXCHANGE",
      ]),
    Case(
      type: .unlinkat, arguments: [minusHundred, 0, 0x200], names: ["."], directories: ["/srv/x"],
      expected: ["name": "/srv/x", "flags": "AT_REMOVEDIR", "dirfd": "AT_FDCWD"]),
    Case(
      type: .chmod, arguments: [0, 0o6755], names: ["/bin/x"],
      expected: [
        "filename": "/bin/x",
        "mode": "S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISGID|S_ISUID",
      ]),
    Case(type: .mkdir, arguments: [0, 0o755], names: ["/srv/new"], expected: ["path": "/srv/new", "mode": "1ED"]),
    Case(
      type: .ptrace, arguments: [16, 7, 0, 0], expected: ["request": "PTRACE_ATTACH", "pid": "tool", "addr": "0"]),
    Case(
      type: .socket, result: -1, arguments: [17, 3, 768],
      expected: ["fd": "EPERM", "domain": "AF_PACKET", "type": "3", "proto": "768"]),
    Case(type: .setns, arguments: [3, 0x4000_0000], expected: ["nstype": "CLONE_NEWNET"]),
    Case(type: .unshare, arguments: [0x1000_0000 | 0x2_0000], expected: ["flags": "CLONE_NEWNS|CLONE_NEWUSER"]),
    Case(type: .unshare, arguments: [0], expected: ["flags": "0"]),
    Case(type: .setuid, arguments: [0], expected: ["uid": "root"]),
    Case(
      type: .setresuid, arguments: [0xffff_ffff, 1000, 0], expected: ["ruid": "-1", "euid": "1000", "suid": "root"]),
    Case(type: .bpf, result: 4, arguments: [5], expected: ["cmd": "BPF_PROG_LOAD", "res_or_fd": "4"]),
    Case(
      type: .mount, arguments: [0, 0, 0, 4096 | 1], names: ["/dev/sda", "mnt", "ext4"], directories: ["", "/"],
      expected: ["dev": "/dev/sda", "dir": "/mnt", "type": "ext4", "flags": "RDONLY|BIND"]),
    Case(type: .finitModule, arguments: [3, 0, 2], names: ["x=1"], expected: ["uargs": "x=1"]),
    Case(type: .kill, arguments: [7, 9], expected: ["pid": "tool", "sig": "9"]),
    Case(
      type: .execve, result: -13, names: ["./x"], directories: ["/tmp"],
      expected: ["res": "EACCES", "filename": "/tmp/x"]
    ),
    Case(type: .prctl, arguments: [15], expected: ["option": "PR_SET_NAME"]),
  ]

  @Test("parameters have the names and forms that rules expect", arguments: cases)
  func parameters(one: Case) {
    let feed = Feed([Event.exec(Self.process)])
    for (name, text) in one.expected {
      let found = FieldArgument.key(Array(name.utf8)).withSelector { feed.text(.eventArgument, $0, on: one.record) }
      #expect(found == text, "evt.arg.\(name)")
    }
    #expect(feed.text(.eventArgument, .key("no such"), on: one.record) == nil)
    #expect(feed.text(.eventType, on: one.record) == "\(one.type.name)")
    #expect(feed.text(.eventRawResult, on: one.record) == "\(one.result)")
    #expect(feed.text(.eventArguments, on: one.record)?.hasPrefix(one.type == .socket ? "fd=" : "res=") == true)
  }

  @Test("a call that failed tells nothing new of the process that made it")
  func failedExec() {
    let feed = Feed([Event.exec(Self.process)])
    let failed = Event.call(.execve, by: Self.process, result: -13, names: ["/bin/other"])
    #expect(feed.text(.processExePath, on: failed) == "/bin/tool")
    #expect(feed.text(.eventResult, on: failed) == "EACCES")
  }

  @Test("a descriptor that became a socket has the socket's ends")
  func socket() {
    var ends = martlet_ends()
    ends.family = UInt16(AF_INET)
    ends.protocol = UInt16(IPPROTO_TCP)
    ends.local_port = 40_000
    ends.remote_port = 4444
    withUnsafeMutableBytes(of: &ends.local_address) { $0.copyBytes(from: [10, 0, 0, 1]) }
    withUnsafeMutableBytes(of: &ends.remote_address) { $0.copyBytes(from: [203, 0, 113, 9]) }
    let feed = Feed([Event.exec(Self.process)])
    let dup = Event.call(.dup2, by: Self.process, result: 1, arguments: [3, 1], fd: 1, mode: S_IFSOCK, ends: ends)
    let expected: [(Field, String)] = [
      (.fdNumber, "1"), (.fdType, "ipv4"), (.fdTypeChar, "4"), (.fdName, "10.0.0.1:40000->203.0.113.9:4444"),
      (.fdServerAddress, "203.0.113.9"), (.fdServerPort, "4444"), (.fdProtocol, "tcp"), (.fdIsConnected, "true"),
      (.fdHasNewName, "false"),
    ]
    for (field, text) in expected { #expect(feed.text(field, on: dup) == text, "\(field)") }
  }

  @Test("a descriptor of a file is told by its path, no descriptor by nothing")
  func file() {
    let feed = Feed([Event.exec(Self.process)])
    let module = Event.call(.finitModule, by: Self.process, fd: 3, path: "/tmp/evil.ko", mode: S_IFREG | 0o600)
    let expected: [(Field, String)] = [
      (.fdNumber, "3"), (.fdType, "file"), (.fdName, "/tmp/evil.ko"), (.fdRealPath, "/tmp/evil.ko"),
      (.fdDirectory, "/tmp"), (.fdFilename, "evil.ko"), (.fdIsConnected, "false"),
    ]
    for (field, text) in expected { #expect(feed.text(field, on: module) == text, "\(field)") }
    // Whether a Unix socket has a peer is not in the record.
    let dup = Event.call(.dup, by: Self.process, fd: 3, path: "socket:[7]", mode: S_IFSOCK, ends: unixEnds())
    #expect(feed.text(.fdType, on: dup) == "unix" && feed.text(.fdIsConnected, on: dup) == nil)
    let unlink = Event.call(.unlink, by: Self.process, names: ["/x"])
    for field in [Field.fdNumber, .fdType, .fdName, .fdDirectory] { #expect(feed.text(field, on: unlink) == nil) }
  }

  private func unixEnds() -> martlet_ends {
    var ends = martlet_ends()
    ends.family = UInt16(AF_UNIX)
    return ends
  }

  @Test("the environment is told whole and by name, to the process's later events and its children's as well")
  func environment() {
    let child = Self.process.child(8, "/bin/tool")
    let feed = Feed([
      Event.exec(Self.process, environment: ["PATH=/bin", "HOMER=no", "HOME=/root=x", "EMPTY="]),
      Event.fork(child, by: Self.process),
    ])
    for process in [Self.process, child] {
      let open = Event.open("/x", by: process)
      #expect(feed.text(.processEnvironment, on: open) == "PATH=/bin HOMER=no HOME=/root=x EMPTY=")
      #expect(feed.text(.processEnvironment, .key("HOME"), on: open) == "/root=x")
      #expect(feed.text(.processEnvironment, .key("EMPTY"), on: open) == "")
      #expect(feed.text(.processEnvironment, .key("HOM"), on: open) == nil)
    }
    feed.apply(Event.call(.chdir, by: child, names: ["/srv"], path: "/srv"))
    #expect(feed.text(.processEnvironment, .key("PATH"), on: Event.open("/x", by: child)) == "/bin")
    feed.apply(Event.exec(child))
    #expect(feed.text(.processEnvironment, on: Event.open("/x", by: child)) == nil)
  }
}
