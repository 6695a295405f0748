// SPDX-License-Identifier: Apache-2.0

/// A dictionary that forgets what was not used lately: all that was not since its younger half was last full.
struct AgingTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private var younger: [Key: Value] = [:]
  private var older: [Key: Value] = [:]
  private let halfCountMax: Int

  /// Holds from half of `countMax`, which is at least 2, up to all of it.
  init(countMax: Int) { halfCountMax = max(countMax / 2, 1) }

  var count: Int { younger.count + older.count }

  mutating func note(_ value: Value, for key: Key) {
    if younger[key] == nil, younger.count >= halfCountMax { (older, younger) = (younger, [:]) }
    younger[key] = value
    older[key] = nil
  }

  /// The value, which stays for longer as it was used.
  mutating func use(_ key: Key) -> Value? {
    if let value = younger[key] { return value }
    guard let value = older[key] else { return nil }
    note(value, for: key)
    return value
  }
}
