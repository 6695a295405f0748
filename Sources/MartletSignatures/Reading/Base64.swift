// SPDX-License-Identifier: Apache-2.0

/// Base 64, strictly: no spaces, no bits that are dropped. DSSE allows the URL-safe alphabet beside the standard one.
enum Base64 {
  /// The bytes, or nothing where the text is not base 64.
  static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    var body = Array(text)
    let padding = body.reversed().prefix { $0 == UInt8(ascii: "=") }.count
    body.removeLast(padding)
    // Padding is whole or left out.
    guard padding <= 2, padding == 0 || (body.count + padding) % 4 == 0, body.count % 4 != 1 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(body.count / 4 * 3 + 2)
    var window: UInt32 = 0
    var bits = 0
    for byte in body {
      guard let value = value(byte) else { return nil }
      window = window << 6 | UInt32(value)
      bits += 6
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(truncatingIfNeeded: window >> bits))
      }
    }
    guard window & (1 << bits - 1) == 0 else { return nil }
    return bytes
  }

  private static func value(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
    case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
    default: nil
    }
  }

  /// The standard alphabet, padded.
  static func encode(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let window = group.reduce(0) { $0 << 8 | UInt32($1) } << (8 * (3 - UInt32(group.count)))
      for position in 0..<4 {
        let digit = alphabet[Int(window >> (18 - 6 * UInt32(position)) & 63)]
        text.append(position <= group.count ? digit : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
