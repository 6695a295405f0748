// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import MartletEvents

/// Puts a text together in a context's scratch memory. What does not fit is left out.
///
/// The memory holds two of the longest texts, so that a comparison of two can be made; a third overwrites the first.
struct ContextText {
  /// Longer than the longest: the command line and all parameters of an exec.
  static let byteCountMax = 3 * Int(MARTLET_RECORD_BYTES_MAX)

  private let start: UnsafeMutablePointer<UInt8>
  private(set) var count = 0

  init(at start: UnsafeMutablePointer<UInt8>) { self.start = start }

  var view: ByteView { ByteView(start: start, count: count) }

  mutating func append(_ bytes: ByteView) {
    let fitting = min(bytes.count, Self.byteCountMax - count)
    (start + count).update(from: bytes.start, count: fitting)
    count += fitting
  }

  mutating func append(byte: UInt8) {
    guard count < Self.byteCountMax else { return }
    start[count] = byte
    count += 1
  }

  mutating func append(_ number: Int64) {
    if number < 0 { append("-") }
    append(number.magnitude)
  }

  mutating func append(_ number: UInt64) {
    guard Self.byteCountMax - count >= DecimalText.byteCountMax else { return }
    count += DecimalText.write(number, at: start + count)
  }

  /// Digits to a base that is a power of two, of at most 16; upper case.
  mutating func append(_ number: UInt64, bitsPerDigit: UInt64) {
    var shift: UInt64 = 0
    while shift + bitsPerDigit < 64, number >> (shift + bitsPerDigit) > 0 { shift += bitsPerDigit }
    while true {
      let digit = UInt8((number >> shift) & (1 << bitsPerDigit - 1))
      append(byte: digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10)
      if shift == 0 { return }
      shift -= bitsPerDigit
    }
  }

  /// As Falco shows bytes: a dot for what cannot be printed.
  mutating func append(printable bytes: ByteView) {
    for index in 0..<bytes.count {
      let byte = bytes[index]
      append(byte: (0x20...0x7e).contains(byte) ? byte : UInt8(ascii: "."))
    }
  }

  /// `YYYY-MM-DD HH:MM:SS.nnnnnnnnn +0000`, of nanoseconds since 1970.
  mutating func append(dateTime nanoseconds: UInt64) {
    guard Self.byteCountMax - count >= 64 else { return }
    TimeText.writeDateTime(nanoseconds: Int64(truncatingIfNeeded: nanoseconds), at: start + count)
    start[count + 10] = UInt8(ascii: " ")
    // Without the `Z`.
    count += TimeText.dateTimeByteCount - 1
    append(" +0000")
  }

  /// Takes away what is behind the first `length` bytes.
  mutating func cut(to length: Int) { count = min(count, length) }

  mutating func append(address: IPAddress, port: UInt16) {
    // The longest address, and the longest port behind a colon.
    guard Self.byteCountMax - count >= 64 else { return }
    count += address.write(to: start + count)
    append(":")
    append(UInt64(port))
  }
}

extension EventContext {
  /// A text to be put together; one at a time, then handed to `end`.
  mutating func beginText() -> ContextText {
    guard let scratch else { preconditionFailure("a context without scratch memory makes no texts") }
    if textCount > ContextText.byteCountMax { textCount = 0 }
    return ContextText(at: scratch.texts + textCount)
  }

  /// The text as it is now. Holds until two more have been made.
  mutating func end(_ text: ContextText) -> ByteView {
    textCount += text.count
    return text.view
  }
}
