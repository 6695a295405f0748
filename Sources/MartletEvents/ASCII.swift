// SPDX-License-Identifier: Apache-2.0

/// Upper and lower case where only ASCII letters have one, as in the rule language.
public enum ASCII {
  @inlinable
  public static func lowercased(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
  }

  public static func lowercased(_ text: [UInt8]) -> [UInt8] { text.map { lowercased($0) } }

  /// Whether `needle`, which is in lower case, stands in `text` in any case. Quadratic at worst; needles are short.
  public static func contains(_ text: ByteView, lowercasedNeedle needle: ByteView) -> Bool {
    guard needle.count <= text.count else { return false }
    for start in 0...(text.count - needle.count) {
      var matched = 0
      while matched < needle.count, lowercased(text[start + matched]) == needle[matched] { matched += 1 }
      if matched == needle.count { return true }
    }
    return false
  }
}
