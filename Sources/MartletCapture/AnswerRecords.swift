// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// What others than the kernel have to tell, on its way into a batch, which has room for so many of them.
final class AnswerRecords {
  static let countMax = 64
  private var pending: [any StreamReport] = []
  /// Of the batch that is lent, or is being made.
  private var memory: [UnsafeMutableRawBufferPointer] = []

  init() { pending.reserveCapacity(Self.countMax) }

  deinit { free() }

  /// How many more there is room for before the next batch.
  var room: Int { Self.countMax - pending.count }

  /// At most `room` before the next batch.
  func add(_ answer: some StreamReport) {
    precondition(pending.count < Self.countMax, "more answers than a batch has room for")
    pending.append(answer)
  }

  /// The records of what was added, which hold until they are let go.
  func take(at time: UInt64, _ body: (UnsafeRawBufferPointer) -> Void) {
    for answer in pending {
      let copy = answer.withRecord(at: time) { record in
        let copy = UnsafeMutableRawBufferPointer.allocate(
          byteCount: record.count, alignment: MemoryLayout<UInt64>.alignment)
        copy.copyMemory(from: record)
        return copy
      }
      memory.append(copy)
      body(UnsafeRawBufferPointer(copy))
    }
    pending.removeAll(keepingCapacity: true)
  }

  func free() {
    for bytes in memory { bytes.deallocate() }
    memory.removeAll(keepingCapacity: true)
  }
}
