// SPDX-License-Identifier: Apache-2.0

/// A 128-bit fingerprint that is the same in every run and on every machine (FNV-1a), unlike `Hasher`'s.
///
/// For telling things apart, not for protecting them: it is no cryptographic hash.
public struct StableHash: Equatable, Sendable {
  public private(set) var value: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d
  private static let prime: UInt128 = 0x0000_0000_0100_0000_0000_0000_0000_013b

  public init() {}

  /// Texts that follow each other do not run together: each is closed by its length.
  public mutating func combine(_ text: ByteView) {
    for index in 0..<text.count { combine(text[index]) }
    combine(UInt64(text.count))
  }

  public mutating func combine(_ number: UInt64) {
    for shift in stride(from: UInt64(0), to: 64, by: 8) { combine(UInt8(truncatingIfNeeded: number >> shift)) }
  }

  private mutating func combine(_ byte: UInt8) {
    value = (value ^ UInt128(byte)) &* Self.prime
  }

  /// 32 hexadecimal digits.
  public var hexadecimal: [UInt8] {
    let digits: ByteView = "0123456789abcdef"
    return [UInt8](unsafeUninitializedCapacity: 32) { text, count in
      for place in 0..<32 {
        text[place] = digits[Int(truncatingIfNeeded: value >> UInt128(124 - place * 4)) & 15]
      }
      count = 32
    }
  }
}
