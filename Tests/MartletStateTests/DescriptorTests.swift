// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents
import MartletState
import MartletTesting
import Testing

@Suite("Files")
struct FileTests {
  let cat = TestProcess(7, "/bin/cat")

  @Test(
    "a file has a spelled name, a raw one and a resolved one",
    arguments: [
      ("/etc/shadow", "", "/etc/shadow", "/etc/shadow"), ("shadow", "/etc", "/etc/shadow", "/etc/shadow"),
      ("../etc/shadow", "/tmp", "/etc/shadow", "/tmp/../etc/shadow"),
      ("/etc/../../etc//./shadow", "", "/etc/shadow", "/etc/../../etc/./shadow"),
      ("./a/../b/", "/srv/", "/srv/b", "/srv/./a/../b"), ("..", "/", "/", "/.."), ("/", "", "/", "/"),
      ("/proc/self/root/etc/shadow", "", "/proc/self/root/etc/shadow", "/proc/self/root/etc/shadow"),
      ("/a/...", "", "/a/...", "/a/..."), ("/.hidden", "", "/.hidden", "/.hidden"), ("//x", "", "/x", "/x"),
      ("a", "", "/a", "/a"),
    ])
  func names(name: String, directory: String, spelled: String, raw: String) {
    let feed = Feed()
    let open = Event.open(
      name, resolved: "/resolved", below: directory.isEmpty && name == "a" ? "/" : directory, by: cat)
    #expect(feed.text(.fdName, on: open) == spelled)
    #expect(feed.text(.fdNameRaw, on: open) == raw)
    #expect(feed.text(.fdRealPath, on: open) == "/resolved")
  }

  @Test("the longest names that a record can hold are put together")
  func longest() {
    let feed = Feed()
    let half = (Int(MARTLET_RECORD_BYTES_MAX) - MemoryLayout<martlet_open>.size) / 2 - 8
    let directory = "/" + String(repeating: "d", count: half - 1)
    let name = "./" + String(repeating: "n", count: half - 2)
    let open = Event.open(name, below: directory, by: cat, result: -2)
    #expect(feed.text(.fdName, on: open) == directory + "/" + name.dropFirst(2))
    #expect(feed.text(.fdNameRaw, on: open) == directory + "/" + name)
  }

  @Test("three fields switch with the view, the others do not")
  func views() throws {
    let feed = Feed()
    let record = Event.open("/tmp/link", resolved: "/etc/shadow", by: cat)
    var context = try #require(feed.context(record))
    func text(_ field: Field) -> String? {
      if case .text(let text) = context.value(of: field) { text.string } else { nil }
    }
    let hasOther = context.hasOtherPathView
    #expect(hasOther)
    #expect(text(.fdName) == "/tmp/link" && text(.fdDirectory) == "/tmp" && text(.fdFilename) == "link")
    context.pathView = .resolved
    #expect(text(.fdName) == "/etc/shadow" && text(.fdDirectory) == "/etc" && text(.fdFilename) == "shadow")
    #expect(text(.fdNameRaw) == "/tmp/link" && text(.fdRealPath) == "/etc/shadow")
  }

  @Test("there is no second view where both names are alike, the open failed or the file has no path")
  func oneView() throws {
    let feed = Feed()
    let same = Event.open("/etc//shadow", resolved: "/etc/shadow", by: cat)
    let failed = Event.open("/etc/shadow", by: cat, result: -2)
    let memory = Event.open(
      "/proc/self/fd/3", resolved: "memfd:x", by: cat, fileFlags: UInt32(MARTLET_FILE_MEMFD))
    for record in [same, failed, memory] {
      var context = try #require(feed.context(record))
      let hasOther = context.hasOtherPathView
      #expect(!hasOther)
    }
    #expect(feed.text(.fdRealPath, on: failed) == nil && feed.text(.fdRealPath, on: memory) == nil)
  }

