// SPDX-License-Identifier: Apache-2.0

import Glibc
import MartletEvents

/// What was found for a text the last time: a text has one place, and the last one there stays.
///
/// Whoever makes up texts that share a place makes the finder work, no more.
struct ValueCache: ~Copyable {
  private struct Entry: BitwiseCopyable {
    var hash: UInt64
    var count: UInt16
    var traits: UInt8
    var isUsed: Bool
    var finding: UInt32
  }

  private let memory: UnsafeMutableRawPointer
  private let placeCount: Int
  private let stride: Int
  private let byteCountMax: Int

  /// `placeCount` is a power of two. Longer texts than `byteCountMax` are not kept. Memory is taken as it is used.
  init(placeCount: Int, byteCountMax: Int) {
    self.placeCount = placeCount
    self.byteCountMax = byteCountMax
    stride = MemoryLayout<Entry>.stride + byteCountMax
    guard let memory = calloc(placeCount, stride) else { preconditionFailure("there is no memory for a cache") }
    self.memory = memory
  }

  deinit { free(memory) }

  func removeAll() { memset(memory, 0, placeCount * stride) }

  /// Nil where it is not known. `traits` are part of what is asked for.
  @inline(__always)
  func finding(_ text: ByteView, hash: UInt64, traits: UInt8) -> Finding? {
    let place = memory + (Int(truncatingIfNeeded: hash) & (placeCount - 1)) * stride
    let entry = place.assumingMemoryBound(to: Entry.self)
    guard entry.pointee.hash == hash, Int(entry.pointee.count) == text.count, entry.pointee.traits == traits,
      entry.pointee.isUsed, memcmp(place + MemoryLayout<Entry>.stride, text.start, text.count) == 0
    else { return nil }
    return Finding(rawValue: entry.pointee.finding)
  }

  func keep(_ finding: Finding, of text: ByteView, hash: UInt64, traits: UInt8) {
    guard text.count <= byteCountMax else { return }
    let place = memory + (Int(truncatingIfNeeded: hash) & (placeCount - 1)) * stride
    place.assumingMemoryBound(to: Entry.self).pointee = Entry(
      hash: hash, count: UInt16(text.count), traits: traits, isUsed: true, finding: finding.rawValue)
    memcpy(place + MemoryLayout<Entry>.stride, text.start, text.count)
  }
}
