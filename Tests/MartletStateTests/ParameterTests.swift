// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents
import MartletState
import MartletTesting
import Testing

@Suite("Parameters of calls")
struct ParameterTests {
  private static let shell = TestProcess(100, "/bin/sh")
  private static let cat: TestProcess = {
    var cat = shell.child(107, "/bin/cat", arguments: ["-n", "/etc/shadow"])
    cat.exeFlags = UInt32(MARTLET_FILE_UPPER_LAYER)
    cat.terminal = 34816
    return cat
  }()

  /// The calls that are asked about.
  enum Call {
    case exec, open, failed, connect

    var record: TestRecord {
      switch self {
      case .exec: Event.exec(cat)
      case .open:
        Event.open(
          "../etc/shadow", below: "/tmp", by: cat, flags: O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, result: 4)
      case .failed: Event.open("/etc/shadow", by: cat, flags: O_WRONLY | O_APPEND, result: -2)
      case .connect: Event.connect(to: "10.0.0.7", port: 443, from: "10.0.0.1", localPort: 50000, by: cat)
      }
    }
  }

  @Test(
    "each in Falco's form",
    arguments: [
      (.exec, "res", "0"), (.exec, "exe", "cat"), (.exec, "args", "-n./etc/shadow"), (.exec, "pid", "cat"),
      (.exec, "tid", "cat"), (.exec, "ptid", "sh"), (.exec, "cwd", "/"), (.exec, "comm", "cat"),
      (.exec, "tty", "34816"),
      (.exec, "flags", "EXE_UPPER_LAYER"), (.exec, "loginuid", "-1"), (.exec, "uid", "0"),
      (.exec, "trusted_exepath", "/bin/cat"), (.exec, "filename", "/bin/cat"), (.exec, "cap_effective", "1FF"),
      (.exec, "exe_ino", "4711"), (.exec, "exe_ino_ctime", "1970-01-01 00:00:02.000000003 +0000"),
      (.exec, "name", nil), (.exec, "env", nil), (.exec, "fd", nil),
      (.open, "fd", "<f>/etc/shadow"), (.open, "dirfd", "AT_FDCWD"), (.open, "name", "/etc/shadow"),
      (.open, "flags", "O_TRUNC|O_CREAT|O_RDWR|O_CLOEXEC"), (.open, "mode", "0644"), (.open, "dev", "801"),
      (.open, "ino", "4711"), (.open, "res", nil), (.open, "path", nil), (.open, "resolve", nil),
      (.failed, "fd", "ENOENT"), (.failed, "flags", "O_APPEND|O_WRONLY"), (.failed, "name", "/etc/shadow"),
      (.connect, "res", "EINPROGRESS"), (.connect, "tuple", "10.0.0.1:50000->10.0.0.7:443"),
      (.connect, "addr", "10.0.0.7:443"), (.connect, "fd", nil), (.connect, "flags", nil),
    ] as [(Call, String, String?)])
  func texts(call: Call, name: String, expected: String?) {
    let feed = Feed([Event.seed(Self.shell), Call.exec.record])
    #expect(Self.value(.eventArgument, name, feed, call.record) == expected)
  }

  @Test(
    "raw values have their own type",
    arguments: [
      (.open, "fd", "4"), (.open, "flags", "4359"), (.open, "mode", "420"), (.failed, "fd", "-2"), (.exec, "res", "0"),
      (.exec, "args", "-n\0/etc/shadow"), (.exec, "pid", "107"), (.connect, "res", "-115"), (.connect, "tuple", nil),
    ] as [(Call, String, String?)])
  func raw(call: Call, name: String, expected: String?) {
    let feed = Feed([Event.seed(Self.shell), Call.exec.record])
    #expect(Self.value(.eventRawArgument, name, feed, call.record) == expected)
  }

  private static func value(_ field: Field, _ name: String, _ feed: Feed, _ record: TestRecord) -> String? {
    FieldArgument.key(Array(name.utf8)).withSelector { feed.text(field, $0, on: record) }
  }

  @Test("by number they stand in the order of Falco's table")
  func numbers() {
    let feed = Feed([Event.seed(Self.shell)])
    #expect(feed.text(.eventArgument, .index(0), on: Call.open.record) == "<f>/etc/shadow")
    #expect(feed.text(.eventArgument, .index(2), on: Call.open.record) == "/etc/shadow")
    #expect(feed.text(.eventArgument, .index(7), on: Call.open.record) == nil)
    #expect(feed.text(.eventArgument, .index(1), on: Call.exec.record) == "cat")
    #expect(feed.text(.eventArgument, .index(7), on: Call.exec.record) == nil)
    #expect(feed.text(.eventArgument, .index(.max), on: Call.exec.record) == nil)
  }

  @Test("all of them in one text")
  func all() {
    let feed = Feed([Event.seed(Self.shell)])
    #expect(
      feed.text(.eventArguments, on: Call.open.record)
        == "fd=4(<f>/etc/shadow) dirfd=-100(AT_FDCWD) name=../etc/shadow(/etc/shadow) "
        + "flags=4359(O_TRUNC|O_CREAT|O_RDWR|O_CLOEXEC) mode=0644 dev=801 ino=4711")
    #expect(
      feed.text(.eventInfo, on: Call.connect.record)
        == "res=-115(EINPROGRESS) tuple=10.0.0.1:50000->10.0.0.7:443 addr=10.0.0.7:443")
  }

  @Test(
    "what an open may create",
    arguments: [
      (O_WRONLY | O_CREAT, 0o755, EventType.openat, true), (O_WRONLY | O_CREAT, 0o644, .openat, false),
      (O_WRONLY, 0o755, .openat, false), (O_WRONLY, 0o755, .creat, true),
      (O_WRONLY | O_CREAT, 0o755, .openByHandleAt, false), (O_RDWR | 0o20000000 | O_DIRECTORY, 0o100, .open, true),
    ] as [(Int32, UInt32, EventType, Bool)])
  func execution(flags: Int32, mode: UInt32, call: EventType, expected: Bool) {
    let record = Event.open("/tmp/x", by: Self.cat, flags: flags, call: call, createMode: mode)
    #expect(Feed().text(.eventIsOpenExec, on: record) == "\(expected)")
  }
}