  @Test(
    "a failed open has what its arguments tell",
    arguments: [
      (.fdName, "/etc/shadow"), (.fdDirectory, "/etc"), (.fdFilename, nil), (.fdNumber, "-1"), (.fdTypeChar, "f"),
      (.fdType, nil), (.eventResult, "EACCES"), (.eventRawResult, "-13"), (.fdInode, nil), (.fdDevice, nil),
      (.fdProtocol, "<NA>"), (.fdServerAddress, nil),
    ] as [(Field, String?)])
  func failed(field: Field, expected: String?) {
    let feed = Feed()
    #expect(feed.text(field, on: Event.open("/etc/shadow", by: cat, result: -13)) == expected)
  }

  @Test("a directory is one")
  func directory() {
    let feed = Feed()
    let open = Event.open("/etc", by: cat, mode: S_IFDIR | 0o755)
    #expect(feed.text(.fdTypeChar, on: open) == "d" && feed.text(.fdType, on: open) == "directory")
    #expect(feed.text(.fdDirectory, on: open) == "/etc")
    // What stat(2) gives for device 8:1.
    #expect(feed.text(.fdDevice, on: open) == "2049" && feed.text(.fdInode, on: open) == "4711")
  }

  @Test(
    "reading and writing are told by the flags",
    arguments: [
      (O_RDONLY, EventType.openat, "true", "false"), (O_WRONLY, .open, "false", "true"),
      (O_RDWR, .openat2, "true", "true"),
      (O_WRONLY | O_CREAT | O_TRUNC, .creat, "false", "false"),
    ])
  func access(flags: Int32, call: EventType, read: String, write: String) {
    let feed = Feed()
    let open = Event.open("/x", by: cat, flags: flags, call: call)
    #expect(feed.text(.eventIsOpenRead, on: open) == read && feed.text(.eventIsOpenWrite, on: open) == write)
  }
}

@Suite("Sockets")
struct SocketTests {
  @Test(
    "of a connect this end is the client",
    arguments: [
      (.fdName, "10.0.0.5:41000->203.0.113.7:443"), (.fdServerAddress, "203.0.113.7"), (.fdClientAddress, "10.0.0.5"),
      (.fdRemoteAddress, "203.0.113.7"), (.fdLocalAddress, "10.0.0.5"), (.fdServerPort, "443"),
      (.fdClientPort, "41000"),
      (.fdRemotePort, "443"), (.fdLocalPort, "41000"), (.fdProtocol, "tcp"), (.fdTypeChar, "4"), (.fdType, "ipv4"),
      (.fdSocketFamily, "ip"), (.eventResult, "EINPROGRESS"), (.fdNumber, nil), (.fdFilename, nil),
      (.eventType, "connect"),
    ] as [(Field, String?)])
  func connect(field: Field, expected: String?) {
    let feed = Feed()
    let event = Event.connect(to: "203.0.113.7", port: 443, from: "10.0.0.5", localPort: 41000, by: TestProcess(7))
    #expect(feed.text(field, on: event) == expected)
  }

  @Test("an address that is not bound yet is missing, and zero in the name")
  func unbound() {
    let feed = Feed()
    let event = Event.connect(to: "2001:db8::1", port: 53, by: TestProcess(7), transport: Int(IPPROTO_UDP), result: 0)
    #expect(feed.text(.fdClientAddress, on: event) == nil)
    #expect(feed.text(.fdName, on: event) == ":::0->2001:db8::1:53")
    #expect(feed.text(.fdProtocol, on: event) == "udp" && feed.text(.fdTypeChar, on: event) == "6")
  }

  @Test("an IPv4 address in an IPv6 socket is an IPv4 address")
  func mapped() {
    let feed = Feed()
    let event = Event.connect(to: "::ffff:203.0.113.7", port: 80, by: TestProcess(7))
    #expect(feed.text(.fdServerAddress, on: event) == "203.0.113.7")
    #expect(feed.text(.fdType, on: event) == "ipv4" && feed.text(.fdTypeChar, on: event) == "4")
  }
}
