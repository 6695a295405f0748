// SPDX-License-Identifier: Apache-2.0

public import CMartletABI
import Glibc
import MartletEvents

/// A file as the kernel side tells of it.
public struct TestFile: Sendable {
  public var path: String
  public var inode: UInt64 = 77
  public var device: UInt32 = 8 << 20 | 1
  /// ext4's.
  public var magic: UInt64 = 0xef53
  public var size: UInt64 = 1000
  public var changed: UInt64 = 5_000_000_000
  public var writers: Int32 = 0

  public init(_ path: String) { self.path = path }

  var state: martlet_file_state {
    martlet_file_state(
      size_bytes: size, modified_ns: 4_000_000_000, changed_ns: changed, real_inode: 0, real_device: 0, writers: writers
    )
  }
}

extension Event {
  /// An open that the kernel tells with the file's state: of a model, or of a watched file.
  public static func openModel(
    _ file: TestFile, as name: String? = nil, by process: TestProcess, writes: Bool = false, descriptor: Int64 = 3,
    flags: UInt32 = 0, at time: UInt64 = 0
  ) -> TestRecord {
    var part = martlet_open_state()
    part.open.record = common(.open, process, at: time)
    part.open.record.call = UInt16(MARTLET_CALL_OPENAT.rawValue)
    part.open.record.flags = UInt32(MARTLET_FLAG_FILE_STATE) | flags
    part.open.result = descriptor
    part.open.inode = file.inode
    part.open.device = file.device
    part.open.filesystem_magic = file.magic
    part.open.inode_mode = UInt32(S_IFREG) | 0o644
    part.open.file_mode = writes ? 2 : 1
    part.state = file.state
    var builder = RecordBuilder(part)
    builder.part.open.path = builder.text(file.path)
    builder.part.open.name = builder.text(name ?? file.path)
    return builder.build()
  }

  /// What became of a file.
  public static func change(
    _ change: martlet_change, of file: TestFile, to name: String = "", by process: TestProcess, flags: UInt32 = 0,
    at time: UInt64 = 0
  ) -> TestRecord {
    var part = martlet_file()
    part.record = common(.file, process, at: time)
    part.record.flags |= flags
    part.change = change.rawValue
    part.inode = file.inode
    part.device = file.device
    part.inode_mode = UInt32(S_IFREG) | 0o644
    part.links = 1
    part.state = file.state
    var builder = RecordBuilder(part)
    builder.part.path = builder.text(file.path)
    builder.part.name = builder.text(name)
    return builder.build()
  }
}
