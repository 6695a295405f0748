// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc

/// A source of records for what was there at the start, a bufferful at a time.
protocol Seed: AnyObject {
  /// Whole records, one after the other, at the buffer's front; how many bytes. 0 ends the seed, nil means that what is
  /// left of it cannot be read.
  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int?
}

/// The kernel's iterator over processes: one read, some hundred processes. Their arguments and environment come from
/// /proc.
///
/// The kernel's programs must not read them: a page of the argument area can be mapped from a file whose server never
/// answers. /proc/PID/cmdline and environ leave such pages out.
final class IteratorSeed: Seed {
  /// The kernel fills no more than this a read, and cuts no record as long as it may fill as much.
  static let readBytes = 32 << 10
  private static let textsBytesMax = Int(MARTLET_ARGUMENTS_BYTES_MAX) + Int(MARTLET_ENVIRONMENT_BYTES_MAX)

  private let file: Int32
  private let kernelRecords = UnsafeMutableRawBufferPointer.allocate(byteCount: readBytes, alignment: 8)
  /// What has been read and not handed out.
  private var pending = 0..<0

  /// Takes over the descriptor.
  init(file: Int32) { self.file = file }

  deinit {
    close(file)
    kernelRecords.deallocate()
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
    if pending.isEmpty {
      var count: Int
      repeat {
        count = Glibc.read(file, kernelRecords.baseAddress, kernelRecords.count)
      } while count < 0 && (errno == EINTR || errno == EAGAIN)
      guard count >= 0 else { return nil }
      pending = 0..<count
    }
    var written = 0
    while !pending.isEmpty {
      let rest = UnsafeRawBufferPointer(rebasing: kernelRecords[pending])
      // What is no record goes on as it is: whoever cuts it counts it.
      let length = recordLength(atFrontOf: rest) ?? rest.count
      guard buffer.count - written >= length + Self.textsBytesMax else { break }
      let target = UnsafeMutableRawBufferPointer(rebasing: buffer[written...])
      target.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<length]))
      written += appendTexts(toRecordIn: target, length: length)
      pending = pending.lowerBound + length..<pending.upperBound
    }
    return written
  }

  /// Puts arguments and environment behind a process's record, where there are any; returns how long it is then.
  private func appendTexts(toRecordIn buffer: UnsafeMutableRawBufferPointer, length: Int) -> Int {
    guard length >= MemoryLayout<martlet_process>.size, let base = buffer.baseAddress else { return length }
    let part = base.assumingMemoryBound(to: martlet_process.self)
    // Kernel threads have neither file nor arguments.
    guard part.pointee.record.kind == UInt16(MARTLET_KIND_PROCESS.rawValue), part.pointee.exe_inode > 0
    else { return length }
    var end = length
    func append(_ name: String, limit: Int32, whenCut flag: UInt32) -> martlet_text? {
      let (text, hasMore) = Self.start(name, of: part.pointee.record, limit: Int(limit))
      if hasMore { part.pointee.record.flags |= flag }
      guard !text.isEmpty else { return nil }
      let padded = (text.count + 7) & ~7
      memset(base + end, 0, padded)
      UnsafeMutableRawBufferPointer(rebasing: buffer[end...]).copyBytes(from: text)
      defer { end += padded }
      return martlet_text(offset_bytes: UInt32(end), length_bytes: UInt32(text.count))
    }
    let arguments = append(
      "cmdline", limit: MARTLET_ARGUMENTS_BYTES_MAX, whenCut: UInt32(MARTLET_FLAG_ARGUMENTS_TRUNCATED))
    if let arguments { part.pointee.arguments = arguments }
    if part.pointee.record.flags & UInt32(MARTLET_FLAG_ENVIRONMENT) != 0 {
      let environment = append(
        "environ", limit: MARTLET_ENVIRONMENT_BYTES_MAX, whenCut: UInt32(MARTLET_FLAG_ENVIRONMENT_TRUNCATED))
      let longer = base.assumingMemoryBound(to: martlet_process_environment.self)
      if let environment { longer.pointee.environment = environment }
    }
    part.pointee.record.length_bytes = UInt32(end)
    return end
  }

  /// What the process that a record is about was started with, out of its file `name` in /proc; nothing when its number
  /// has gone to another process.
  static func start(_ name: String, of record: martlet_record, limit: Int) -> (text: ArraySlice<UInt8>, hasMore: Bool) {
    let process = pid_t(truncatingIfNeeded: record.process_id)
    // By the thread that the record names: /proc shows nothing of a main thread that has ended.
    guard let bytes = Procfs.bytes("/proc/\(process)/task/\(record.thread_id)/\(name)", limit: limit + 1),
      let start = ProcfsStat(process)?.startNanoseconds
    else { return ([], false) }
    let (early, late) = (min(start, record.process_start_ns), max(start, record.process_start_ns))
    guard late - early <= ProcfsStat.nanosecondsPerTick else { return ([], false) }
    return (bytes.prefix(limit), bytes.count > limit)
  }
}

/// The length that the record at the front of `bytes` gives itself; nil when no record is there.
private func recordLength(atFrontOf bytes: UnsafeRawBufferPointer) -> Int? {
  guard bytes.count >= MemoryLayout<martlet_record>.size else { return nil }
  let length = Int(bytes.load(as: UInt32.self))
  return length >= MemoryLayout<martlet_record>.size && length <= bytes.count && length % 8 == 0 ? length : nil
}

/// Cuts bufferfuls of a seed into records and leaves out cgroups that were told before.
struct SeedCutter {
  private var cgroups: Set<UInt64> = []

  /// Calls `take` with each record; returns how many bytes at the end were none.
  mutating func cut(_ bytes: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) -> Void) -> Int {
    var rest = bytes[...]
    while let length = recordLength(atFrontOf: UnsafeRawBufferPointer(rebasing: rest)) {
      let record = UnsafeRawBufferPointer(rebasing: rest)
      if isNews(record) { take(UnsafeRawBufferPointer(rebasing: rest.prefix(length))) }
      rest = rest.dropFirst(length)
    }
    return rest.count
  }

  private mutating func isNews(_ record: UnsafeRawBufferPointer) -> Bool {
    let common = record.load(as: martlet_record.self)
    guard common.kind == UInt16(MARTLET_KIND_CGROUP.rawValue), record.count >= MemoryLayout<martlet_cgroup>.size
    else { return true }
    let cgroup = record.load(as: martlet_cgroup.self)
    // Both hierarchies count from 1; ids have far fewer than 63 bits in use.
    return cgroups.insert(cgroup.id | UInt64(cgroup.hierarchy) << 63).inserted
  }
}
