// SPDX-License-Identifier: Apache-2.0

/// Moments as Docker's engine writes them: `2026-11-21T15:44:48.123456789Z`, with up to nine digits and any zone.
enum Timestamp {
  private static let form = Array("dddd-dd-ddTdd:dd:dd".utf8)
  private static let digits: ClosedRange<UInt8> = 0x30...0x39

  /// Nanoseconds since 1970; nil for another form, and for what lies before it or beyond the year 2200.
  static func nanoseconds(_ text: String) -> UInt64? {
    let bytes = Array(text.utf8)
    guard bytes.count > form.count, bytes.count < 64,
      zip(form, bytes).allSatisfy({ $0 == UInt8(ascii: "d") ? digits.contains($1) : $0 == $1 })
    else { return nil }
    let parts = [0..<4, 5..<7, 8..<10, 11..<13, 14..<16, 17..<19].map { number(bytes[$0]) }
    let (year, month, day) = (parts[0], parts[1], parts[2])
    guard (1970...2200).contains(year), (1...12).contains(month), (1...31).contains(day) else { return nil }
    var rest = bytes[form.count...]
    var fraction: Int64 = 0
    if rest.first == UInt8(ascii: ".") {
      let written = rest.dropFirst().prefix { digits.contains($0) }
      fraction = number(written.prefix(9) + [UInt8](repeating: 0x30, count: max(0, 9 - written.count)))
      rest = rest.dropFirst(1 + written.count)
    }
    guard let zone = zoneSeconds(rest) else { return nil }
    // Days since 1970 in the calendar whose year begins in March.
    let shifted = month > 2 ? year : year - 1
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    let days = 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    let seconds = days * 86_400 + parts[3] * 3600 + parts[4] * 60 + parts[5] - zone
    return seconds < 0 ? nil : UInt64(seconds) * 1_000_000_000 + UInt64(fraction)
  }

  private static func zoneSeconds(_ text: ArraySlice<UInt8>) -> Int64? {
    let text = Array(text)
    if text == [UInt8(ascii: "Z")] { return 0 }
    guard text.count == 6, text[3] == UInt8(ascii: ":"), [1, 2, 4, 5].allSatisfy({ digits.contains(text[$0]) }) else {
      return nil
    }
    let seconds = number(text[1..<3]) * 3600 + number(text[4..<6]) * 60
    switch text[0] {
    case UInt8(ascii: "+"): return seconds
    case UInt8(ascii: "-"): return -seconds
    default: return nil
    }
  }

  private static func number(_ digits: ArraySlice<UInt8>) -> Int64 { digits.reduce(0) { $0 * 10 + Int64($1 - 0x30) } }
}
