// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletTesting
import Testing

@testable import MartletState

@Suite("Answers of resolvers")
struct AnswerReaderTests {
  private struct Reading: Equatable {
    var name: String
    var addresses: [String]
    var lifetime: UInt32
  }

  private static func read(_ bytes: [UInt8], isCut: Bool = false) -> Reading? {
    let reader = AnswerReader()
    return bytes.withUnsafeBufferPointer { buffer in
      let view = buffer.baseAddress.map { ByteView(start: $0, count: buffer.count) } ?? .empty
      return reader.read(view, isCut: isCut).map { answer in
        Reading(
          name: answer.name.string, addresses: answer.addresses.map(\.description), lifetime: answer.lifetimeSeconds)
      }
    }
  }

  private static func message(_ name: String, _ count: UInt16, _ fill: (inout TestMessage) -> Void) -> [UInt8] {
    var message = TestMessage(answering: name, recordCount: count)
    fill(&message)
    return message.bytes
  }

  static let plainMessage = message("www.Example.ORG", 2) {
    $0.add("192.0.2.1", lifetime: 70)
    $0.add("2001:db8::1", lifetime: 50)
  }

  @Test("the name of the question, all addresses, the shortest lifetime")
  func plain() {
    let wanted = Reading(name: "www.example.org", addresses: ["192.0.2.1", "2001:db8::1"], lifetime: 50)
    #expect(Self.read(Self.plainMessage) == wanted)
    #expect(Self.read(Self.plainMessage + [1, 2, 3]) == wanted, "what follows is not looked at")
  }

  @Test("aliases are followed in their order, and only within the answer")
  func aliases() {
    let chain = Self.message("a.example", 4) {
      $0.add(TestMessage.pointer(12), type: 5, lifetime: 9, data: TestMessage.name("b.example"))
      $0.add(TestMessage.name("B.example"), type: 5, data: TestMessage.name("c.example"))
      $0.add("192.0.2.7", of: TestMessage.name("c.example"))
      $0.add("192.0.2.8", of: TestMessage.name("other.example"))
    }
    #expect(Self.read(chain) == Reading(name: "a.example", addresses: ["192.0.2.7"], lifetime: 9))
    let backwards = Self.message("a.example", 2) {
      $0.add("192.0.2.7", of: TestMessage.name("b.example"))
      $0.add(TestMessage.pointer(12), type: 5, data: TestMessage.name("b.example"))
    }
    #expect(Self.read(backwards)?.addresses == [])
    let circle = Self.message("a.example", 3) {
      $0.add(TestMessage.pointer(12), type: 5, data: TestMessage.name("b.example"))
      $0.add(TestMessage.name("b.example"), type: 5, data: TestMessage.name("a.example"))
      $0.add("192.0.2.7")
    }
    #expect(Self.read(circle)?.addresses == ["192.0.2.7"])
  }

  @Test("other records, classes and sizes of addresses are passed over")
  func others() {
    let bytes = Self.message("a.example", 4) {
      $0.add(TestMessage.pointer(12), type: 16, lifetime: 1, data: [1, 65])
      $0.add(TestMessage.pointer(12), type: 1, lifetime: 1, class: 3, data: [192, 0, 2, 1])
      $0.add(TestMessage.pointer(12), type: 1, lifetime: 1, data: [192, 0, 2])
      $0.add("192.0.2.9")
    }
    #expect(Self.read(bytes) == Reading(name: "a.example", addresses: ["192.0.2.9"], lifetime: 300))
  }

  @Test("a lifetime with its highest bit set is none")
  func lifetime() {
    #expect(Self.read(Self.message("a.example", 1) { $0.add("192.0.2.9", lifetime: 1 << 31) })?.lifetime == 0)
  }

