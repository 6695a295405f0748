// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import MartletEvents

/// The files in which users and groups have their names, as one process sees them.
struct AccountFiles: ~Copyable {
  /// What the files were like when they were read.
  typealias Marks = [FileMark?]

  enum Failure: Error {
    /// The process has ended, or may not be looked at.
    case unreachable
    /// Its root is still the node's: a container is being made.
    case notInside
  }

  private let process: Handle
  private let root: Handle

  static let fileByteCountMax = 1 << 20
  private static let mapByteCountMax = 64 << 10

  /// Of the process that has this number and started then (CLOCK_BOOTTIME, in nanoseconds; nil for any). Of one that runs
  /// in a container, unless `mayBeNode`, the root must be another than that of the first process, and than the agent's.
  init(process id: UInt32, startNanoseconds: UInt64?, mayBeNode: Bool) throws(Failure) {
    let folder = linux_path_flag | O_DIRECTORY | O_CLOEXEC
    // From here on the number may go to another process: what is below this folder is gone then.
    guard let process = Handle(open("/proc/\(id)", folder)),
      Self.hasStarted(process.descriptor, at: startNanoseconds),
      let root = Handle(openat(process.descriptor, "root", folder))
    else { throw .unreachable }
    if !mayBeNode {
      var mine = stat()
      guard fstat(root.descriptor, &mine) == 0 else { throw .unreachable }
      for path in ["/proc/1/root", "/"] {
        var node = stat()
        if stat(path, &node) == 0, mine.st_dev == node.st_dev, mine.st_ino == node.st_ino { throw .notInside }
      }
    }
    self.process = process
    self.root = root
  }

  private static func hasStarted(_ process: Int32, at nanoseconds: UInt64?) -> Bool {
    guard let nanoseconds else { return true }
    guard let text = text("stat", of: process, byteCountMax: 4096),
      // The program's name, in parentheses, may be anything.
      let end = text.lastIndex(of: UInt8(ascii: ")"))
    else { return false }
    let fields = text[(end + 1)...].split(separator: UInt8(ascii: " "))
    guard fields.count > 19, let ticks = UInt64(String(decoding: fields[19], as: UTF8.self)) else { return false }
    let wanted = nanoseconds / nanosecondsPerTick
    return max(ticks, wanted) - min(ticks, wanted) <= 1
  }

  private static let nanosecondsPerTick = 1_000_000_000 / UInt64(max(sysconf(Int32(_SC_CLK_TCK)), 1))

  private static func text(_ name: String, of process: Int32, byteCountMax: Int) -> [UInt8]? {
    guard let file = Handle(openat(process, name, O_RDONLY | O_CLOEXEC)) else { return nil }
    return BoundedFile.readAll(file.descriptor, byteCountMax: byteCountMax)
  }

  /// What the files say, and what they were like; nil where they are as `known` says. A file that is missing, no regular
  /// one or too long says nothing.
  func read(into report: inout AccountReport, unless known: Marks?) -> Marks? {
    let passwords = BoundedFile.locate("etc/passwd", inRoot: root.descriptor)
    let groups = BoundedFile.locate("etc/group", inRoot: root.descriptor)
    defer { for handle in [passwords, groups] where handle >= 0 { close(handle) } }
    let marks = [Self.mark(passwords), Self.mark(groups)]
    guard marks != known else { return nil }
    let (userIDs, groupIDs) = (map("uid_map"), map("gid_map"))
    Self.forEachLine(of: passwords) { fields in
      guard fields.count >= 3, let id = userIDs.node(fields[2]) else { return true }
      let (home, shell) = (fields.count > 5 ? fields[5] : [], fields.count > 6 ? fields[6] : [])
      return report.add(user: .init(id: id, name: Array(fields[0]), home: Array(home), shell: Array(shell)))
    }
    Self.forEachLine(of: groups) { fields in
      guard fields.count >= 3, let id = groupIDs.node(fields[2]) else { return true }
      return report.add(group: .init(id: id, name: Array(fields[0])))
    }
    return marks
  }

  private static func mark(_ handle: Int32) -> FileMark? {
    var status = stat()
    return fstat(handle, &status) == 0 ? FileMark(status) : nil
  }

  /// Fields of each line with a name, until `take` says that it wants no more.
  private static func forEachLine(of handle: Int32, _ take: ([ArraySlice<UInt8>]) -> Bool) {
    guard let content = BoundedFile.read(handle, byteCountMax: fileByteCountMax) else { return }
    for line in content.split(separator: UInt8(ascii: "\n")) {
      let fields = line.split(separator: UInt8(ascii: ":"), maxSplits: 7, omittingEmptySubsequences: false)
      // NUL is in no name that any program would see.
      guard let name = fields.first, !name.isEmpty, !line.contains(0) else { continue }
      guard take(fields) else { return }
    }
  }

  private func map(_ name: String) -> IdentityMap {
    IdentityMap(Self.text(name, of: process.descriptor, byteCountMax: Self.mapByteCountMax) ?? [])
  }
}

/// Which of the node's ids are whose in a user namespace.
struct IdentityMap {
  private let ranges: [(inside: UInt32, node: UInt32, count: UInt32)]

  /// Of a file such as uid_map.
  init(_ text: [UInt8]) {
    ranges = text.split(separator: UInt8(ascii: "\n")).compactMap { line in
      let numbers = line.split(separator: UInt8(ascii: " ")).map { UInt32(String(decoding: $0, as: UTF8.self)) }
      guard numbers.count == 3, let inside = numbers[0], let node = numbers[1], let count = numbers[2] else {
        return nil
      }
      return (inside, node, count)
    }
  }

  /// The node's id for one that is written out; nil where it has none.
  func node(_ text: ArraySlice<UInt8>) -> UInt32? {
    guard text.allSatisfy({ (0x30...0x39).contains($0) }), let id = UInt32(String(decoding: text, as: UTF8.self)) else {
      return nil
    }
    for range in ranges where id >= range.inside && id - range.inside < range.count {
      let (node, overflow) = range.node.addingReportingOverflow(id - range.inside)
      return overflow ? nil : node
    }
    return nil
  }
}
