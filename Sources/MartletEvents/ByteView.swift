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
    var index = count
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

  /// FNV-1a over the bytes. Not for keys that an attacker chooses without a bound on the chain.
  @inlinable
  public var fingerprint: UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for index in 0..<count {
      hash = (hash ^ UInt64(start[index])) &* 0x0000_0100_0000_01b3
    }
    return hash
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
