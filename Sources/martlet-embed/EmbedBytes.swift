// SPDX-License-Identifier: Apache-2.0

/// Writes a file as a string in base64.
///
/// Not as an array: the compiler spends 9.3 s and 414 MB on 129 KB of `[UInt8]` literal, 0.06 s on the string; decoding
/// takes 0.2 ms at start.
func embedBytes(name: String, file: String, output: String) throws {
  try writeFile(
    output,
    """
    // SPDX-License-Identifier: Apache-2.0
    // Made by martlet-embed.

    /// A file of the source tree, in base64.
    let \(name): StaticString = "\(base64(try readFile(file)))"

    """)
}

func base64(_ bytes: [UInt8]) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var text: [UInt8] = []
  text.reserveCapacity((bytes.count + 2) / 3 * 4)
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let group = (0..<3).reduce(UInt32(0)) { bits, index in
      bits << 8 | (start + index < bytes.count ? UInt32(bytes[start + index]) : 0)
    }
    for index in 0..<4 {
      let isPadding = start + index > bytes.count
      text.append(isPadding ? UInt8(ascii: "=") : alphabet[Int(group >> UInt32(18 - 6 * index)) & 63])
    }
  }
  return String(decoding: text, as: UTF8.self)
}
