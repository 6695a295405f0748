// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The flags of an open as rules see them: Falco's bits and names, not the kernel's.
struct OpenFlags: OptionSet {
  let rawValue: UInt32

  static let read = OpenFlags(rawValue: 1 << 0)
  static let write = OpenFlags(rawValue: 1 << 1)
  static let create = OpenFlags(rawValue: 1 << 2)
  static let append = OpenFlags(rawValue: 1 << 3)
  static let dataSynchronous = OpenFlags(rawValue: 1 << 4)
  static let exclusive = OpenFlags(rawValue: 1 << 5)
  static let nonblocking = OpenFlags(rawValue: 1 << 6)
  static let synchronous = OpenFlags(rawValue: 1 << 7)
  static let truncate = OpenFlags(rawValue: 1 << 8)
  static let direct = OpenFlags(rawValue: 1 << 9)
  static let directory = OpenFlags(rawValue: 1 << 10)
  static let largeFile = OpenFlags(rawValue: 1 << 11)
  static let closeOnExec = OpenFlags(rawValue: 1 << 12)
  static let temporaryFile = OpenFlags(rawValue: 1 << 13)
  static let created = OpenFlags(rawValue: 1 << 14)
  static let upperLayer = OpenFlags(rawValue: 1 << 15)
  static let lowerLayer = OpenFlags(rawValue: 1 << 16)
  static let readWrite: OpenFlags = [.read, .write]

  init(rawValue: UInt32) { self.rawValue = rawValue }

  /// From what a call was given.
  init(kernel bits: UInt32) {
    let bits = Int32(bitPattern: bits)
    var flags: OpenFlags
    switch bits & O_ACCMODE {
    case O_RDONLY: flags = .read
    case O_WRONLY: flags = .write
    default: flags = .readWrite
    }
    for (bit, flag) in Self.plain where bits & bit != 0 { flags.insert(flag) }
    // O_SYNC has the bit of O_DSYNC in it, and O_TMPFILE that of O_DIRECTORY.
    if bits & O_SYNC != 0 { flags.insert(.synchronous) }
    if bits & Self.temporaryFileBits == Self.temporaryFileBits { flags.insert(.temporaryFile) }
    self = flags
  }

  /// Whether any of `others` is among them.
  func contains(where others: OpenFlags) -> Bool { !isDisjoint(with: others) }

  /// In the order in which Falco lists them.
  static let names: [(OpenFlags, StaticString)] = [
    (.largeFile, "O_LARGEFILE"),
    (.directory, "O_DIRECTORY"),
    (.direct, "O_DIRECT"),
    (.truncate, "O_TRUNC"),
    (.synchronous, "O_SYNC"),
    (.nonblocking, "O_NONBLOCK"),
    (.exclusive, "O_EXCL"),
    (.dataSynchronous, "O_DSYNC"),
    (.append, "O_APPEND"),
    (.create, "O_CREAT"),
    (.readWrite, "O_RDWR"),
    (.write, "O_WRONLY"),
    (.read, "O_RDONLY"),
    (.closeOnExec, "O_CLOEXEC"),
    (.temporaryFile, "O_TMPFILE"),
    (.created, "O_F_CREATED"),
    (.upperLayer, "FD_UPPER_LAYER"),
    (.lowerLayer, "FD_LOWER_LAYER"),
  ]

  private static let plain: [(Int32, OpenFlags)] = [
    (O_CREAT, .create), (O_APPEND, .append), (O_DSYNC, .dataSynchronous), (O_EXCL, .exclusive),
    (O_NONBLOCK, .nonblocking), (O_TRUNC, .truncate), (O_DIRECTORY, .directory), (directBit, .direct),
    (largeFileBit, .largeFile), (O_CLOEXEC, .closeOnExec),
  ]

  // Glibc hides these, or gives them no bit where all files may be large. The kernel's differ between architectures.
  #if arch(arm64)
    private static let directBit: Int32 = 0o200000
    private static let largeFileBit: Int32 = 0o400000
  #else
    private static let directBit: Int32 = 0o40000
    private static let largeFileBit: Int32 = 0o100000
  #endif
  private static let temporaryFileBits: Int32 = 0o20000000 | O_DIRECTORY
}
