// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Reads what a resolver answered: which name was asked for, and which addresses it leads to.
///
/// The bytes come from the network and say what their sender likes. Nothing is read outside of them, names that point
/// back and forth end, and what is not as it should be makes no answer. Aliases are followed within the one message, in
/// its order, as programs do. No allocation but for the memory that it begins with.
struct AnswerReader: ~Copyable {
  /// Valid until the next one is read.
  struct Answer {
    /// The name of the question, in lower case, without a dot at its end.
    let name: ByteView
    let addresses: UnsafeBufferPointer<IPAddress>
    /// The shortest that any part of the answer may be kept.
    let lifetimeSeconds: UInt32
  }

  static let recordCountMax = 64
  static let addressCountMax = 32
  /// Pointers on the way through one name.
  static let pointerCountMax = 32

  private static let headerByteCount = 12
  private static let nameByteCountMax = DomainName.byteCountMax
  private static let internetClass = 1

  private enum RecordType {
    static let address = 1
    static let alias = 5
    static let address6 = 28
  }

  private let asked = UnsafeMutablePointer<UInt8>.allocate(capacity: nameByteCountMax)
  /// Where the aliases have led so far.
  private let current = UnsafeMutablePointer<UInt8>.allocate(capacity: nameByteCountMax)
  private let owner = UnsafeMutablePointer<UInt8>.allocate(capacity: nameByteCountMax)
  private let addresses = UnsafeMutablePointer<IPAddress>.allocate(capacity: addressCountMax)

  deinit {
    asked.deallocate()
    current.deallocate()
    owner.deallocate()
    addresses.deallocate()
  }

  /// Nil for what is no answer to one question. `isCut`: the message goes on behind these bytes, so that what is missing
  /// at its end is no mistake.
  func read(_ message: ByteView, isCut: Bool) -> Answer? {
    guard message.count >= Self.headerByteCount, message[2] & 0xf8 == 0x80, message[3] & 0x0f == 0,
      Self.word(message, 4) == 1, let question = Self.name(in: message, at: Self.headerByteCount, to: asked),
      question.next + 4 <= message.count
    else { return nil }
    let name = ByteView(start: asked, count: question.count)
    var currentCount = question.count
    current.update(from: asked, count: currentCount)
    var addressCount = 0
    var lifetime = UInt32.max
    var position = question.next + 4
    for _ in 0..<min(Self.word(message, 6), Self.recordCountMax) {
      guard let record = Record(message, at: position, owner: owner) else {
        guard isCut else { return nil }
        break
      }
      position = record.end
      guard record.recordClass == Self.internetClass,
        ByteView(start: owner, count: record.ownerCount) == ByteView(start: current, count: currentCount)
      else { continue }
      if record.type == RecordType.alias {
        guard let alias = Self.name(in: message, at: record.data, to: current), alias.next == record.end else {
          return nil
        }
        currentCount = alias.count
      } else if let address = record.address(in: message), addressCount < Self.addressCountMax {
        (addresses + addressCount).initialize(to: address)
        addressCount += 1
      } else {
        continue
      }
      lifetime = min(lifetime, record.lifetimeSeconds)
    }
    return Answer(
      name: name, addresses: UnsafeBufferPointer(start: addresses, count: addressCount), lifetimeSeconds: lifetime)
  }

  private struct Record {
    let ownerCount: Int
    let type: Int
    let recordClass: Int
    let lifetimeSeconds: UInt32
    let data: Int
    let end: Int

    init?(_ message: ByteView, at start: Int, owner: UnsafeMutablePointer<UInt8>) {
      guard let name = AnswerReader.name(in: message, at: start, to: owner), name.next + 10 <= message.count else {
        return nil
      }
      ownerCount = name.count
      type = AnswerReader.word(message, name.next)
      recordClass = AnswerReader.word(message, name.next + 2)
      let lifetime = UInt32(AnswerReader.word(message, name.next + 4) << 16 | AnswerReader.word(message, name.next + 6))
      // What has the highest bit set counts as none at all.
      lifetimeSeconds = lifetime > UInt32(Int32.max) ? 0 : lifetime
      data = name.next + 10
      end = data + AnswerReader.word(message, name.next + 8)
      guard end <= message.count else { return nil }
    }

    func address(in message: ByteView) -> IPAddress? {
      let bytes = UnsafeRawBufferPointer(start: message.start + data, count: end - data)
      switch (type, bytes.count) {
      case (RecordType.address, 4): return IPAddress(v4Bytes: bytes)
      case (RecordType.address6, 16): return IPAddress(v6Bytes: bytes)
      default: return nil
      }
    }
  }

  private static func word(_ message: ByteView, _ place: Int) -> Int {
    Int(message[place]) << 8 | Int(message[place + 1])
  }

  /// The name that begins at `start`: its length as text, and where in the message something else follows. Nil where there
  /// is none, and for one that is not made of letters, digits, `-` and `_`: as text it could be taken for another.
  private static func name(
    in message: ByteView, at start: Int, to target: UnsafeMutablePointer<UInt8>
  ) -> (count: Int, next: Int)? {
    var position = start
    /// Pointers lead to what stands before, so that they cannot lead in circles.
    var limit = start
    var next: Int?
    var count = 0
    var pointerCount = 0
    while position < message.count {
      let length = Int(message[position])
      switch length >> 6 {
      case 0 where length == 0: return (count, next ?? position + 1)
      case 0:
        guard let longer = label(in: message, at: position + 1, length, to: target, count) else { return nil }
        count = longer
        position += 1 + length
      case 3:
        guard position + 1 < message.count, pointerCount < pointerCountMax else { return nil }
        next = next ?? position + 2
        position = word(message, position) & 0x3fff
        guard position < limit else { return nil }
        limit = position
        pointerCount += 1
      default: return nil
      }
    }
    return nil
  }

  /// Appends one part of a name; returns the new length.
  private static func label(
    in message: ByteView, at start: Int, _ length: Int, to target: UnsafeMutablePointer<UInt8>, _ count: Int
  ) -> Int? {
    var count = count
    guard start + length <= message.count, count + 1 + length <= nameByteCountMax else { return nil }
    if count > 0 {
      target[count] = UInt8(ascii: ".")
      count += 1
    }
    for index in 0..<length {
      let byte = DomainName.lowercased(message[start + index])
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
        UInt8(ascii: "_"):
        target[count] = byte
        count += 1
      default: return nil
      }
    }
    return count
  }
}
