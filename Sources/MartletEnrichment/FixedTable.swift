// SPDX-License-Identifier: Apache-2.0

/// Remembers so many things and no more: when it is full, the one that came first makes room.
struct FixedTable<Key: Hashable, Value> {
  private let countMax: Int
  private var entries: [Key: Value] = [:]
  /// In the order in which they came, from `oldest` on and around.
  private var keys: [Key] = []
  private var oldest = 0

  init(countMax: Int) { self.countMax = max(countMax, 1) }

  var count: Int { entries.count }

  subscript(key: Key) -> Value? { entries[key] }

  /// A new value of a key that is there takes the old one's place in the order, too.
  mutating func insert(_ value: Value, for key: Key) {
    guard entries.updateValue(value, forKey: key) == nil else { return }
    guard keys.count == countMax else { return keys.append(key) }
    entries[keys[oldest]] = nil
    keys[oldest] = key
    oldest = (oldest + 1) % countMax
  }
}
