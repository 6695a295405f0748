// SPDX-License-Identifier: Apache-2.0

public import Glibc

/// Bytes that lie somewhere else: in a record, in a process's texts, in a rule set's constants.
///
/// The unit of comparison on the hot path: no allocation, no reference count, no Unicode. Whoever hands one out says
/// how long it holds. Names and paths are bytes to the kernel and stay bytes here; only output repairs UTF-8.
public struct ByteView {
  public let start: UnsafePointer<UInt8>
  public let count: Int

  /// Sound as long as `start` points to `count` readable bytes for the lifetime that the giver promises.
  @inlinable
  public init(start: UnsafePointer<UInt8>, count: Int) {
    self.start = start
    self.count = count
  }

  @inlinable
  public init(_ text: StaticString) {
    self.init(start: text.utf8Start, count: text.utf8CodeUnitCount)
  }

  public static var empty: ByteView { ByteView("") }

  @inlinable public var isEmpty: Bool { count == 0 }

  @inlinable
  public subscript(index: Int) -> UInt8 {
    precondition(index >= 0 && index < count, "byte index out of range")
    return start[index]
  }

  /// The bytes from `lower` up to `upper`; both are clamped to what is there.
  @inlinable
  public func slice(from lower: Int, to upper: Int) -> ByteView {
    let first = Swift.min(Swift.max(lower, 0), count)
    let last = Swift.min(Swift.max(upper, first), count)
    return ByteView(start: start + first, count: last - first)
  }

  @inlinable
  public func hasPrefix(_ prefix: ByteView) -> Bool {
    count >= prefix.count && memcmp(start, prefix.start, prefix.count) == 0
  }

  @inlinable
  public func hasSuffix(_ suffix: ByteView) -> Bool {
    count >= suffix.count && memcmp(start + (count - suffix.count), suffix.start, suffix.count) == 0
  }

  @inlinable
  public func firstIndex(of byte: UInt8) -> Int? {
    guard let found = memchr(start, Int32(byte), count) else { return nil }
    return UnsafeRawPointer(found) - UnsafeRawPointer(start)
  }

  @inlinable
  public func lastIndex(of byte: UInt8) -> Int? {
    let bytes = UnsafeRawPointer(start)
    let low: UInt64 = 0x7f7f_7f7f_7f7f_7f7f
    var index = count
    // Eight bytes at once: the highest bit of each byte that is `byte` is set in `marks`.
    while index >= 8 {
      let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index - 8, as: UInt64.self))
      let difference = word ^ (UInt64(byte) &* 0x0101_0101_0101_0101)
      let marks = ~(((difference & low) &+ low) | difference | low)
      if marks != 0 { return index - 1 - marks.leadingZeroBitCount / 8 }
      index -= 8
    }
    while index > 0 {
      index -= 1
      if start[index] == byte { return index }
    }
    return nil
  }

  /// Whether `needle` stands anywhere in it; the empty needle does. Time grows with count, for real needles linearly.
  @inlinable
  public func contains(_ needle: ByteView) -> Bool {
    guard needle.count > 0 else { return true }
    guard needle.count <= count else { return false }
    let first = Int32(needle.start[0])
    var position = start
    var left = count - needle.count + 1
    while left > 0, let found = memchr(position, first, left) {
      let candidate = found.assumingMemoryBound(to: UInt8.self)
      if memcmp(candidate, needle.start, needle.count) == 0 { return true }
      left -= UnsafePointer(candidate) - position + 1
      position = UnsafePointer(candidate) + 1
    }
    return false
  }

  /// Order of `memcmp`, the shorter first: strcmp's for texts without NUL.
  @inlinable
  public func compare(_ other: ByteView) -> Int {
    let order = memcmp(start, other.start, Swift.min(count, other.count))
    return order != 0 ? Int(order) : count - other.count
  }

  /// A hash for tables on the hot path: eight bytes a step. Not for keys that an attacker chooses without a bound on the
  /// chain.
  @inlinable
  public var quickHash: UInt64 {
    let bytes = UnsafeRawPointer(start)
    var hash = UInt64(count) &* 0x9e37_79b9_7f4a_7c15
    var offset = 0
    while offset + 8 <= count {
      hash = Self.mixed(hash, bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset += 8
    }
    var rest: UInt64 = 0
    if offset + 4 <= count {
      rest = UInt64(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
      offset += 4
    }
    while offset < count {
      rest = rest << 8 | UInt64(start[offset])
      offset += 1
    }
    return Self.mixed(hash, rest)
  }

  @inlinable
  @inline(__always)
  static func mixed(_ hash: UInt64, _ word: UInt64) -> UInt64 {
    let product = (hash ^ word ^ 0xa076_1d64_78bd_642f).multipliedFullWidth(by: 0xe703_7ed1_a0b4_28db)
    return product.high ^ product.low
  }

  /// A copy, invalid UTF-8 repaired. For output and tests; allocates.
  public var string: String {
    String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }

  /// A copy. Allocates.
  public var array: [UInt8] { Array(UnsafeBufferPointer(start: start, count: count)) }
}

extension ByteView: Equatable {
  @inlinable
  public static func == (left: ByteView, right: ByteView) -> Bool {
    left.count == right.count && memcmp(left.start, right.start, left.count) == 0
  }
}

extension ByteView: ExpressibleByStringLiteral {
  @inlinable
  public init(stringLiteral text: StaticString) { self.init(text) }
}
