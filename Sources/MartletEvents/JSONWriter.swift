// SPDX-License-Identifier: Apache-2.0

/// Writes JSON into a byte array. Names and paths are bytes that someone hostile may have chosen: what is not UTF-8
/// becomes U+FFFD and control characters are escaped, so that a line stays one line.
public struct JSONWriter: Sendable {
  public var bytes: [UInt8]
  private var needsComma = false

  public init(bytes: [UInt8] = []) {
    self.bytes = bytes
  }

  // MARK: - Structure

  public mutating func beginObject() { begin(UInt8(ascii: "{")) }
  public mutating func endObject() { end(UInt8(ascii: "}")) }
  public mutating func beginArray() { begin(UInt8(ascii: "[")) }
  public mutating func endArray() { end(UInt8(ascii: "]")) }

  /// A member's name. `name` must need no escaping.
  public mutating func key(_ name: StaticString) {
    separate()
    bytes.append(UInt8(ascii: "\""))
    append(ByteView(name))
    bytes.append(UInt8(ascii: "\""))
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  public mutating func key(_ name: [UInt8]) {
    separate()
    string(name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  /// What another writer wrote: members, or the name of one, which alone ends with a colon.
  public mutating func append(_ written: JSONWriter) {
    separate()
    written.bytes.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
    needsComma = written.bytes.last != UInt8(ascii: ":")
  }

  /// Between one document and the next.
  public mutating func endLine() {
    bytes.append(UInt8(ascii: "\n"))
    needsComma = false
  }

  // MARK: - Values

  public mutating func null() { literal("null") }
  public mutating func value(_ flag: Bool) { literal(flag ? "true" : "false") }

  public mutating func value(_ number: UInt64) {
    separate()
    appendDigits(number)
    needsComma = true
  }

  public mutating func value(_ number: Int64) {
    separate()
    if number < 0 { bytes.append(UInt8(ascii: "-")) }
    appendDigits(number.magnitude)
    needsComma = true
  }

  /// JSON has no way to write what is not finite: that becomes null.
  public mutating func value(_ number: Double) {
    guard number.isFinite else { return null() }
    separate()
    bytes += "\(number)".utf8
    needsComma = true
  }

  public mutating func value(_ text: ByteView) {
    separate()
    string(text)
    needsComma = true
  }

  public mutating func value(_ text: [UInt8]) {
    separate()
    string(text)
    needsComma = true
  }

  public mutating func value(_ text: String) { value(Array(text.utf8)) }

  /// What was written, as text; for short outputs.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  // MARK: - Bytes

  private mutating func appendEscaped(_ text: ByteView) {
    var position = 0
    var plainStart = 0
    while position < text.count {
      let byte = text[position]
      if byte >= 0x20 && byte < 0x7f && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") {
        position += 1
        continue
      }
      append(text.slice(from: plainStart, to: position))
      position = appendSpecial(text, at: position)
      plainStart = position
    }
    append(text.slice(from: plainStart, to: text.count))
  }

  private mutating func string(_ text: ByteView) {
    bytes.append(UInt8(ascii: "\""))
    appendEscaped(text)
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func string(_ text: [UInt8]) {
    text.withUnsafeBufferPointer { buffer in
      string(buffer.baseAddress.map { ByteView(start: $0, count: buffer.count) } ?? .empty)
    }
  }

  private mutating func append(_ text: ByteView) {
    bytes.append(contentsOf: UnsafeBufferPointer(start: text.start, count: text.count))
  }

  private mutating func appendDigits(_ number: UInt64) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: DecimalText.byteCountMax) { buffer in
      guard let start = buffer.baseAddress else { return }
      append(ByteView(start: start, count: DecimalText.write(number, at: start)))
    }
  }

  private mutating func literal(_ text: ByteView) {
    separate()
    append(text)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
  }

  private mutating func begin(_ bracket: UInt8) {
    separate()
    bytes.append(bracket)
    needsComma = false
  }

  private mutating func end(_ bracket: UInt8) {
    bytes.append(bracket)
    needsComma = true
  }

  /// Writes the character at `position` that cannot stand as it is, or that may not be one; returns what follows it.
  private mutating func appendSpecial(_ text: ByteView, at position: Int) -> Int {
    let byte = text[position]
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
    case 0x0a: append("\\n")
    case 0x0d: append("\\r")
    case 0x09: append("\\t")
    case 0..<0x20, 0x7f: appendHexEscape(byte)
    default:
      let (byteCount, isWhole) = UTF8Character.scan(text, at: position)
      // U+0080 to U+009F: some terminals take them as the beginning of a command.
      if isWhole, byte == 0xc2, text[position + 1] < 0xa0 {
        appendHexEscape(text[position + 1])
        return position + byteCount
      }
      append(isWhole ? text.slice(from: position, to: position + byteCount) : "\u{FFFD}")
      return position + byteCount
    }
    return position + 1
  }

  private mutating func appendHexEscape(_ byte: UInt8) {
    let digits: ByteView = "0123456789abcdef"
    append("\\u00")
    bytes.append(digits[Int(byte >> 4)])
    bytes.append(digits[Int(byte & 15)])
  }
}

/// Tells well-formed UTF-8 from other bytes.
enum UTF8Character {
  /// The character of two to four bytes at `position`: how many of its bytes are there and right, and whether these
  /// are all. A broken one counts as far as it could have become a character, and at least one byte.
  static func scan(_ text: ByteView, at position: Int) -> (byteCount: Int, isWhole: Bool) {
    let lead = text[position]
    let length: Int
    // No overlong forms, no surrogates, nothing above U+10FFFF.
    var second: ClosedRange<UInt8> = 0x80...0xbf
    switch lead {
    case 0xc2...0xdf: length = 2
    case 0xe0...0xef:
      length = 3
      second = lead == 0xe0 ? 0xa0...0xbf : lead == 0xed ? 0x80...0x9f : second
    case 0xf0...0xf4:
      length = 4
      second = lead == 0xf0 ? 0x90...0xbf : lead == 0xf4 ? 0x80...0x8f : second
    default: return (1, false)
    }
    for offset in 1..<length {
      let allowed = offset == 1 ? second : 0x80...0xbf
      guard position + offset < text.count, allowed.contains(text[position + offset]) else { return (offset, false) }
    }
    return (length, true)
  }
}
