// SPDX-License-Identifier: Apache-2.0

/// The compiled probe, as bytes. Decoding takes some 0.2 ms, once.
///
/// Only text that `martlet-embed` wrote is read here, so there is nothing to be forgiving about.
func decodeBase64(_ text: StaticString) -> [UInt8] {
  var value = [UInt8](repeating: 0, count: 256)
  for (index, letter) in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8.enumerated() {
    value[Int(letter)] = UInt8(index)
  }
  let letters = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
  precondition(letters.count % 4 == 0, "the embedded probe is not whole")
  let padding = letters.suffix(2).count { $0 == UInt8(ascii: "=") }
  var bytes: [UInt8] = []
  bytes.reserveCapacity(letters.count / 4 * 3)
  for start in stride(from: 0, to: letters.count, by: 4) {
    let group = (0..<4).reduce(UInt32(0)) { $0 << 6 | UInt32(value[Int(letters[start + $1])]) }
    bytes.append(UInt8(truncatingIfNeeded: group >> 16))
    bytes.append(UInt8(truncatingIfNeeded: group >> 8))
    bytes.append(UInt8(truncatingIfNeeded: group))
  }
  bytes.removeLast(padding)
  return bytes
}
