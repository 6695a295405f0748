// SPDX-License-Identifier: Apache-2.0

import Crypto
import Glibc

/// An open descriptor, closed when it goes.
struct OpenFile: ~Copyable {
  let descriptor: Int32

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }
}

/// What tells one state of a file from another, as far as the file system says. Contents that change through a mapping
/// that was written to before move none of it.
struct FileStamp: Hashable, Sendable {
  let device: UInt64
  let inode: UInt64
  let size: Int64
  private let modified: [Int]
  private let changed: [Int]

  init(_ status: stat) {
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    size = Int64(status.st_size)
    modified = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
    changed = [status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
  }

  /// The state of what is open.
  init?(_ descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }
}

/// What a directory entry is.
enum FileKind: Sendable {
  case regular, folder, link, other

  init(_ status: stat) {
    switch status.st_mode & S_IFMT {
    case S_IFREG: self = .regular
    case S_IFDIR: self = .folder
    case S_IFLNK: self = .link
    default: self = .other
    }
  }
}

/// What is wrong with a file of a model.
enum FileProblem: Error {
  case missing, link, notRegular, unreadable, changed, mismatch
}

/// An open file of a stranger: nothing but regular files is ever opened, so that no FIFO hangs and no device acts.
struct ModelFile: ~Copyable {
  fileprivate let file: OpenFile
  /// Its state when it was opened.
  let stamp: FileStamp

  /// Opens a file by its name below an open folder. Folders on the way are never links.
  static func open(
    _ name: ExactText, below folder: Int32, followsLink: Bool
  ) throws(FileProblem) -> ModelFile {
    var parts = name.bytes.split(separator: UInt8(ascii: "/")).map { Array($0) + [0] }
    guard let last = parts.popLast() else { throw .missing }
    var parent = OpenFile(fcntl(folder, F_DUPFD_CLOEXEC, 3))
    guard parent.descriptor >= 0 else { throw .unreadable }
    for part in parts {
      let next = openAt(parent.descriptor, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      // A link is no folder either, to O_DIRECTORY.
      guard next >= 0 else { throw errno == ENOENT || errno == ENOTDIR ? .missing : .unreadable }
      parent = OpenFile(next)
    }
    return try open(last, in: parent.descriptor, followsLink: followsLink)
  }

  /// Opens a file by a path of the operator's, who may name links.
  static func open(path: String) throws(FileProblem) -> ModelFile {
    try open(Array(path.utf8) + [0], in: AT_FDCWD, followsLink: true)
  }

  private static func open(
    _ name: [UInt8], in folder: Int32, followsLink: Bool
  ) throws(FileProblem) -> ModelFile {
    var status = stat()
    guard statAt(folder, name, &status, followsLink ? 0 : AT_SYMLINK_NOFOLLOW) == 0 else {
      throw errno == ENOENT || errno == ENOTDIR ? .missing : .unreadable
    }
    switch FileKind(status) {
    case .regular: break
    case .link: throw .link
    default: throw .notRegular
    }
    // It may be another thing by now: not waiting keeps a FIFO harmless, and the stamps are compared.
    let flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (followsLink ? 0 : O_NOFOLLOW)
    let descriptor = openAt(folder, name, flags)
    guard descriptor >= 0 else { throw errno == ENOENT || errno == ELOOP ? .changed : .unreadable }
    let file = OpenFile(descriptor)
    let stamp = FileStamp(status)
    guard FileStamp(descriptor) == stamp else { throw .changed }
    return ModelFile(file: file, stamp: stamp)
  }

  static func openAt(_ folder: Int32, _ name: [UInt8], _ flags: Int32) -> Int32 {
    name.withUnsafeBufferPointer { bytes in
      bytes.withMemoryRebound(to: CChar.self) { $0.baseAddress.map { Glibc.openat(folder, $0, flags) } ?? -1 }
    }
  }

  static func statAt(_ folder: Int32, _ name: [UInt8], _ status: inout stat, _ flags: Int32) -> Int32 {
    name.withUnsafeBufferPointer { bytes in
      bytes.withMemoryRebound(to: CChar.self) { $0.baseAddress.map { fstatat(folder, $0, &status, flags) } ?? -1 }
    }
  }
}

/// Digests of open files, in one read.
struct FileDigester: ~Copyable {
  /// Small enough to stay in the cache between the read and the hash.
  static let bufferBytes = 256 << 10

  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferBytes, alignment: 4096)

  deinit { buffer.deallocate() }

  /// The digest of the whole file, which must not change meanwhile. `progress` hears of each piece's bytes.
  func whole(_ model: borrowing ModelFile, progress: (Int) -> Void) throws(FileProblem) -> Digest256 {
    try ranges(model, ends: [model.stamp.size], progress: progress)[0]
  }

  /// The digests of ranges that follow one another; the last of `ends` is the file's size.
  func ranges(
    _ model: borrowing ModelFile, ends: [Int64], progress: (Int) -> Void
  ) throws(FileProblem) -> [Digest256] {
    var digests: [Digest256] = []
    var hash = SHA256()
    var offset: Int64 = 0
    for end in ends {
      while offset < end {
        let wanted = Int(min(end - offset, Int64(Self.bufferBytes)))
        let count = try Self.read(model.file.descriptor, buffer, wanted, at: offset)
        guard count > 0 else { throw .changed }
        hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        offset += Int64(count)
        progress(count)
      }
      digests.append(Digest256(hash.finalize()))
      hash = SHA256()
    }
    guard try Self.read(model.file.descriptor, buffer, 1, at: offset) == 0,
      FileStamp(model.file.descriptor) == model.stamp
    else {
      throw .changed
    }
    return digests
  }

  private static func read(
    _ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer, _ count: Int, at offset: Int64
  ) throws(FileProblem) -> Int {
    while true {
      let result = pread(descriptor, buffer.baseAddress, count, off_t(offset))
      if result >= 0 { return result }
      guard errno == EINTR else { throw .unreadable }
    }
  }
}
