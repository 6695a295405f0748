// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import ContainerTesting
import Foundation
import Glibc
import MartletEvents
import Testing

@testable import MartletEnrichment

/// A folder that a process of its own has as its root, with whatever a stranger put there.
private final class Room {
  let path: String
  private let process = Process()

  static let missing: String? =
    geteuid() != 0
    ? "a root of its own takes root" : access("/bin/busybox", X_OK) != 0 ? "there is no /bin/busybox" : nil

  init() throws {
    path = "/tmp/martlet-room-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path + "/etc", withIntermediateDirectories: true)
    try FileManager.default.createDirectory(atPath: path + "/bin", withIntermediateDirectories: true)
    // Not written by this process: while a child of another test holds it open for that, nobody can run it.
    try #require(Child.run(["cp", "/bin/busybox", path + "/bin/busybox"]).succeeded)
  }

  /// Starts it; returns when it runs what it is to run.
  func start() throws -> UInt32 {
    process.executableURL = URL(fileURLWithPath: "/usr/sbin/chroot")
    process.arguments = [path, "/bin/busybox", "sh", "-c", "echo; exec /bin/busybox sleep 3600"]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    _ = output.fileHandleForReading.availableData
    return UInt32(process.processIdentifier)
  }

  /// Starts it outside, and tells how to have it go in.
  func startOutside() throws -> (process: UInt32, enter: () -> Void) {
    process.executableURL = URL(fileURLWithPath: "/bin/busybox")
    process.arguments = ["sh", "-c", "read line; exec /usr/sbin/chroot '\(path)' /bin/busybox sleep 3600"]
    let input = Pipe()
    process.standardInput = input
    try process.run()
    return (UInt32(process.processIdentifier), { input.fileHandleForWriting.write(Data("go\n".utf8)) })
  }

  deinit {
    if process.isRunning {
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    try? FileManager.default.removeItem(atPath: path)
  }

  func write(_ name: String, _ content: [UInt8]) throws {
    try Data(content).write(to: URL(fileURLWithPath: path + "/etc/" + name))
  }
}

@Suite(
  "Files with names of users", .timeLimit(.minutes(5)),
  .enabled(if: Room.missing == nil, Comment(rawValue: Room.missing ?? "")))
struct AccountFileTests {
  private static func names(_ room: Room) throws -> (users: [String], report: AccountReport) {
    var report = AccountReport(containerID: [0x61])
    let files = try AccountFiles(process: try room.start(), startNanoseconds: nil, mayBeNode: false)
    _ = files.read(into: &report, unless: nil)
    return (report.users.map { String(decoding: $0.name, as: UTF8.self) }, report)
  }

  @Test("users and groups are read with what belongs to them, whatever else is in the lines")
  func usual() throws {
    let room = try Room()
    try room.write(
      "passwd",
      Array(
        """
        root:x:0:0:root:/root:/bin/sh
        web:x:33:33::/srv:/bin/false:more:than:usual
        short:x:5
        :x:6:6::/:/bin/sh
        far:x:4294967296:1::/:/bin/sh
        minus:x:-1:1::/:/bin/sh

        none
        again:x:33:33::/srv:/bin/false
        """.utf8))
    try room.write("group", Array("root:x:0:\nstaff:x:50:a,b\n".utf8))
    let (users, report) = try Self.names(room)
    #expect(users == ["root", "web", "short", "again"])
    #expect(report.users[1].home == Array("/srv".utf8) && report.users[1].shell == Array("/bin/false".utf8))
    #expect(report.users[2].home.isEmpty && report.users[2].id == 5)
    #expect(report.groups.map(\.id) == [0, 50] && !report.isCut)
  }

  /// What somebody may put in the place of a file: each must neither hang nor lead out of the room.
  enum Trap: CaseIterable {
    case missing, fifo, device, folder, twoMebibytes, outerLink, climbingLink, loop, socket

