// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import Testing

@Suite("Addresses and networks")
struct AddressTests {
  @Test(
    "an address prints as it is written in short",
    arguments: [
      ("10.0.0.1", "10.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("2001:db8:0:0::1", "2001:db8::1"), ("::", "::"),
      ("::ffff:203.0.113.7", "203.0.113.7"), ("fd00:ec2::254", "fd00:ec2::254"),
    ])
  func text(written: String, short: String) throws {
    #expect(try #require(IPAddress(text: written)).description == short)
  }

  @Test("other texts are no addresses", arguments: ["", "10.0.0", "10.0.0.256", "localhost", "10.0.0.1/8", "::1%lo"])
  func noAddress(text: String) {
    #expect(IPAddress(text: text) == nil)
  }

  @Test(
    "a network holds exactly its own addresses",
    arguments: [
      ("10.0.0.0/8", "10.255.255.255", true), ("10.0.0.0/8", "11.0.0.0", false),
      ("10.1.2.3/8", "10.9.9.9", true), ("0.0.0.0/0", "203.0.113.7", true), ("0.0.0.0/0", "::1", false),
      ("203.0.113.7/32", "203.0.113.7", true), ("203.0.113.7/32", "203.0.113.6", false),
      ("10.0.0.0/8", "::ffff:10.1.1.1", true), ("fc00::/7", "fdff::1", true), ("fc00::/7", "fe80::1", false),
      ("2001:db8::/65", "2001:db8::7fff:0:0:1", true), ("2001:db8::/65", "2001:db8::8000:0:0:1", false),
      ("::1/128", "::1", true), ("::1/128", "::2", false), ("::/0", "2001:db8::1", true),
    ])
  func contains(network: String, address: String, expected: Bool) throws {
    let range = try #require(IPNetwork(text: network))
    #expect(range.contains(try #require(IPAddress(text: address))) == expected)
  }

  @Test(
    "other texts are no networks",
    arguments: ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "::/129", "/8", "a/8", "10.0.0.0/+8"])
  func noNetwork(text: String) {
    #expect(IPNetwork(text: text) == nil)
  }
}

@Suite("Texts of bytes, numbers and moments")
struct TextTests {
  private func view<Result>(_ text: String, _ body: (ByteView) -> Result) -> Result {
    Array(text.utf8).withUnsafeBufferPointer {
      body($0.baseAddress.map { ByteView(start: $0, count: text.utf8.count) } ?? .empty)
    }
  }

  @Test(
    "contains finds what is there",
    arguments: [
      ("abcabd", "abd", true), ("abcabc", "abd", false), ("a", "", true), ("", "a", false), ("", "", true),
      ("aaab", "aab", true), ("xyz", "xyz", true), ("xyz", "xyzz", false), ("aaaaaaaa", "b", false), ("ab", "b", true),
    ])
  func contains(text: String, needle: String, expected: Bool) {
    #expect(view(text) { text in view(needle) { text.contains($0) } } == expected)
  }

  @Test("prefix, suffix, order and index")
  func views() {
    view("/etc/shadow") { text in
      #expect(
        text.hasPrefix("/etc") && !text.hasPrefix("/etc/shadow/") && text.hasSuffix("shadow")
          && !text.hasSuffix("x/etc/shadow"))
      #expect(text.firstIndex(of: UInt8(ascii: "/")) == 0 && text.lastIndex(of: UInt8(ascii: "/")) == 4)
      #expect(text.firstIndex(of: UInt8(ascii: "z")) == nil && text.lastIndex(of: UInt8(ascii: "z")) == nil)
      #expect(text.compare("/etc") > 0 && text.compare("/etc/shadow") == 0 && text.compare("/f") < 0)
      #expect(text.slice(from: 5, to: 99).string == "shadow" && text.slice(from: 9, to: 2).isEmpty)
    }
  }

  @Test("the last place of a byte, wherever it stands among how many")
  func lastIndex() {
    for count in 0...40 {
      for place in -1..<count {
        // Neighbours that differ in one bit, and an earlier one.
        var bytes = (0..<count).map { [0x2e, 0x2f ^ 0x80, 0x30][$0 % 3] as UInt8 }
        if place >= 0 { bytes[place] = 0x2f }
        if place > 3 { bytes[place - 3] = 0x2f }
        let found = bytes.withUnsafeBufferPointer { buffer in
          buffer.baseAddress.map { ByteView(start: $0, count: count).lastIndex(of: 0x2f) } ?? nil
        }
        #expect(found == (place >= 0 ? place : nil))
      }
    }
  }

  @Test(
    "a moment is written as RFC 3339",
    arguments: [
      (0, "1970-01-01T00:00:00.000000000Z"), (951_782_400_000_000_001, "2000-02-29T00:00:00.000000001Z"),
      (1_470_327_116_746_609_046, "2016-08-04T16:11:56.746609046Z"), (-1, "1969-12-31T23:59:59.999999999Z"),
      (Int64.max, "2262-04-11T23:47:16.854775807Z"), (Int64.min, "1677-09-21T00:12:43.145224192Z"),
      (4_107_542_399_000_000_000, "2100-02-28T23:59:59.000000000Z"),
      (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000000Z"),
    ] as [(Int64, String)])
  func moment(nanoseconds: Int64, expected: String) {
    var bytes = [UInt8](repeating: 0, count: TimeText.dateTimeByteCount)
    bytes.withUnsafeMutableBufferPointer { TimeText.writeDateTime(nanoseconds: nanoseconds, at: $0.baseAddress!) }
    #expect(String(decoding: bytes, as: UTF8.self) == expected)
  }

  @Test("a number is written in full", arguments: [0, 9, 10, 65_535, UInt64.max])
  func number(_ number: UInt64) {
    var bytes = [UInt8](repeating: 0, count: DecimalText.byteCountMax)
    let count = bytes.withUnsafeMutableBufferPointer { DecimalText.write(number, at: $0.baseAddress!) }
    #expect(String(decoding: bytes[..<count], as: UTF8.self) == "\(number)")
  }

  @Test("an error number has its name")
  func errorName() {
    #expect("\(ErrorNumber.name(ofResult: -2))" == "ENOENT" && "\(ErrorNumber.name(ofResult: -115))" == "EINPROGRESS")
    for result in [0, 1, -99_999, .min, .max, -2 - 1 << 32] as [Int64] {
      #expect("\(ErrorNumber.name(ofResult: result))" == "EUNKNOWN")
    }
  }
}

@Suite("Event types")
struct EventTypeTests {
  @Test("a set and its complement share nothing and miss nothing")
  func complement() {
    let opens: EventTypeSet = [EventTypeSet(.open), EventTypeSet(.openat)]
    #expect(opens.contains(.openat) && !opens.contains(.connect))
    #expect(opens.complement.intersection(opens).isEmpty && opens.complement.union(opens) == .all)
  }

  @Test("three values negate as Kleene says")
  func negation() {
    #expect(!Truth.isTrue == .isFalse && !Truth.isFalse == .isTrue && !Truth.isUnknown == .isUnknown)
  }
}