  static let brokenMessages: [(String, [UInt8])] = [
    ("no header", Array(plainMessage.prefix(11))), ("a question", changed(2, 0x01)),
    ("another opcode", changed(2, 0x91)),
    ("a failure", changed(3, 0x83)), ("no question", changed(5, 0)), ("two questions", changed(5, 2)),
    ("more records than there are", changed(7, 3)), ("a part that is too long", changed(12, 64)),
    ("a name that points to itself", changed(12, 0xc0, 12)), ("a name that points ahead", changed(12, 0xc0, 40)),
    ("a dot within a part", changed(13, UInt8(ascii: "."))), ("a zero byte within a part", changed(13, 0)),
    ("an address beyond the end", Array(plainMessage.dropLast())), ("only a header", Array(plainMessage.prefix(12))),
    ("a name without end", Array(plainMessage.prefix(20))),
    (
      "an alias whose name goes on behind its record",
      message("a.example", 1) {
        $0.add(TestMessage.pointer(12), type: 5, data: [1, UInt8(ascii: "b")])
        $0.bytes += [0]
      }
    ),
    (
      "a name that is too long",
      message(Array(repeating: String(repeating: "a", count: 50), count: 5).joined(separator: "."), 0) { _ in }
    ),
  ]

  private static func changed(_ place: Int, _ values: UInt8...) -> [UInt8] {
    var bytes = plainMessage
    bytes.replaceSubrange(place..<(place + values.count), with: values)
    return bytes
  }

  @Test("what is not as it should be is no answer", arguments: brokenMessages)
  func broken(what: String, bytes: [UInt8]) {
    #expect(Self.read(bytes) == nil)
  }

  @Test("of an answer that was cut, what is whole counts")
  func cut() {
    #expect(Self.read(Array(Self.plainMessage.dropLast()), isCut: true)?.addresses == ["192.0.2.1"])
    #expect(Self.read(Array(Self.plainMessage.prefix(20)), isCut: true) == nil)
  }

  @Test("names point to names that point to names, up to a limit")
  func pointers() {
    for (length, isRead) in [(AnswerReader.pointerCountMax, true), (AnswerReader.pointerCountMax + 1, false)] {
      // In the data of a record: a name, then pointers, each to the one before it. The next record is the last one's.
      let bytes = Self.message("a", 2) {
        let first = $0.bytes.count + 12
        var data = TestMessage.pointer(12)
        for step in 1..<(length - 1) { data += TestMessage.pointer(first + (step - 1) * 2) }
        $0.add(TestMessage.pointer(12), type: 16, data: data)
        $0.add("192.0.2.1", of: TestMessage.pointer(first + (length - 2) * 2))
      }
      #expect((Self.read(bytes)?.addresses == ["192.0.2.1"]) == isRead)
    }
  }

  @Test("no more records and addresses are looked at than the limits say")
  func limits() {
    let many = AnswerReader.recordCountMax + 1
    let addresses = Self.message("a.example", UInt16(many)) {
      for index in 0..<many { $0.add("192.0.2.\(index)") }
    }
    #expect(Self.read(addresses)?.addresses.count == AnswerReader.addressCountMax)
    let texts = Self.message("a.example", UInt16(many)) {
      for _ in 1..<many { $0.add(TestMessage.pointer(12), type: 16, data: [0]) }
      $0.add("192.0.2.1")
    }
    #expect(Self.read(texts)?.addresses == [])
  }

  @Test("any damage is read without harm, and says nothing outside of the bounds", arguments: 1...8)
  func damaged(seed: Int) {
    var generator = SeededGenerator(seed: UInt64(seed))
    var original = TestMessage(answering: "www.example.org", recordCount: 3)
    original.add(TestMessage.pointer(12), type: 5, data: TestMessage.name("b.example"))
    original.add("192.0.2.1", of: TestMessage.name("b.example"))
    original.add("2001:db8::1", of: TestMessage.pointer(16))
    var readCount = 0
    for _ in 0..<5000 {
      var bytes = original.bytes
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let place = Int.random(in: bytes.indices, using: &generator)
        bytes[place] =
          [0, 1, 5, 12, 28, 0x3f, 0x40, 0xc0, 0xff, .random(in: 0...255, using: &generator)]
          .randomElement(using: &generator) ?? 0
      }
      if Bool.random(using: &generator) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator)) }
      guard let reading = Self.read(bytes, isCut: .random(using: &generator)) else { continue }
      readCount += 1
      #expect(reading.name.utf8.count <= DomainName.byteCountMax)
      #expect(reading.addresses.count <= AnswerReader.addressCountMax)
    }
    #expect(readCount > 0)
  }
}
