// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Finds the names of an address: the part of the table that reading needs, free to copy.
struct NameLookup {
  fileprivate let entries: UnsafeMutablePointer<NameEntry>
  fileprivate let texts: UnsafeMutablePointer<UInt8>
  fileprivate let buckets: UnsafeMutablePointer<Int32>
  fileprivate let bucketMask: Int

  fileprivate func bucket(_ network: UInt32, _ address: IPAddress) -> Int {
    // Keyed, as whoever answers for a name chooses its addresses: they would all be in one bucket.
    var hasher = Hasher()
    hasher.combine(address.high)
    hasher.combine(address.low)
    hasher.combine(network)
    return hasher.finalize() & bucketMask
  }

  fileprivate func text(of slot: Int32) -> ByteView {
    let start = texts + Int(slot) * DomainName.byteCountMax
    return ByteView(start: start, count: Int(entries[Int(slot)].byteCount))
  }

  /// The name at `index` among those that processes in this network namespace have resolved to the address, the last one
  /// first; nil where there are not that many at this time.
  func name(at index: Int, of address: IPAddress, in network: UInt32, at time: UInt64) -> ByteView? {
    var rest = index
    var slot = buckets[bucket(network, address)]
    while slot >= 0 {
      if entries[Int(slot)].isName(of: address, in: network, at: time) {
        if rest == 0 { return text(of: slot) }
        rest -= 1
      }
      slot = entries[Int(slot)].nextInBucket
    }
    return nil
  }

  /// How many of them there are; at most `NameTable.countPerAddressMax`.
  func count(of address: IPAddress, in network: UInt32, at time: UInt64) -> Int {
    var count = 0
    var slot = buckets[bucket(network, address)]
    while slot >= 0 {
      if entries[Int(slot)].isName(of: address, in: network, at: time) { count += 1 }
      slot = entries[Int(slot)].nextInBucket
    }
    return count
  }
}

extension NameLookup {
  /// The names that these addresses have at this time, in memory of their own, which `deallocate` gives back.
  init(copying names: NameLookup, of addresses: [IPAddress], in network: UInt32, at time: UInt64) {
    var slots: [Int32] = []
    for address in addresses {
      var slot = names.buckets[names.bucket(network, address)]
      while slot >= 0 {
        if names.entries[Int(slot)].isName(of: address, in: network, at: time) { slots.append(slot) }
        slot = names.entries[Int(slot)].nextInBucket
      }
    }
    entries = .allocate(capacity: slots.count)
    texts = .allocate(capacity: slots.count * DomainName.byteCountMax)
    buckets = .allocate(capacity: 1)
    bucketMask = 0
    for (place, slot) in slots.enumerated() {
      var entry = names.entries[Int(slot)]
      entry.nextInBucket = place + 1 < slots.count ? Int32(place + 1) : -1
      (entries + place).initialize(to: entry)
      let text = names.text(of: slot)
      (texts + place * DomainName.byteCountMax).update(from: text.start, count: text.count)
    }
    buckets.initialize(to: slots.isEmpty ? -1 : 0)
  }

  func deallocate() {
    entries.deallocate()
    texts.deallocate()
    buckets.deallocate()
  }

  /// Of a copy of this many names.
  static func byteCount(_ count: Int) -> Int {
    count * (MemoryLayout<NameEntry>.stride + DomainName.byteCountMax) + MemoryLayout<Int32>.stride
  }
}

/// One name of one address, as long as it holds. Its text lies in the table, at the same place.
private struct NameEntry {
  var address: IPAddress
  var network: UInt32
  var byteCount: UInt8
  var endNanoseconds: UInt64
  /// Neighbours in the hash chain, and in the network's entries by age.
  var nextInBucket: Int32
  var newerInNetwork: Int32

  func isName(of address: IPAddress, in network: UInt32, at time: UInt64) -> Bool {
    self.network == network && self.address == address && endNanoseconds > time
  }
}

/// Which names led to which addresses, for each network namespace on its own.
///
/// Bounded: when a namespace has too many its oldest goes, when all together are too many the oldest of the namespace
/// that has most. So nobody who resolves much takes the names of those who do not.
struct NameTable: ~Copyable {
  /// A further name takes the place of the one that ends first.
  static let countPerAddressMax = 8

  let lookup: NameLookup
  private let capacity: Int
  private let countPerNetworkMax: Int
  private var freeSlots: [Int32] = []
  private var usedSlotCount: Int32 = 0
  /// Only of networks that have entries, so no more of them than those.
  private var networks: [UInt32: Network] = [:]
  private(set) var count = 0
  /// Names that still held when they had to go.
  private(set) var evictedCount: UInt64 = 0

  private struct Network {
    var oldest: Int32
    var newest: Int32
    var count = 1
  }

