// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
public import MartletEvents

/// Writes a stream of records to a file, from which `RecordingSource` brings them back as they were.
///
/// Everything that a replay needs is in the stream itself: the host, the processes that were there, cgroups, events and
/// ticks. A recording holds command lines and paths: only its owner may read it.
public final class RecordingWriter {
  /// Bytes written so far, or waiting to be.
  public private(set) var byteCount: UInt64 = 0
  public private(set) var recordCount: UInt64 = 0
  /// Whether `byteCountMax` was reached: nothing more is taken.
  public private(set) var isFull = false

  private let path: String
  private let descriptor: Int32
  private let byteCountMax: UInt64
  private var buffer: [UInt8] = []

  private static let bufferByteCount = 1 << 20
  /// Kept free for the frame that ends the recording.
  private static let endByteCount = UInt64(RecordingFormat.frameHeaderByteCount + MemoryLayout<martlet_end>.size)

  /// Replaces the contents of the file at `path`, which may be no link. The recording ends before it grows beyond
  /// `byteCountMax` bytes.
  public init(path: String, byteCountMax: UInt64) throws(RecordingError) {
    self.path = path
    self.byteCountMax = byteCountMax
    descriptor = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw RecordingError(errno == ELOOP ? .link : .system(errno: errno), path: path) }
    if let code = Self.makePrivate(descriptor) { throw RecordingError(code, path: path) }
    buffer.reserveCapacity(Self.bufferByteCount * 2)
    buffer += RecordingFormat.header()
    byteCount = UInt64(buffer.count)
  }

  deinit { close(descriptor) }

  /// A file that was there before keeps the mode it had, and may be read by anyone. Nil if nothing stands in the way.
  private static func makePrivate(_ descriptor: Int32) -> RecordingError.Code? {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return .system(errno: errno) }
    switch status.st_mode & S_IFMT {
    case S_IFREG:
      return fchmod(descriptor, 0o600) == 0 && ftruncate(descriptor, 0) == 0 ? nil : .system(errno: errno)
    // Pipes, and /dev/null: what is written there does not stay.
    case S_IFIFO, S_IFCHR: return nil
    default: return .noFile
    }
  }

  public func append(_ batch: EventBatch) throws(RecordingError) {
    for record in batch.records {
      let size = UInt64(RecordingFormat.frameHeaderByteCount + record.count)
      guard !isFull, byteCount + size + Self.endByteCount <= byteCountMax else {
        isFull = true
        return
      }
      append(record)
      if buffer.count >= Self.bufferByteCount { try flush() }
    }
  }

  /// Marks the recording as whole and brings it to the disk.
  public func finish(lostCount: UInt64) throws(RecordingError) {
    var end = martlet_end()
    end.record.length_bytes = UInt32(MemoryLayout<martlet_end>.size)
    end.record.kind = UInt16(MARTLET_KIND_END.rawValue)
    end.record_count = recordCount
    end.lost_count = lostCount
    withUnsafeBytes(of: end) { append($0) }
    try flush()
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw RecordingError(.system(errno: errno), path: path) }
  }

  private func append(_ record: UnsafeRawBufferPointer) {
    let length = UInt32(record.count)
    RecordingFormat.append(length, to: &buffer)
    RecordingFormat.append(RecordingFormat.checksum(length: length, record: record), to: &buffer)
    buffer += record
    byteCount += UInt64(RecordingFormat.frameHeaderByteCount + record.count)
    recordCount += 1
  }

  private func flush() throws(RecordingError) {
    var written = 0
    while written < buffer.count {
      let count = buffer.withUnsafeBytes { write(descriptor, $0.baseAddress.map { $0 + written }, $0.count - written) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw RecordingError(.system(errno: count == 0 ? EIO : errno), path: path) }
      written += count
    }
    buffer.removeAll(keepingCapacity: true)
  }
}