    fileprivate func set(in room: Room) throws {
      let passwords = room.path + "/etc/passwd"
      switch self {
      case .missing: break
      case .fifo: try #require(mkfifo(passwords, 0o644) == 0)
      // The terminal of whoever opens it: an open that acts.
      case .device: try #require(mknod(passwords, S_IFCHR | 0o644, 5 << 8) == 0)
      case .folder: try #require(mkdir(passwords, 0o755) == 0)
      case .twoMebibytes:
        try room.write("passwd", Array(String(repeating: "root:x:0:0::/:/bin/sh\n", count: 100_000).utf8))
      case .outerLink: try #require(symlink("/etc/hostname", passwords) == 0)
      case .climbingLink: try #require(symlink("../../../../../../etc/group", passwords) == 0)
      case .loop: try #require(symlink("passwd", passwords) == 0)
      case .socket:
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: passwords.utf8) }
        let isBound = withUnsafePointer(to: &address) {
          $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
          }
        }
        #expect(isBound)
      }
    }
  }

  @Test("a file that is none says nothing, and hangs nobody", arguments: Trap.allCases)
  func trap(_ trap: Trap) throws {
    let room = try Room()
    try trap.set(in: room)
    #expect(try Self.names(room).users.isEmpty)
  }

  @Test("a link leads to what it means inside, never to the node's file of that name")
  func links() throws {
    let room = try Room()
    try room.write("mine", Array("inner:x:1:1::/:/\n".utf8))
    try #require(symlink("/etc/mine", room.path + "/etc/passwd") == 0)
    #expect(try Self.names(room).users == ["inner"])
    let climber = try Room()
    try climber.write("mine", Array("inner:x:1:1::/:/\n".utf8))
    try #require(symlink("../../../../etc/mine", climber.path + "/etc/passwd") == 0)
    #expect(try Self.names(climber).users == ["inner"])
  }

  @Test("names are bytes, and so many of so many")
  func bytes() throws {
    let room = try Room()
    var content: [UInt8] = [0xff, 0xfe, 0x22] + Array(":x:1:1::/:/\n".utf8)
    content += [0x61, 0, 0x62] + Array(":x:2:2::/:/\n".utf8)
    content += [UInt8](repeating: 0x7a, count: 4096) + Array(":x:3:3::/:/\n".utf8)
    for number in 4..<5000 { content += Array("u\(number):x:\(number):1::/:/\n".utf8) }
    try room.write("passwd", content)
    let report = try Self.names(room).report
    #expect(report.users.count == AccountReport.countMax && report.isCut)
    #expect(report.users[0].name == [0xff, 0xfe, 0x22])
    #expect(report.users[1].id == 3 && report.users[1].name.count == AccountReport.textByteCountMax)
  }

  @Test("a process with the node's own root is in no container yet; one that is another by now is none")
  func others() throws {
    #expect(throws: AccountFiles.Failure.notInside) {
      _ = try AccountFiles(process: UInt32(getpid()), startNanoseconds: nil, mayBeNode: false)
    }
    _ = try AccountFiles(process: UInt32(getpid()), startNanoseconds: nil, mayBeNode: true)
    #expect(throws: AccountFiles.Failure.unreachable) {
      _ = try AccountFiles(process: UInt32(getpid()), startNanoseconds: 1, mayBeNode: true)
    }
    #expect(throws: AccountFiles.Failure.unreachable) {
      _ = try AccountFiles(process: .max, startNanoseconds: nil, mayBeNode: true)
    }
  }

  @Test("what has not changed is not read again")
  func unchanged() throws {
    let room = try Room()
    try room.write("passwd", Array("a:x:1:1::/:/\n".utf8))
    let files = try AccountFiles(process: try room.start(), startNanoseconds: nil, mayBeNode: false)
    var report = AccountReport()
    let marks = try #require(files.read(into: &report, unless: nil))
    #expect(files.read(into: &report, unless: marks) == nil && report.users.count == 1)
    try room.write("passwd", Array("ab:x:1:1::/:/\n".utf8))
    var second = AccountReport()
    #expect(files.read(into: &second, unless: marks) != nil && second.users.first?.name == [0x61, 0x62])
  }

  @Test("ids are those of the node, whatever a container counts from")
  func maps() {
    let map = IdentityMap(Array("         0     100000      65536\n  65536 1 1\n 70000 4294967295 5\nx\n".utf8))
    let cases: [(String, UInt32?)] = [
      ("0", 100_000), ("33", 100_033), ("65535", 165_535), ("65536", 1), ("65537", nil), ("70000", .max),
      ("70001", nil), ("", nil), ("-1", nil), ("1a", nil), ("99999999999", nil),
    ]
    for (text, expected) in cases { #expect(map.node(Array(text.utf8)[...]) == expected, "\(text)") }
  }

  // MARK: - Asking

  fileprivate static func exec(_ process: UInt32, cgroup: UInt64, at time: UInt64 = 1) -> ExecRecord {
    ExecRecord(process, cgroup: cgroup, at: time)
  }

  @Test("a program that starts in a container has its files read, once; others have not")
  func asking() async throws {
    let room = try Room()
    try room.write("passwd", Array("web:x:33:33::/:/\n".utf8))
    let process = try room.start()
    let inquiry = AccountInquiry {}
    inquiry.note(ContainerCgroup(id: "c", podUID: "p", cgroupID: 7))
    for cgroup in [8, 7, 7, 7] as [UInt64] { Self.exec(process, cgroup: cgroup).note(to: inquiry) }
    var reports: [AccountReport] = []
    while reports.isEmpty {
      try await Task.sleep(for: .milliseconds(1))
      reports = inquiry.takeReports(10)
    }
    #expect(reports.map(\.containerID) == [Array("c".utf8)] && reports[0].podUID == Array("p".utf8))
    #expect(reports[0].users.map(\.id) == [33])
    Self.exec(process, cgroup: 7, at: 2).note(to: inquiry)
    #expect(inquiry.statistics.asked == 1 && inquiry.statistics.answered == 1 && inquiry.statistics.open == 0)
    Self.exec(process, cgroup: 7, at: 61_000_000_002).note(to: inquiry)
    while inquiry.statistics.unchanged == 0 { try await Task.sleep(for: .milliseconds(1)) }
    #expect(inquiry.takeReports(10).isEmpty)
  }

  @Test("a process that is not inside yet is looked at until it is; one that has ended stands in nobody's way")
  func outside() async throws {
    let room = try Room()
    try room.write("passwd", Array("web:x:33:33::/:/\n".utf8))
    let (process, enter) = try room.startOutside()
    let inquiry = AccountInquiry(patience: .seconds(60)) {}
    inquiry.note(ContainerCgroup(id: "c", cgroupID: 7))
    Self.exec(.max, cgroup: 7).note(to: inquiry)
    Self.exec(process, cgroup: 7).note(to: inquiry)
    #expect(inquiry.statistics.open == 1 && inquiry.takeReports(10).isEmpty)
    enter()
    var reports: [AccountReport] = []
    while reports.isEmpty {
      try await Task.sleep(for: .milliseconds(1))
      reports = inquiry.takeReports(10)
    }
    #expect(reports.map(\.isUnknown) == [false] && reports[0].users.map(\.id) == [33])
    #expect(inquiry.statistics.asked == 1 && inquiry.statistics.answered == 1)
  }

  @Test("a process that stays outside is given up, and the third time it shares the node's files for good")
  func shared() async throws {
    let inquiry = AccountInquiry(patience: .milliseconds(2)) {}
    inquiry.note(ContainerCgroup(id: "c", cgroupID: 7))
    var reports: [AccountReport] = []
    for count in 1...4 {
      Self.exec(UInt32(getpid()), cgroup: 7).note(to: inquiry)
      while reports.count < count {
        try await Task.sleep(for: .milliseconds(1))
        reports += inquiry.takeReports(10)
      }
    }
    #expect(reports.map(\.isUnknown) == [true, true, true, false])
    #expect(reports[3].users.contains { $0.id == 0 } && reports[0].users.isEmpty)
  }

  @Test("a container that is started again is read again, also when its files are as they were")
  func again() async throws {
    let room = try Room()
    try room.write("passwd", Array("web:x:33:33::/:/\n".utf8))
    let process = try room.start()
    let inquiry = AccountInquiry {}
    for cgroup in [7, 8] as [UInt64] {
      inquiry.note(ContainerCgroup(id: "c", cgroupID: cgroup))
      Self.exec(process, cgroup: cgroup).note(to: inquiry)
      while inquiry.statistics.open > 0 { try await Task.sleep(for: .milliseconds(1)) }
      #expect(inquiry.takeReports(10).map { $0.users.map(\.id) } == [[33]])
    }
    #expect(inquiry.statistics.answered == 2)
  }

  @Test("one that had ended is told of, and asked again with the next program; questions without room are counted")
  func bounds() async throws {
    let inquiry = AccountInquiry {}
    inquiry.note(ContainerCgroup(id: "c", podUID: "p", cgroupID: 7))
    for attempt in 1...3 {
      Self.exec(.max, cgroup: 7).note(to: inquiry)
      while inquiry.statistics.failed < attempt { try await Task.sleep(for: .milliseconds(1)) }
      var unknown = AccountReport(containerID: Array("c".utf8), podUID: Array("p".utf8))
      unknown.isUnknown = true
      #expect(inquiry.takeReports(10) == [unknown])
    }
    for number in 0..<UInt64(3 * AccountInquiry.openCountMax) {
      inquiry.note(ContainerCgroup(id: "\(number)", cgroupID: 100 + number))
      Self.exec(.max, cgroup: 100 + number).note(to: inquiry)
    }
    // They are read no faster than what comes of them is taken.
    while inquiry.statistics.open > 0 {
      try await Task.sleep(for: .milliseconds(1))
      _ = inquiry.takeReports(AccountInquiry.openCountMax)
    }
    let statistics = inquiry.statistics
    #expect(statistics.asked + statistics.dropped == 3 + 3 * UInt64(AccountInquiry.openCountMax))
    #expect(inquiry.readHost().users.contains { $0.id == 0 })
  }
}

/// The start of a program, as far as it is looked at.
private struct ExecRecord {
  private var part = martlet_process()

  init(_ process: UInt32, cgroup: UInt64, at time: UInt64) {
    part.record.length_bytes = UInt32(MemoryLayout<martlet_process>.size)
    part.record.kind = EventKind.exec.rawValue
    part.record.call = UInt16(EventType.execve.rawValue)
    part.record.time_ns = time
    part.record.process_id = process
    part.record.cgroup_id = cgroup
    if process != .max { part.record.process_start_ns = Self.start(of: process) }
  }

  private static func start(of process: UInt32) -> UInt64 {
    let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
    let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
    return (fields.count > 19 ? UInt64(fields[19]) ?? 0 : 0) * 10_000_000
  }

  func note(to inquiry: AccountInquiry) {
    withUnsafeBytes(of: part) { bytes in
      let record = EventRecord(bytes)
      #expect(record != nil)
      if let record { inquiry.note(record) }
    }
  }
}
