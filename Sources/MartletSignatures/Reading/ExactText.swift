// SPDX-License-Identifier: Apache-2.0

/// UTF-8 text that equals only itself, byte for byte.
///
/// `String` compares by canonical equivalence: the Kelvin sign equals the letter K there, and two spellings of `é` name
/// one file. Keys of JSON, names of files and identities of signers decide about trust and must not be that tolerant.
public struct ExactText: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
  /// The text in UTF-8. A file's name on disk may be any bytes but NUL and `/`.
  public let bytes: [UInt8]

  /// Text of these bytes.
  public init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

  /// Text of a string's UTF-8.
  public init(_ text: String) { bytes = Array(text.utf8) }

  /// Text as the source spells it.
  public init(stringLiteral value: StaticString) {
    bytes = value.withUTF8Buffer { Array($0) }
  }

  /// The text for people; bytes that are not UTF-8 become U+FFFD.
  public var description: String { String(decoding: bytes, as: UTF8.self) }
}

extension ExactText: Comparable {
  /// By bytes, which for UTF-8 is by code points.
  public static func < (left: ExactText, right: ExactText) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }
}
