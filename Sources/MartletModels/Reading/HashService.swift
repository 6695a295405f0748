// SPDX-License-Identifier: Apache-2.0

import CMartletFiles
import Crypto
import Glibc
import MartletEvents
import MartletSignatures

/// The reader: takes requests from the agent, one at a time, until the agent goes away.
///
/// A process of its own, because a file can make whoever reads it wait for ever, and because a mapping or a file system of a
/// stranger is better met by somebody who can be ended. It runs when nobody else wants the processor or the disk.
public struct HashService {
  /// What is looked at at once, while the next is fetched.
  private static let partBytes = 8 << 20
  /// Model files are dense. One with less than an eighth of its size on disk only costs time.
  private static let sparseBytesMin: UInt64 = 1 << 30
  private static let sparseFactor: UInt64 = 8
  /// Times of a file may stand still for as long as a tick of the clock takes.
  private static let freshNanoseconds: UInt64 = 20_000_000
  private static let progressNanoseconds: UInt64 = 1_000_000_000

  private let socket: Int32
  private let bytesPerSecondMax: UInt64

  /// `socket`: where requests come from, a message each. `bytesPerSecondMax`: 0 for as fast as it goes.
  public init(socket: Int32, bytesPerSecondMax: UInt64) {
    self.socket = socket
    self.bytesPerSecondMax = bytesPerSecondMax
  }

  /// Returns when the agent has gone.
  public func run() {
    martlet_files_yield()
    var message = [UInt8](repeating: 0, count: HashRequest.byteCountMax)
    while true {
      let count = recv(socket, &message, message.count, 0)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      guard let request = HashRequest(Array(message[..<count])) else { return }
      guard send(reply(to: request)) else { return }
    }
  }

  private func send(_ reply: HashReply) -> Bool {
    let bytes = reply.bytes
    return Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
  }

  private func reply(to request: HashRequest) -> HashReply {
    switch request.kind {
    case .isHeld: return .held(ForeignFile.isHeld(request))
    case .digest:
      do throws(HashFailure) { return .digest(try read(request)) } catch { return .failed(error) }
    }
  }

  private func read(_ request: HashRequest) throws(HashFailure) -> HashedFile {
    let file = try ForeignFile.open(request)
    var stamp = FileTimes(file.status)
    guard stamp.size <= request.byteCountMax else { throw .tooLarge }
    if stamp.size >= Self.sparseBytesMin, file.status.allocated_bytes < stamp.size / Self.sparseFactor { throw .sparse }
    let magic = try firstBytes(of: file)
    if request.needsMagic, ModelFormat(magic: magic) == nil { throw .notAModel }
    let hadNoneBefore = try hasNoWriter(file)
    let now = Self.realtimeNanoseconds
    if now < stamp.changed &+ Self.freshNanoseconds {
      usleep(UInt32(Self.freshNanoseconds / 1000))
      stamp = try Self.times(of: file)
    }
    let began = Self.monotonicNanoseconds
    let digest = try digest(of: file, stamp.size, began)
    let nanoseconds = Self.monotonicNanoseconds - began
    guard try Self.times(of: file) == stamp else { throw .changed }
    let hadNoneAfter = try hasNoWriter(file)
    return HashedFile(
      digest: digest, stamp: stamp, magic: magic, nanoseconds: nanoseconds,
      hadNoWriters: hadNoneBefore && hadNoneAfter)
  }

  private func firstBytes(of file: borrowing ForeignFile) throws(HashFailure) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: ModelFormat.magicByteCount)
    let count = pread(file.descriptor, &bytes, bytes.count, 0)
    guard count >= 0 else { throw .unreadable }
    return Array(bytes[..<count])
  }

  /// False where the file system does not tell.
  private func hasNoWriter(_ file: borrowing ForeignFile) throws(HashFailure) -> Bool {
    switch UInt32(bitPattern: martlet_files_writers(file.descriptor)) {
    case MARTLET_FILES_NO_WRITERS.rawValue: return true
    case MARTLET_FILES_WRITERS.rawValue: throw .writers
    default: return false
    }
  }

  /// From the page cache, without a copy of it. Whoever cuts the file off meanwhile ends this process, which is what it is
  /// for: the agent sees that.
  private func digest(of file: borrowing ForeignFile, _ size: UInt64, _ began: UInt64) throws(HashFailure) -> Digest256
  {
    var hash = SHA256()
    var offset: UInt64 = 0
    var told = began
    while offset < size {
      let count = Int(min(size - offset, UInt64(Self.partBytes)))
      guard let part = martlet_files_map(file.descriptor, offset, count) else { throw .unreadable }
      martlet_files_fetch(file.descriptor, offset + UInt64(count), Self.partBytes)
      hash.update(bufferPointer: UnsafeRawBufferPointer(start: part, count: count))
      munmap(UnsafeMutableRawPointer(mutating: part), count)
      offset += UInt64(count)
      try keepRate(offset, since: began, &told)
    }
    guard let digest = Digest256(Array(hash.finalize())) else { throw .unreadable }
    return digest
  }

  /// Sleeps where more was read than the time allowed for, and tells that it is still at it.
  private func keepRate(_ byteCount: UInt64, since began: UInt64, _ told: inout UInt64) throws(HashFailure) {
    var isAhead = false
    repeat {
      let now = Self.monotonicNanoseconds
      if now - told >= Self.progressNanoseconds {
        told = now
        // An agent that has gone wants no digest.
        guard send(.progress) else { throw .noReader }
      }
      guard bytesPerSecondMax > 0 else { return }
      let ahead = Double(byteCount) / Double(bytesPerSecondMax) * 1e9 - Double(now - began)
      isAhead = ahead > 1e6
      if isAhead { usleep(UInt32(min(ahead, 1e8) / 1000)) }
    } while isAhead
  }

  private static func times(of file: borrowing ForeignFile) throws(HashFailure) -> FileTimes {
    var status = martlet_file_status()
    guard martlet_files_status(file.descriptor, &status) == 0 else { throw .unreadable }
    return FileTimes(status)
  }

  private static var monotonicNanoseconds: UInt64 { nanoseconds(CLOCK_MONOTONIC) }
  private static var realtimeNanoseconds: UInt64 { nanoseconds(CLOCK_REALTIME) }

  private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
