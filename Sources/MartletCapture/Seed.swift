// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc

/// A source of records for what was there at the start, a bufferful at a time.
protocol Seed: AnyObject {
  /// Whole records, one after the other, at the buffer's front; how many bytes. 0 ends the seed.
  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int
}

/// The kernel's iterator over processes: one read, some hundred processes.
final class IteratorSeed: Seed {
  private let file: Int32

  /// Takes over the descriptor.
  init(file: Int32) { self.file = file }

  deinit { close(file) }

  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    // The kernel fills no more than its own 32 KiB a read and cuts no record, as long as the buffer holds that much.
    var count: Int
    repeat {
      count = Glibc.read(file, buffer.baseAddress, buffer.count)
    } while count < 0 && (errno == EINTR || errno == EAGAIN)
    return max(count, 0)
  }
}

/// Cuts bufferfuls of a seed into records and leaves out cgroups that were told before.
struct SeedCutter {
  private var cgroups: Set<UInt64> = []

  /// Calls `take` with each record; returns how many bytes at the end were none.
  mutating func cut(_ bytes: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) -> Void) -> Int {
    var rest = bytes[...]
    while rest.count >= MemoryLayout<martlet_record>.size {
      let record = UnsafeRawBufferPointer(rebasing: rest)
      let length = Int(record.load(as: UInt32.self))
      guard length >= MemoryLayout<martlet_record>.size, length <= record.count else { break }
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