  init(limits: StateLimits) {
    precondition(limits.nameCountMax >= 1 && limits.nameCountPerNetworkMax >= 1, "a name table needs room for a name")
    capacity = limits.nameCountMax
    countPerNetworkMax = limits.nameCountPerNetworkMax
    var bucketCount = 16
    while bucketCount < capacity { bucketCount *= 2 }
    let buckets = UnsafeMutablePointer<Int32>.allocate(capacity: bucketCount)
    buckets.initialize(repeating: -1, count: bucketCount)
    // Untouched pages of the rest cost nothing.
    lookup = NameLookup(
      entries: .allocate(capacity: capacity), texts: .allocate(capacity: capacity * DomainName.byteCountMax),
      buckets: buckets, bucketMask: bucketCount - 1)
  }

  deinit {
    lookup.deallocate()
  }

  /// Notes that `name`, of at most `DomainName.byteCountMax` bytes, leads to `address` up to `endNanoseconds`.
  mutating func note(
    _ name: ByteView, of address: IPAddress, in network: UInt32, until endNanoseconds: UInt64, at time: UInt64
  ) {
    var others = 0
    var first: Int32 = -1
    var slot = lookup.buckets[lookup.bucket(network, address)]
    while slot >= 0 {
      let entry = lookup.entries + Int(slot)
      if entry.pointee.network == network, entry.pointee.address == address {
        if lookup.text(of: slot) == name {
          entry.pointee.endNanoseconds = max(entry.pointee.endNanoseconds, endNanoseconds)
          return
        }
        others += 1
        if first < 0 || entry.pointee.endNanoseconds < lookup.entries[Int(first)].endNanoseconds { first = slot }
      }
      slot = entry.pointee.nextInBucket
    }
    if others == Self.countPerAddressMax {
      countEviction(of: first, at: time)
      lookup.entries[Int(first)].endNanoseconds = endNanoseconds
      setText(of: first, to: name)
      return
    }
    insert(name, of: address, in: network, until: endNanoseconds, at: time)
  }

  private mutating func insert(
    _ name: ByteView, of address: IPAddress, in network: UInt32, until endNanoseconds: UInt64, at time: UInt64
  ) {
    if networks[network].map({ $0.count >= countPerNetworkMax }) ?? false {
      removeOldest(of: network, at: time)
    } else if count == capacity, let largest = networks.max(by: { ($0.value.count, $1.key) < ($1.value.count, $0.key) })
    {
      removeOldest(of: largest.key, at: time)
    }
    let slot = takeSlot()
    let bucket = lookup.buckets + lookup.bucket(network, address)
    (lookup.entries + Int(slot)).initialize(
      to: NameEntry(
        address: address, network: network, byteCount: 0, endNanoseconds: endNanoseconds, nextInBucket: bucket.pointee,
        newerInNetwork: -1))
    bucket.pointee = slot
    setText(of: slot, to: name)
    count += 1
    if var known = networks[network] {
      lookup.entries[Int(known.newest)].newerInNetwork = slot
      known.newest = slot
      known.count += 1
      networks[network] = known
    } else {
      networks[network] = Network(oldest: slot, newest: slot)
    }
  }

  private mutating func takeSlot() -> Int32 {
    if let slot = freeSlots.popLast() { return slot }
    usedSlotCount += 1
    return usedSlotCount - 1
  }

  private func setText(of slot: Int32, to name: ByteView) {
    let byteCount = min(name.count, DomainName.byteCountMax)
    (lookup.texts + Int(slot) * DomainName.byteCountMax).update(from: name.start, count: byteCount)
    lookup.entries[Int(slot)].byteCount = UInt8(byteCount)
  }

  private mutating func removeOldest(of network: UInt32, at time: UInt64) {
    guard var known = networks[network] else { return }
    let slot = known.oldest
    countEviction(of: slot, at: time)
    known.oldest = lookup.entries[Int(slot)].newerInNetwork
    known.count -= 1
    networks[network] = known.count == 0 ? nil : known
    unlink(slot)
    freeSlots.append(slot)
    count -= 1
  }

  private func unlink(_ slot: Int32) {
    let entry = lookup.entries[Int(slot)]
    let bucket = lookup.buckets + lookup.bucket(entry.network, entry.address)
    if bucket.pointee == slot {
      bucket.pointee = entry.nextInBucket
      return
    }
    var before = bucket.pointee
    while lookup.entries[Int(before)].nextInBucket != slot { before = lookup.entries[Int(before)].nextInBucket }
    lookup.entries[Int(before)].nextInBucket = entry.nextInBucket
  }

  private mutating func countEviction(of slot: Int32, at time: UInt64) {
    if lookup.entries[Int(slot)].endNanoseconds > time { evictedCount += 1 }
  }
}
