// SPDX-License-Identifier: Apache-2.0

/// Numbers as decimal text, without allocating.
public enum DecimalText {
  /// Bytes that the longest number takes.
  public static let byteCountMax = 20

  /// Writes the digits at `destination`, which holds `byteCountMax` bytes; returns how many.
  public static func write(_ number: UInt64, at destination: UnsafeMutablePointer<UInt8>) -> Int {
    var digitCount = 1
    var rest = number / 10
    while rest > 0 {
      digitCount += 1
      rest /= 10
    }
    writePadded(number, digitCount: digitCount, at: destination)
    return digitCount
  }

  /// Writes exactly `digitCount` digits, zeros in front.
  public static func writePadded(_ number: UInt64, digitCount: Int, at destination: UnsafeMutablePointer<UInt8>) {
    var rest = number
    for position in stride(from: digitCount - 1, through: 0, by: -1) {
      destination[position] = UInt8(ascii: "0") + UInt8(rest % 10)
      rest /= 10
    }
  }
}

/// Moments as text, in UTC, without a calendar library and without allocating.
public enum TimeText {
  public static let timeOfDayByteCount = 18
  public static let dateTimeByteCount = 30

  private static let nanosecondsPerSecond: Int64 = 1_000_000_000
  private static let secondsPerDay: Int64 = 86_400

  /// `HH:MM:SS.nnnnnnnnn`: 18 bytes. `nanoseconds` since 1970, before it too.
  public static func writeTimeOfDay(nanoseconds: Int64, at destination: UnsafeMutablePointer<UInt8>) {
    let (seconds, fraction) = split(nanoseconds, by: nanosecondsPerSecond)
    let secondOfDay = UInt64(split(seconds, by: secondsPerDay).remainder)
    DecimalText.writePadded(secondOfDay / 3600, digitCount: 2, at: destination)
    destination[2] = UInt8(ascii: ":")
    DecimalText.writePadded(secondOfDay / 60 % 60, digitCount: 2, at: destination + 3)
    destination[5] = UInt8(ascii: ":")
    DecimalText.writePadded(secondOfDay % 60, digitCount: 2, at: destination + 6)
    destination[8] = UInt8(ascii: ".")
    DecimalText.writePadded(UInt64(fraction), digitCount: 9, at: destination + 9)
  }

  /// RFC 3339, `YYYY-MM-DDTHH:MM:SS.nnnnnnnnnZ`: 30 bytes. Any 64-bit moment has a four-digit year.
  public static func writeDateTime(nanoseconds: Int64, at destination: UnsafeMutablePointer<UInt8>) {
    let days = split(split(nanoseconds, by: nanosecondsPerSecond).quotient, by: secondsPerDay).quotient
    let date = civilDate(daysSince1970: days)
    DecimalText.writePadded(UInt64(date.year), digitCount: 4, at: destination)
    destination[4] = UInt8(ascii: "-")
    DecimalText.writePadded(UInt64(date.month), digitCount: 2, at: destination + 5)
    destination[7] = UInt8(ascii: "-")
    DecimalText.writePadded(UInt64(date.day), digitCount: 2, at: destination + 8)
    destination[10] = UInt8(ascii: "T")
    writeTimeOfDay(nanoseconds: nanoseconds, at: destination + 11)
    destination[29] = UInt8(ascii: "Z")
  }

  private static func split(_ value: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }

  /// The Gregorian date. Counts in eras of 400 years that begin on 1 March, so that the leap day ends a year.
  private static func civilDate(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let daysFromEraStart: Int64 = 719_468
    let (era, dayOfEra) = split(days + daysFromEraStart, by: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }
}

/// Numbers as hexadecimal text, without allocating.
public enum HexText {
  /// Bytes that the longest number takes.
  public static let byteCountMax = 16

  /// Writes the digits, in small letters, at `destination`, which holds `byteCountMax` bytes; returns how many.
  public static func write(_ number: UInt64, at destination: UnsafeMutablePointer<UInt8>) -> Int {
    let digitCount = max(1, (UInt64.bitWidth - number.leadingZeroBitCount + 3) / 4)
    for position in 0..<digitCount {
      let digit = UInt8(truncatingIfNeeded: number >> UInt64(4 * (digitCount - 1 - position)) & 0xf)
      destination[position] = digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
    }
    return digitCount
  }
}
