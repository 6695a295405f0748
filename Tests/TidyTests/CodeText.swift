// SPDX-License-Identifier: Apache-2.0

/// Source text reduced to its code: comments and the contents of literals become spaces, line breaks stay.
///
/// Checks that look for braces or calls then need not know what a comment is. It understands nested comments, multi-line
/// and raw strings; an interpolation counts as part of its string, which no check here minds.
struct CodeText {
  enum Language {
    case swift, c
  }

  private let bytes: [UInt8]
  private let language: Language
  private var position = 0
  private var result: [UInt8] = []

  static func blanked(_ text: String, language: Language) -> String {
    var reader = CodeText(bytes: Array(text.utf8), language: language)
    reader.read()
    return String(decoding: reader.result, as: UTF8.self)
  }

  private init(bytes: [UInt8], language: Language) {
    self.bytes = bytes
    self.language = language
    result.reserveCapacity(bytes.count)
  }

  private mutating func read() {
    while position < bytes.count {
      if starts(with: "//") {
        blankLineComment()
      } else if starts(with: "/*") {
        blankBlockComment()
      } else if let hashes = stringStart() {
        blankString(hashes: hashes)
      } else if language == .c, bytes[position] == UInt8(ascii: "'") {
        blankQuoted(by: "'")
      } else {
        keep(1)
      }
    }
  }

  private func starts(with text: StaticString, at offset: Int = 0) -> Bool {
    let start = position + offset
    guard start + text.utf8CodeUnitCount <= bytes.count else { return false }
    return (0..<text.utf8CodeUnitCount).allSatisfy { bytes[start + $0] == text.utf8Start[$0] }
  }

  private mutating func keep(_ count: Int) {
    result += bytes[position..<min(position + count, bytes.count)]
    position += count
  }

  private mutating func blank(_ count: Int) {
    for byte in bytes[position..<min(position + count, bytes.count)] {
      result.append(byte == UInt8(ascii: "\n") ? byte : UInt8(ascii: " "))
    }
    position += count
  }

  private mutating func blankLineComment() {
    while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { blank(1) }
  }

  private mutating func blankBlockComment() {
    var depth = 0
    while position < bytes.count {
      if starts(with: "/*"), language == .swift || depth == 0 {
        depth += 1
        blank(2)
      } else if starts(with: "*/") {
        depth -= 1
        blank(2)
        if depth == 0 { return }
      } else {
        blank(1)
      }
    }
  }

  /// The number of `#` before a string that starts here; nil when none does.
  private func stringStart() -> Int? {
    var hashes = 0
    if language == .swift {
      while position + hashes < bytes.count, bytes[position + hashes] == UInt8(ascii: "#") { hashes += 1 }
    }
    return starts(with: "\"", at: hashes) ? hashes : nil
  }

  private mutating func blankString(hashes: Int) {
    keep(hashes)
    guard language == .swift else { return blankQuoted(by: "\"") }
    let isMultiline = starts(with: "\"\"\"")
    let quotes: StaticString = isMultiline ? "\"\"\"" : "\""
    keep(quotes.utf8CodeUnitCount)
    while position < bytes.count {
      if starts(with: quotes), hasHashes(hashes, at: quotes.utf8CodeUnitCount) {
        return keep(quotes.utf8CodeUnitCount + hashes)
      }
      if !isMultiline, bytes[position] == UInt8(ascii: "\n") { return }
      // In a raw string only a backslash with as many marks escapes.
      blank(bytes[position] == UInt8(ascii: "\\") && hasHashes(hashes, at: 1) ? 2 + hashes : 1)
    }
  }

  private func hasHashes(_ count: Int, at offset: Int) -> Bool {
    (0..<count).allSatisfy { starts(with: "#", at: offset + $0) }
  }

  private mutating func blankQuoted(by quote: StaticString) {
    keep(1)
    while position < bytes.count, !starts(with: quote), bytes[position] != UInt8(ascii: "\n") {
      blank(bytes[position] == UInt8(ascii: "\\") ? 2 : 1)
    }
    if starts(with: quote) { keep(1) }
  }
}
