// SPDX-License-Identifier: Apache-2.0

/// Reads protobuf's wire format field by field, as far as the messages of the runtime interface need it.
///
/// The runtime interface has hundreds of messages and the agent reads two dozen fields of them: these are picked out by
/// number, everything else is skipped. Nothing is copied but what is kept, and nothing nests by itself, so that a
/// hostile answer costs no more than its length.
struct WireReader {
  enum Value {
    case number(UInt64)
    case bytes(ArraySlice<UInt8>)
  }

  private var rest: ArraySlice<UInt8>

  init(_ message: ArraySlice<UInt8>) { rest = message }

  /// The next field; nil at the end, and from the first byte on that is not in the format.
  mutating func next() -> (field: UInt64, value: Value)? {
    guard let tag = number(), tag >> 3 > 0 else { return end() }
    let field = tag >> 3
    switch tag & 7 {
    case 0: return number().map { (field, .number($0)) } ?? end()
    case 1: return take(8).map { (field, .bytes($0)) } ?? end()
    case 2: return number().flatMap { take($0) }.map { (field, .bytes($0)) } ?? end()
    case 5: return take(4).map { (field, .bytes($0)) } ?? end()
    default: return end()
    }
  }

  private mutating func end() -> (field: UInt64, value: Value)? {
    rest = []
    return nil
  }

  private mutating func number() -> UInt64? {
    var result: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard let byte = rest.popFirst() else { return nil }
      result |= UInt64(byte & 0x7f) << shift
      if byte & 0x80 == 0 { return result }
    }
    return nil
  }

  private mutating func take(_ count: UInt64) -> ArraySlice<UInt8>? {
    guard count <= UInt64(rest.count) else { return nil }
    defer { rest = rest.dropFirst(Int(count)) }
    return rest.prefix(Int(count))
  }
}

extension ArraySlice<UInt8> {
  /// The first field of this number that is a text or a message; empty where there is none.
  func field(_ wanted: UInt64) -> ArraySlice<UInt8> { fields(wanted, countMax: 1).first ?? [] }

  /// The first fields of this number that are texts or messages: more of one kind than this nobody reads.
  func fields(_ wanted: UInt64, countMax: Int = 1024) -> [ArraySlice<UInt8>] {
    var reader = WireReader(self)
    var found: [ArraySlice<UInt8>] = []
    while found.count < countMax, let (field, value) = reader.next() {
      if field == wanted, case .bytes(let bytes) = value { found.append(bytes) }
    }
    return found
  }

  /// The last field of this number that is a number; 0 where there is none.
  func number(_ wanted: UInt64) -> UInt64 {
    var reader = WireReader(self)
    var found: UInt64 = 0
    while let (field, value) = reader.next() {
      if field == wanted, case .number(let number) = value { found = number }
    }
    return found
  }
}

/// Writes the few requests that there are.
struct WireWriter {
  private(set) var bytes: [UInt8] = []

  mutating func add(_ field: UInt8, _ text: [UInt8]) {
    bytes.append(field << 3 | 2)
    var length = text.count
    while length >= 0x80 {
      bytes.append(UInt8(length & 0x7f) | 0x80)
      length >>= 7
    }
    bytes.append(UInt8(length))
    bytes += text
  }

  mutating func add(_ field: UInt8, _ flag: Bool) { bytes += [field << 3, flag ? 1 : 0] }
}
