// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc

/// What /proc says about one process.
struct ProcfsProcess {
  let id: pid_t
  /// The main thread, or one that lives where that has ended.
  let thread: pid_t
  let startNanoseconds: UInt64
  let comm: [UInt8]
  /// Real, effective, saved.
  let userIDs: [UInt32]
  let groupIDs: [UInt32]
  let exePath: [UInt8]
  let directory: [UInt8]
  let arguments: [UInt8]
  let hasMoreArguments: Bool
  /// The fixed part, but for what every record has and for the texts.
  let record: martlet_process

  /// Nil when the process has gone, or has ended and only waits to be waited for.
  init?(_ id: pid_t) {
    guard let stat = ProcfsStat(id), let thread = Self.livingThread(of: id, stat), let status = ProcfsStatus(id),
      let threadStat = ProcfsStat(id, thread: thread)
    else { return nil }
    // A main thread that has ended has no file, folder or arguments any more, and no namespaces.
    let folder = "/proc/\(id)/task/\(thread)"
    self.id = id
    self.thread = thread
    startNanoseconds = stat.startNanoseconds
    comm = threadStat.comm
    userIDs = status.numbers("Uid")
    groupIDs = status.numbers("Gid")
    guard userIDs.count >= 3, groupIDs.count >= 3 else { return nil }
    var record = martlet_process()
    let exe = Procfs.link("\(folder)/exe") ?? []
    exePath = Self.describe(exe: exe, in: &record)
    directory = Self.withoutMark(Procfs.link("\(folder)/cwd") ?? [])
    let argumentBytesMax = Int(MARTLET_ARGUMENTS_BYTES_MAX)
    let arguments = Procfs.bytes("\(folder)/cmdline", limit: argumentBytesMax + 1) ?? []
    hasMoreArguments = arguments.count > argumentBytesMax
    self.arguments = Array(arguments.prefix(argumentBytesMax))
    record.parent_id = stat.parent
    record.parent_start_ns = ProcfsStat(pid_t(stat.parent))?.startNanoseconds ?? 0
    record.process_group_id = stat.processGroup
    record.session_id = stat.session
    record.terminal = stat.terminal
    record.namespace_process_id = status.numbers("NSpid").last ?? stat.id
    record.namespace_process_group_id = status.numbers("NSpgid").last ?? stat.processGroup
    record.namespace_session_id = status.numbers("NSsid").last ?? stat.session
    record.real_user_id = userIDs[0]
    record.saved_user_id = userIDs[2]
    record.real_group_id = groupIDs[0]
    record.capabilities_inheritable = status.bits("CapInh")
    record.capabilities_permitted = status.bits("CapPrm")
    record.capabilities_effective = status.bits("CapEff")
    record.login_user_id = Procfs.text("\(folder)/loginuid").flatMap { UInt32($0) } ?? .max
    record.pid_namespace = Self.namespace("\(folder)/ns/pid")
    record.mount_namespace = Self.namespace("\(folder)/ns/mnt")
    record.network_namespace = Self.namespace("\(folder)/ns/net")
    record.user_namespace = Self.namespace("\(folder)/ns/user")
    self.record = record
  }

  /// The main thread if it lives, else another one that does. Nil when the process has ended.
  private static func livingThread(of id: pid_t, _ stat: ProcfsStat) -> pid_t? {
    guard stat.hasEnded else { return id }
    return Procfs.numbers(in: "/proc/\(id)/task")?.first { ProcfsStat(id, thread: $0)?.hasEnded == false }
  }

  private static let unlinkedMark = Array(" (deleted)".utf8)

  private static func withoutMark(_ path: [UInt8]) -> [UInt8] {
    path.count > unlinkedMark.count && path.suffix(unlinkedMark.count).elementsEqual(unlinkedMark)
      ? Array(path.dropLast(unlinkedMark.count)) : path
  }

  /// Fills in what the link tells of the program's file; returns its path as the kernel side writes it.
  ///
  /// The file itself is not asked for its number and times: its file system may have a server that never answers.
  private static func describe(exe: [UInt8], in record: inout martlet_process) -> [UInt8] {
    let path = withoutMark(exe)
    let memfd = Array("/memfd:".utf8)
    if path.starts(with: memfd) && path.count < exe.count {
      record.exe_flags |= UInt32(MARTLET_FILE_MEMFD)
      return Array(path.dropFirst())
    }
    if path.count < exe.count { record.exe_flags |= UInt32(MARTLET_FILE_UNLINKED) }
    return path
  }

  /// The inode number of a namespace's link.
  private static func namespace(_ path: String) -> UInt32 {
    var facts = stat()
    return stat(path, &facts) == 0 ? UInt32(truncatingIfNeeded: facts.st_ino) : 0
  }
}

/// The fields of /proc/PID/stat that a record needs.
struct ProcfsStat {
  let id: UInt32
  let comm: [UInt8]
  let hasEnded: Bool
  let parent: UInt32
  let processGroup: UInt32
  let session: UInt32
  let terminal: UInt32
  let startNanoseconds: UInt64

  /// Of the whole process, or of one of its threads.
  init?(_ process: pid_t, thread: pid_t? = nil) {
    let folder = thread.map { "/proc/\(process)/task/\($0)" } ?? "/proc/\(process)"
    // The name stands in parentheses and may hold any byte, parentheses too: the last one ends it.
    guard let bytes = Procfs.bytes("\(folder)/stat"), let first = bytes.firstIndex(of: UInt8(ascii: "(")),
      let last = bytes.lastIndex(of: UInt8(ascii: ")"))
    else { return nil }
    let fields = String(decoding: bytes[(last + 1)...], as: UTF8.self).split(separator: " ")
    guard fields.count > 19, let parent = UInt32(fields[1]), let group = Int32(fields[2]),
      let session = Int32(fields[3]), let terminal = Int32(fields[4]), let ticks = UInt64(fields[19])
    else { return nil }
    id = UInt32(process)
    comm = Array(bytes[(first + 1)..<last])
    hasEnded = fields[0] == "Z" || fields[0] == "X"
    self.parent = parent
    processGroup = UInt32(bitPattern: group)
    self.session = UInt32(bitPattern: session)
    self.terminal = UInt32(bitPattern: terminal)
    startNanoseconds = ticks * Self.nanosecondsPerTick
  }

  static let nanosecondsPerTick = 1_000_000_000 / UInt64(max(sysconf(Int32(_SC_CLK_TCK)), 1))
}

/// /proc/PID/status: names, colons, values.
struct ProcfsStatus {
  private let lines: [Substring]

  init?(_ process: pid_t) {
    guard let text = Procfs.text("/proc/\(process)/status") else { return nil }
    lines = text.split(separator: "\n")
  }

  func value(_ name: String) -> Substring? {
    lines.first { $0.hasPrefix(name + ":") }?.dropFirst(name.utf8.count + 1)
  }

  func numbers(_ name: String) -> [UInt32] {
    value(name)?.split(whereSeparator: { $0 == "\t" || $0 == " " }).compactMap { UInt32($0) } ?? []
  }

  func bits(_ name: String) -> UInt64 {
    value(name).flatMap { UInt64($0.drop { $0 == "\t" || $0 == " " }, radix: 16) } ?? 0
  }
}
