// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// A fixed set of texts, open addressing, at most half full. Trivial: its memory is the plan's.
///
/// Constants come from rule files, so nobody who is watched can lengthen a probe by choosing them.
struct TextSet {
  private let slots: UnsafeBufferPointer<Slot>
  private let mask: Int
  private let lengthMin: Int
  private let lengthMax: Int

  private struct Slot {
    var fingerprint: UInt64
    var text: ByteView
    var isUsed: Bool
  }

  init(_ texts: [[UInt8]], in arena: PlanArena) {
    var slotCount = 8
    while slotCount < texts.count * 2 { slotCount *= 2 }
    mask = slotCount - 1
    var table = [Slot](repeating: Slot(fingerprint: 0, text: .empty, isUsed: false), count: slotCount)
    for bytes in Set(texts) {
      let text = arena.keep(bytes)
      let fingerprint = text.quickHash
      var place = Int(truncatingIfNeeded: fingerprint) & (slotCount - 1)
      while table[place].isUsed { place = (place + 1) & (slotCount - 1) }
      table[place] = Slot(fingerprint: fingerprint, text: text, isUsed: true)
    }
    slots = arena.keep(table)
    lengthMin = texts.map(\.count).min() ?? 0
    lengthMax = texts.map(\.count).max() ?? -1
  }

  var texts: [ByteView] { slots.filter(\.isUsed).map(\.text) }

  func contains(_ text: ByteView) -> Bool {
    guard text.count >= lengthMin, text.count <= lengthMax else { return false }
    let fingerprint = text.quickHash
    var place = Int(truncatingIfNeeded: fingerprint) & mask
    while slots[place].isUsed {
      if slots[place].fingerprint == fingerprint, slots[place].text == text { return true }
      place = (place + 1) & mask
    }
    return false
  }
}
