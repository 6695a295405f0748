// SPDX-License-Identifier: Apache-2.0

/// Domain names as they are compared: without regard to case, and without the dot that may end them.
public enum DomainName {
  /// The longest as text.
  public static let byteCountMax = 253

  /// In lower case, without a dot at its end.
  public static func normalized(_ name: some Collection<UInt8>) -> [UInt8] {
    let bytes = name.map(lowercased)
    return bytes.last == UInt8(ascii: ".") ? bytes.dropLast() : bytes
  }

  /// The same letter as a small one, if it is a letter.
  public static func lowercased(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
  }
}
