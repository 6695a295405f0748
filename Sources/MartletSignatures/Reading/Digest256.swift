// SPDX-License-Identifier: Apache-2.0

import Crypto
import FoundationEssentials

/// A SHA-256 digest.
public struct Digest256: Hashable, Sendable, CustomStringConvertible {
  /// In big-endian order, without a heap: an index holds a million of them.
  private let words: (UInt64, UInt64, UInt64, UInt64)

  /// Exactly 32 bytes.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count == SHA256.byteCount else { return nil }
    self.init(words: bytes)
  }

  /// 64 hexadecimal digits in either case.
  public init?(hexadecimal digits: some Collection<UInt8>) {
    guard digits.count == 2 * SHA256.byteCount else { return nil }
    var bytes: [UInt8] = []
    var high: UInt8?
    for digit in digits {
      guard let value = Hexadecimal.value(digit) else { return nil }
      if let first = high {
        bytes.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    self.init(words: bytes)
  }

  /// The digest of `data`.
  public init(of data: some Sequence<UInt8>) {
    self.init(SHA256.hash(data: Array(data)))
  }

  init(_ digest: SHA256.Digest) { self.init(words: Array(digest)) }

  private init(words bytes: [UInt8]) {
    func word(_ index: Int) -> UInt64 { bytes[(8 * index)..<(8 * index + 8)].reduce(0) { $0 << 8 | UInt64($1) } }
    words = (word(0), word(1), word(2), word(3))
  }

  /// 32 of them.
  public var bytes: [UInt8] {
    [words.0, words.1, words.2, words.3].flatMap { word in
      (0..<8).reversed().map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    }
  }

  /// 64 hexadecimal digits in lower case.
  public var description: String { Hexadecimal.text(bytes) }

  /// Digests are no secrets: this may stop at the first difference.
  public static func == (left: Digest256, right: Digest256) -> Bool { left.words == right.words }

  /// By all of it.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.1)
    hasher.combine(words.2)
    hasher.combine(words.3)
  }
}

/// A digest that others computed, in the shape in which swift-crypto checks signatures of digests.
struct GivenDigest: Digest {
  static let byteCount = SHA256.byteCount

  let digest: Digest256

  var description: String { digest.description }
  func makeIterator() -> Array<UInt8>.Iterator { digest.bytes.makeIterator() }
  func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try digest.bytes.withUnsafeBytes(body)
  }
}
