// SPDX-License-Identifier: Apache-2.0

import Glibc

/// fnmatch(3) with no flags in the C locale, over bytes that end where they end.
///
/// Goes back to the last `*` only, which is enough for globs: time is at most text times pattern, where a recursive
/// fnmatch can be made to take exponential time by the text.
public enum Glob {
  /// Whether the pattern matches itself and nothing else.
  public static func isPlain(_ pattern: ByteView) -> Bool {
    !pattern.array.contains {
      [UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "["), UInt8(ascii: "\\")].contains($0)
    }
  }

  public static func matches(_ pattern: ByteView, _ text: ByteView, ignoresCase: Bool) -> Bool {
    var position = 0
    var place = 0
    var retryPlace = -1
    var retryPosition = 0
    while position < text.count {
      if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
        retryPlace = place
        retryPosition = position
        place += 1
      } else if place < pattern.count,
        let next = step(pattern, place, text[position], ignoresCase: ignoresCase)
      {
        place = next
        position += 1
      } else if retryPlace >= 0 {
        retryPosition += 1
        position = retryPosition
        place = retryPlace + 1
      } else {
        return false
      }
    }
    while place < pattern.count, pattern[place] == UInt8(ascii: "*") { place += 1 }
    return place == pattern.count
  }

  /// Where the pattern goes on if its element at `place` takes `byte`; nil if it does not.
  private static func step(_ pattern: ByteView, _ place: Int, _ byte: UInt8, ignoresCase: Bool) -> Int? {
    switch pattern[place] {
    case UInt8(ascii: "?"): return place + 1
    case UInt8(ascii: "["):
      if let (isMatch, next) = bracket(pattern, place, byte, ignoresCase: ignoresCase) { return isMatch ? next : nil }
      return byte == UInt8(ascii: "[") ? place + 1 : nil
    case UInt8(ascii: "\\"):
      // A backslash at the end escapes nothing, and then nothing matches.
      guard place + 1 < pattern.count else { return nil }
      return equal(pattern[place + 1], byte, ignoresCase: ignoresCase) ? place + 2 : nil
    case let literal: return equal(literal, byte, ignoresCase: ignoresCase) ? place + 1 : nil
    }
  }

  @inline(__always)
  private static func equal(_ left: UInt8, _ right: UInt8, ignoresCase: Bool) -> Bool {
    left == right || ignoresCase && ASCII.lowercased(left) == ASCII.lowercased(right)
  }

  /// Whether the bracket expression at `start` takes `byte`, and where it ends; nil if it is never closed, and the
  /// bracket is a plain character then.
  private static func bracket(
    _ pattern: ByteView, _ start: Int, _ byte: UInt8, ignoresCase: Bool
  ) -> (Bool, Int)? {
    let subject = ignoresCase ? ASCII.lowercased(byte) : byte
    var place = start + 1
    var isNegated = false
    if place < pattern.count, pattern[place] == UInt8(ascii: "!") || pattern[place] == UInt8(ascii: "^") {
      isNegated = true
      place += 1
    }
    var isFound = false
    var isFirst = true
    while place < pattern.count {
      if pattern[place] == UInt8(ascii: "]"), !isFirst { return (isFound != isNegated, place + 1) }
      isFirst = false
      if let (isMatch, next) = characterClass(pattern, place, byte) {
        isFound = isFound || isMatch
        place = next
        continue
      }
      guard let low = element(pattern, &place, ignoresCase: ignoresCase) else { return nil }
      var high = low
      let isRange =
        place + 1 < pattern.count && pattern[place] == UInt8(ascii: "-") && pattern[place + 1] != UInt8(ascii: "]")
      if isRange {
        place += 1
        guard let end = element(pattern, &place, ignoresCase: ignoresCase) else { return nil }
        high = end
      }
      if low <= subject && subject <= high { isFound = true }
    }
    return nil
  }

  /// `[:alpha:]` and its kin, as the C locale has them: whether it takes `byte`, and where it ends.
  private static func characterClass(_ pattern: ByteView, _ start: Int, _ byte: UInt8) -> (Bool, Int)? {
    guard pattern.slice(from: start, to: start + 2) == "[:" else { return nil }
    let rest = pattern.slice(from: start + 2, to: pattern.count)
    guard let length = rest.firstIndex(of: UInt8(ascii: ":")), length + 1 < rest.count,
      rest[length + 1] == UInt8(ascii: "]")
    else { return nil }
    let character = Int32(byte)
    let isMatch: Bool
    switch rest.slice(from: 0, to: length) {
    case "alnum": isMatch = isalnum(character) != 0
    case "alpha": isMatch = isalpha(character) != 0
    case "blank": isMatch = isblank(character) != 0
    case "cntrl": isMatch = iscntrl(character) != 0
    case "digit": isMatch = isdigit(character) != 0
    case "graph": isMatch = isgraph(character) != 0
    case "lower": isMatch = islower(character) != 0
    case "print": isMatch = isprint(character) != 0
    case "punct": isMatch = ispunct(character) != 0
    case "space": isMatch = isspace(character) != 0
    case "upper": isMatch = isupper(character) != 0
    case "xdigit": isMatch = isxdigit(character) != 0
    default: return nil
    }
    return (isMatch, start + 2 + length + 2)
  }

  private static func element(_ pattern: ByteView, _ place: inout Int, ignoresCase: Bool) -> UInt8? {
    if pattern[place] == UInt8(ascii: "\\") { place += 1 }
    guard place < pattern.count else { return nil }
    defer { place += 1 }
    return ignoresCase ? ASCII.lowercased(pattern[place]) : pattern[place]
  }
}
