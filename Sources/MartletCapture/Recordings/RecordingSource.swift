// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
public import MartletEvents

/// Brings a recording back, batch by batch.
///
/// What stands before damage is delivered first; the damage is thrown when it is reached. A recording may come from
/// anywhere: nothing in it is trusted beyond its checksums, and memory is bounded whatever it says.
public final class RecordingSource {
  /// Where the bytes come from.
  private enum Input {
    case file(Int32)
    case memory(UnsafeRawBufferPointer)
  }

  /// Events that the recorder saw and could not deliver; nil before the end of the recording.
  public private(set) var lostCount: UInt64?

  private let path: String
  private let input: Input
  /// Bytes taken from the input and not lent yet: `buffer[start..<end]`.
  private let buffer: UnsafeMutableRawBufferPointer
  private var start = 0
  private var end = 0
  /// Place of `start` in the recording.
  private var offset: UInt64 = 0
  private var memoryPosition = 0
  private var isInputOver = false
  private var records: [UnsafeRawBufferPointer] = []

  private static let bufferByteCount = 4 << 20
  private static let batchRecordsMax = 4096

  /// Opens the file; `-` is standard input.
  public convenience init(path: String) throws(RecordingError) {
    let descriptor = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw RecordingError(.system(errno: errno), path: path) }
    try self.init(.file(descriptor), path: path)
  }

  /// Takes over a descriptor that `beginning` was read from already, to see what it is: a pipe does not go back.
  public convenience init(descriptor: Int32, beginning: [UInt8], path: String) throws(RecordingError) {
    try self.init(.file(descriptor), path: path, beginning: beginning)
  }

  /// Whether a file that begins so means to be a recording.
  public static func isLikely(_ beginning: [UInt8]) -> Bool { beginning.starts(with: RecordingFormat.magic) }

  /// As many bytes tell.
  public static let magicByteCount = RecordingFormat.magic.count

  /// `bytes` outlive the source. `name` is what errors call it.
  public convenience init(bytes: UnsafeRawBufferPointer, name: String) throws(RecordingError) {
    try self.init(.memory(bytes), path: name)
  }

  private init(_ input: Input, path: String, beginning: [UInt8] = []) throws(RecordingError) {
    self.input = input
    self.path = path
    buffer = .allocate(byteCount: Self.bufferByteCount, alignment: MemoryLayout<UInt64>.alignment)
    records.reserveCapacity(Self.batchRecordsMax)
    buffer.copyBytes(from: beginning)
    end = beginning.count
    try readHeader()
  }

  deinit {
    buffer.deallocate()
    if case .file(let descriptor) = input { close(descriptor) }
  }

  /// Hands the next records to `body`, which sees them only while it runs. False after the last.
  public func next(_ body: (EventBatch) throws -> Void) throws -> Bool {
    records.removeAll(keepingCapacity: true)
    var damage: RecordingError?
    do throws(RecordingError) {
      while records.count < Self.batchRecordsMax, let record = try nextRecord() { records.append(record) }
    } catch {
      damage = error
    }
    if !records.isEmpty { try records.withUnsafeBufferPointer { try body(EventBatch(records: $0)) } }
    if let damage { throw damage }
    return !records.isEmpty
  }

  // MARK: - Frames

  private func readHeader() throws(RecordingError) {
    try fill()
    guard end > 0 else { throw RecordingError(.empty, path: path) }
    if let code = RecordingFormat.problem(withHeader: available) { throw RecordingError(code, path: path) }
    advance(RecordingFormat.headerByteCount)
  }

  /// Nil at the end of the recording, and where the buffer ends and records of this batch still lie in it.
  private func nextRecord() throws(RecordingError) -> UnsafeRawBufferPointer? {
    guard lostCount == nil else { return nil }
    guard try hasBytes(RecordingFormat.frameHeaderByteCount) else { return nil }
    let length = available.load(as: UInt32.self)
    let sum = available.load(fromByteOffset: 4, as: UInt32.self)
    guard length >= UInt32(MemoryLayout<martlet_record>.size), length <= UInt32(RecordingFormat.recordByteCountMax),
      length % 8 == 0
    else { throw RecordingError(.damaged, path: path, offset: offset) }
    guard try hasBytes(RecordingFormat.frameHeaderByteCount + Int(length)) else { return nil }
    let frame = available[RecordingFormat.frameHeaderByteCount..<(RecordingFormat.frameHeaderByteCount + Int(length))]
    let record = UnsafeRawBufferPointer(rebasing: frame)
    guard RecordingFormat.checksum(length: length, record: record) == sum else {
      throw RecordingError(.damaged, path: path, offset: offset)
    }
    advance(RecordingFormat.frameHeaderByteCount + Int(length))
    noteEnd(record)
    return record
  }

  private func noteEnd(_ record: UnsafeRawBufferPointer) {
    guard let end = EventRecord(record), end.kind == .end else { return }
    lostCount = end.end.pointee.lost_count
  }

  // MARK: - Bytes

  private var available: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[start..<end]) }

  private func advance(_ count: Int) {
    start += count
    offset += UInt64(count)
  }

  /// Whether that many bytes are available. False where more can only be had after the batch: reading moves bytes.
  private func hasBytes(_ count: Int) throws(RecordingError) -> Bool {
    if end - start >= count { return true }
    guard records.isEmpty else { return false }
    try fill()
    if end - start >= count { return true }
    throw RecordingError(.truncated, path: path, offset: offset + UInt64(end - start))
  }

  /// Moves what is left to the front and reads until the buffer is full or the input is over.
  private func fill() throws(RecordingError) {
    buffer.copyMemory(from: available)
    end -= start
    start = 0
    while end < buffer.count, !isInputOver {
      let count = try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[end...]))
      isInputOver = count == 0
      end += count
    }
  }

  private func read(into free: UnsafeMutableRawBufferPointer) throws(RecordingError) -> Int {
    switch input {
    case .memory(let bytes):
      let count = min(free.count, bytes.count - memoryPosition)
      free.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[memoryPosition..<(memoryPosition + count)]))
      memoryPosition += count
      return count
    case .file(let descriptor):
      while true {
        let count = Glibc.read(descriptor, free.baseAddress, free.count)
        if count >= 0 { return count }
        if errno != EINTR { throw RecordingError(.system(errno: errno), path: path, offset: offset) }
      }
    }
  }
}
