// SPDX-License-Identifier: Apache-2.0

import Glibc
import MartletSignatures

/// What the agent asks of its reader, a process of its own that may be killed. Both are the same program.
struct HashRequest: Equatable, Sendable {
  enum Kind: UInt8, Sendable {
    /// Read the file and tell its digest.
    case digest = 1
    /// Tell whether the process still has the file open or mapped.
    case isHeld = 2
  }

  var kind = Kind.digest
  /// A process that has the file open, by this descriptor, or had it a moment ago.
  var processID: UInt32
  var descriptor: Int32 = -1
  /// As the kernel numbers them.
  var device: UInt32
  var inode: UInt64
  /// Where the process's mounts show it.
  var path: [UInt8] = []
  /// What the cgroup of the process is called: another process in it mostly sees the same files.
  var cgroupName: [UInt8] = []
  /// A larger file is not read.
  var byteCountMax: UInt64 = .max
  /// Whether a file that does not begin like a model is none.
  var needsMagic = false

  static let byteCountMax = 8192
  private static let cgroupNameMax = 256
}

/// What the reader answers.
enum HashReply: Equatable, Sendable {
  /// It is still at it: comes at least every second while it reads.
  case progress
  case digest(HashedFile)
  case held(Bool)
  case failed(HashFailure)
}

/// A file that was read to its end, in one state from beginning to end as far as its times tell.
struct HashedFile: Equatable, Sendable {
  var digest: Digest256
  var stamp: FileTimes
  /// Its first bytes.
  var magic: [UInt8]
  var nanoseconds: UInt64
  /// Whether it is known that nobody could write before and after; if not, the file system does not tell.
  var hadNoWriters: Bool
}

/// Size and times that tell one state of a file from another, in nanoseconds since 1970.
struct FileTimes: Hashable, Sendable {
  var size: UInt64
  var modified: UInt64
  var changed: UInt64
}

/// Why a file was not read, or not to its end.
enum HashFailure: UInt8, CaseIterable, Error {
  /// No way leads to this very file any more.
  case gone = 1
  case notRegular
  case tooLarge
  /// It has far fewer blocks than its size takes.
  case sparse
  case unreadable
  case changed
  /// Somebody can write to it.
  case writers
  case notAModel
  /// The reader did not answer, and was ended.
  case stalled
  /// The reader ended by itself, or could not be started.
  case noReader
}

// MARK: - As messages, one request or reply each

extension HashRequest {
  var bytes: [UInt8] {
    var out = MessageWriter()
    out.put(UInt64(kind.rawValue))
    out.put(UInt64(processID))
    out.put(UInt64(bitPattern: Int64(descriptor)))
    out.put(UInt64(device))
    out.put(inode)
    out.put(byteCountMax)
    out.put(needsMagic ? 1 : 0)
    let name = cgroupName.prefix(Self.cgroupNameMax)
    out.put(UInt64(name.count))
    out.bytes += name + path.suffix(Self.byteCountMax - Self.cgroupNameMax - 64)
    return out.bytes
  }

  init?(_ bytes: [UInt8]) {
    var message = MessageReader(bytes)
    guard let kind = message.next().flatMap({ Kind(rawValue: UInt8(truncatingIfNeeded: $0)) }),
      let processID = message.next(), let descriptor = message.next(), let device = message.next(),
      let inode = message.next(), let byteCountMax = message.next(), let needsMagic = message.next(),
      let nameCount = message.next(), nameCount <= message.rest.count
    else { return nil }
    self.init(
      kind: kind, processID: UInt32(truncatingIfNeeded: processID),
      descriptor: Int32(truncatingIfNeeded: descriptor), device: UInt32(truncatingIfNeeded: device), inode: inode,
      path: Array(message.rest.dropFirst(Int(nameCount))), cgroupName: Array(message.rest.prefix(Int(nameCount))),
      byteCountMax: byteCountMax, needsMagic: needsMagic != 0)
  }
}

extension HashReply {
  static let byteCountMax = 256

  var bytes: [UInt8] {
    var out = MessageWriter()
    switch self {
    case .progress: out.put(1)
    case .digest(let file):
      out.put(2)
      out.put(file.stamp.size)
      out.put(file.stamp.modified)
      out.put(file.stamp.changed)
      out.put(file.nanoseconds)
      out.put(file.hadNoWriters ? 1 : 0)
      out.bytes += file.digest.bytes + file.magic
    case .held(let isHeld):
      out.put(3)
      out.put(isHeld ? 1 : 0)
    case .failed(let failure):
      out.put(4)
      out.put(UInt64(failure.rawValue))
    }
    return out.bytes
  }

  init?(_ bytes: [UInt8]) {
    var message = MessageReader(bytes)
    switch message.next() {
    case 1: self = .progress
    case 2:
      guard let size = message.next(), let modified = message.next(), let changed = message.next(),
        let nanoseconds = message.next(), let hadNoWriters = message.next(),
        let digest = Digest256(Array(message.rest.prefix(32)))
      else { return nil }
      self = .digest(
        HashedFile(
          digest: digest, stamp: FileTimes(size: size, modified: modified, changed: changed),
          magic: Array(message.rest.dropFirst(32)), nanoseconds: nanoseconds, hadNoWriters: hadNoWriters != 0))
    case 3:
      guard let isHeld = message.next() else { return nil }
      self = .held(isHeld != 0)
    case 4:
      guard let failure = message.next().flatMap({ HashFailure(rawValue: UInt8(truncatingIfNeeded: $0)) }) else {
        return nil
      }
      self = .failed(failure)
    default: return nil
    }
  }
}

private struct MessageWriter {
  var bytes: [UInt8] = []

  mutating func put(_ word: UInt64) { withUnsafeBytes(of: word) { bytes += $0 } }
}

private struct MessageReader {
  private(set) var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  mutating func next() -> UInt64? {
    guard rest.count >= 8 else { return nil }
    defer { rest = rest.dropFirst(8) }
    return rest.prefix(8).withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
  }
}
