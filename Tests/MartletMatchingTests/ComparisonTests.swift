// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletMatching
import MartletRules
import MartletState
import MartletTesting
import Testing

@Suite("What comparisons mean, by both engines")
struct ComparisonTests {
  private func expect(
    _ comparison: Comparison, on field: Field, _ values: [GivenEvent.Key: GivenEvent.Value], _ expected: Truth,
    sourceLocation: Testing.SourceLocation
  ) {
    var engines = Engines([.test(field, comparison)])
    let result = engines.match(GivenEvent(.openat, values))
    let wanted: MatchResult =
      switch expected {
      case .isTrue: .matched(RuleID(rawValue: 0), .spelled)
      case .isFalse: .none
      case .isUnknown: .undecided(RuleID(rawValue: 0))
      }
    #expect(result.reference == wanted, "reference", sourceLocation: sourceLocation)
    #expect(result.matcher == wanted, "matcher", sourceLocation: sourceLocation)
  }

  @Test(
    "texts",
    arguments: [
      (.equal(.text("/etc/shadow")), true), (.equal(.text("/etc/shado")), false), (.equal(.text("/ETC/shadow")), false),
      (.notEqual(.text("/etc/passwd")), true), (.notEqual(.text("/etc/shadow")), false), (.exists, true),
      (.less(.text("/f")), true), (.less(.text("/etc/shadow")), false), (.lessOrEqual(.text("/etc/shadow")), true),
      (.greater(.text("/etc")), true), (.greaterOrEqual(.text("/etc/shadowx")), false),
      (.isIn([]), false), (.isIn([.text("a"), .text("/etc/shadow")]), true),
      (.isIn([.text("a"), .text("b"), .text("c"), .text("d"), .text("e"), .text("/etc/shadow")]), true),
      (.isIn([.text("a"), .text("b"), .text("c"), .text("d"), .text("e"), .text("f")]), false),
      (.intersects([.text("/etc/shadow")]), true),
      (.contains(Array("tc/sh".utf8)), true), (.contains([]), true), (.contains(Array("TC".utf8)), false),
      (.containsIgnoringCase(Array("TC/Sh".utf8)), true), (.containsIgnoringCase(Array("tcsh".utf8)), false),
      (.startsWith(Array("/etc/".utf8)), true), (.startsWith(Array("etc".utf8)), false), (.startsWith([]), true),
      (.endsWith(Array("shadow".utf8)), true), (.endsWith(Array("/etc/shadow/".utf8)), false), (.endsWith([]), true),
      (.glob(Array("/etc/*".utf8)), true), (.glob(Array("*shadow".utf8)), true),
      (.glob(Array("/etc/sh?dow".utf8)), true),
      (.glob(Array("/etc".utf8)), false), (.glob(Array("*".utf8)), true), (.glob(Array("/*w".utf8)), true),
      (.glob(Array("/etc/[r-t]hadow".utf8)), true), (.glob(Array("/etc/[!s]hadow".utf8)), false),
      (.glob(Array("/etc/\\shadow".utf8)), true), (.glob(Array("/ETC/*".utf8)), false),
      (.globIgnoringCase(Array("/ETC/SHAD*".utf8)), true),
      (.pathMatch([Array("/etc".utf8)]), true), (.pathMatch([Array("/etc/".utf8)]), true),
      (.pathMatch([Array("/et".utf8)]), false), (.pathMatch([Array("/etc/shadow/x".utf8)]), false),
      (.pathMatch([Array("/etc//shadow".utf8)]), true), (.pathMatch([Array("/e*".utf8)]), true),
      (.pathMatch([Array("/*/*".utf8)]), true), (.pathMatch([Array("/*w".utf8)]), false),
      (.pathMatch([Array("/usr".utf8), Array("/etc/sha*".utf8)]), true), (.pathMatch([Array("/".utf8)]), true),
      (.pathMatch([[]]), true), (.pathMatch([]), false),
      (.regex(Array("/etc/s.*".utf8)), true), (.regex(Array("s.*".utf8)), false), (.regex(Array("/etc".utf8)), false),
      (.regex(Array("/(etc|usr)/[[:alpha:]]+".utf8)), true), (.regex(Array("/etc/.{6}".utf8)), true),
      (.regex([]), false), (.list(.anyOf, .regex, ["x", ".*shadow"]), true),
      (.list(.oneOf, .contains, ["etc", "usr"]), true), (.list(.oneOf, .contains, ["etc", "shadow"]), false),
      (.list(.oneOf, .contains, ["usr"]), false), (.list(.oneOf, .contains, []), false),
      (.list(.anyOf, .startsWith, ["/usr", "/etc"]), true), (.list(.anyOf, .endsWith, ["x"]), false),
      (.list(.anyOf, .glob, []), false), (.list(.allOf, .containsIgnoringCase, ["ETC", "Shadow"]), true),
      (.list(.allOf, .notEqual, ["a", "/etc/shadow"]), false), (.list(.allOf, .equal, []), false),
    ] as [(Comparison, Bool)])
  func texts(comparison: Comparison, expected: Bool) {
    expect(
      comparison, on: .fdNameRaw, [.init(.fdNameRaw): .text("/etc/shadow")], Truth(expected),
      sourceLocation: #_sourceLocation)
  }

  @Test("a regular expression sees characters, and invalid bytes as U+FFFD")
  func patterns() {
    let cases: [(String, [UInt8], Bool)] = [
      ("a.c", Array("aéc".utf8), true), ("a..c", Array("aéc".utf8), false), ("a.c", [0x61, 0xff, 0x63], true),
      ("a\u{fffd}c", [0x61, 0xff, 0x63], true), ("", [], true), (".*", [], true), (".", [], false),
    ]
    for (pattern, text, expected) in cases {
      expect(
        .regex(Array(pattern.utf8)), on: .processName, [.init(.processName): .text(text)], Truth(expected),
        sourceLocation: #_sourceLocation)
    }
  }

  @Test(
    "patterns that are no RE2 in POSIX syntax have a problem, good ones none",
    arguments: ["(", "[a", "\\d", "(?<=a)b", "a{9999}"])
  func badPatterns(pattern: String) {
    #expect(RegularExpression.problem(in: Array(pattern.utf8)) != nil)
    #expect(RegularExpression.problem(in: Array("^(a|b)[[:digit:]]+$".utf8)) == nil)
  }

  @Test("a pattern that takes others exponential time comes to an end here", .timeLimit(.minutes(5)))
  func patternBomb() {
    let text = [UInt8](repeating: UInt8(ascii: "a"), count: 4000)
    expect(
      .regex(Array("(a|aa)*(a*)*b".utf8)), on: .processName, [.init(.processName): .text(text)], .isFalse,
      sourceLocation: #_sourceLocation)
  }

  @Test(
    "numbers, flags and addresses",
    arguments: [
      (.fdNumber, .signed(3), .equal(.signed(3)), true), (.fdNumber, .signed(-1), .greaterOrEqual(.signed(0)), false),
      (.fdNumber, .signed(3), .less(.signed(4)), true), (.fdNumber, .signed(3), .isIn([.signed(1), .signed(3)]), true),
      (.userID, .unsigned(.max), .greater(.unsigned(0)), true),
      (.userID, .unsigned(0), .lessOrEqual(.unsigned(0)), true),
      (.eventIsOpenRead, .boolean(true), .equal(.boolean(true)), true),
      (.eventIsOpenRead, .boolean(false), .notEqual(.boolean(true)), true),
      (.fdServerAddress, .address(IPAddress(v4: 1)), .equal(.address(IPAddress(v4: 1))), true),
      (.fdServerAddress, .address(IPAddress(v4: 1)), .notEqual(.address(IPAddress(v6High: 0, low: 1))), true),
      (.fdServerNetwork, .address(IPAddress(v4: 0x0a01_0203)), .isIn([.network("10.0.0.0/8")]), true),
      (.fdServerNetwork, .address(IPAddress(v4: 0x0b01_0203)), .isIn([.network("10.0.0.0/8")]), false),
      (.fdServerNetwork, .address(IPAddress(v4: 0x0b01_0203)), .notEqual(.network("10.0.0.0/8")), true),
    ] as [(Field, GivenEvent.Value, Comparison, Bool)])
  func scalars(field: Field, value: GivenEvent.Value, comparison: Comparison, expected: Bool) {
    expect(comparison, on: field, [.init(field): value], Truth(expected), sourceLocation: #_sourceLocation)
  }

  @Test("a long list of numbers, addresses or networks holds what each of its items holds")
  func longLists() {
    var generator = SeededGenerator(seed: 11)
    func address() -> IPAddress {
      let low = UInt64.random(in: 0...0xffff, using: &generator)
      return Bool.random(using: &generator) ? IPAddress(v4: UInt32(low)) : IPAddress(v6High: low << 48, low: low)
    }
    func network() -> Constant? {
      let address = address()
      let bits = Int.random(in: address.bitCount / 2...address.bitCount, using: &generator)
      return IPNetwork(address: address, prefixBitCount: bits).map { .network($0) }
    }
    var held = 0
    for _ in 0..<60 {
      let places = (0..<200).map { _ in Int64.random(in: -300...300, using: &generator) }
      let lists: [(Field, [Constant], () -> GivenEvent.Value)] = [
        (.fdNumber, places.map { .signed($0) }, { .signed(Int64.random(in: -400...400, using: &generator)) }),
        (
          .userID, places.map { .unsigned(UInt64(bitPattern: $0)) },
          { .unsigned(UInt64(bitPattern: Int64.random(in: -400...400, using: &generator))) }
        ),
        (.fdServerAddress, (0..<50).map { _ in .address(address()) }, { .address(address()) }),
        (.fdServerNetwork, (0..<20).compactMap { _ in network() }, { .address(address()) }),
      ]
      for (field, constants, value) in lists {
        var engines = Engines([.test(field, .isIn(constants)), .test(field, .intersects(constants + constants))])
        for _ in 0..<20 {
          let event = GivenEvent(.openat, [.init(field): value()])
          let result = engines.match(event)
          #expect(result.matcher == result.reference, "\(field), \(event)")
          if result.reference != .none { held += 1 }
        }
      }
    }
    #expect(held > 200)
  }

  @Test("a network of all addresses holds each of its family, beside others that it covers")
  func allAddresses() throws {
    for (address, other) in [
      (IPAddress(v4: 1), IPAddress(v6High: 1, low: 1)), (IPAddress(v6High: 1, low: 1), IPAddress(v4: 1)),
    ] {
      let all = Constant.network(try #require(IPNetwork(address: address, prefixBitCount: 0)))
      let list = Comparison.isIn([all] + (1...9).map { .address(IPAddress(v4: $0 + 100)) })
      expect(
        list, on: .fdServerAddress, [.init(.fdServerAddress): .address(address)], .isTrue,
        sourceLocation: #_sourceLocation)
      expect(
        list, on: .fdServerAddress, [.init(.fdServerAddress): .address(other)], .isFalse,
        sourceLocation: #_sourceLocation)
    }
  }

  @Test("a missing value answers everything with no, a pending one with unknown")
  func absent() {
    let comparisons: [Comparison] = [
      .exists, .equal(.text("x")), .notEqual(.text("x")), .isIn([.text("x")]), .contains([]), .startsWith([]),
    ]
    for comparison in comparisons {
      expect(comparison, on: .processName, [:], .isFalse, sourceLocation: #_sourceLocation)
      expect(
        comparison, on: .processName, [.init(.processName): .pending], .isUnknown, sourceLocation: #_sourceLocation)
    }
  }

  @Test("without index any ancestor will do, the process itself is none of them")
  func ancestors() {
    let chain: [GivenEvent.Key: GivenEvent.Value] = [
      .init(.processAncestorName, .index(0)): .text("sh"), .init(.processAncestorName, .index(1)): .text("sshd"),
      .init(.processAncestorName, .index(2)): .text("systemd"),
    ]
    expect(.equal(.text("systemd")), on: .processAncestorName, chain, .isTrue, sourceLocation: #_sourceLocation)
    expect(.equal(.text("sh")), on: .processAncestorName, chain, .isFalse, sourceLocation: #_sourceLocation)
    expect(.notEqual(.text("sshd")), on: .processAncestorName, chain, .isTrue, sourceLocation: #_sourceLocation)
    expect(.exists, on: .processAncestorName, [:], .isFalse, sourceLocation: #_sourceLocation)
  }

  @Test("any of several names will do, but all have to differ")
  func names() {
    func names(_ names: GivenEvent.Value?...) -> [GivenEvent.Key: GivenEvent.Value] {
      var values: [GivenEvent.Key: GivenEvent.Value] = [:]
      for (place, name) in names.enumerated() { values[.init(.fdServerName, .index(place))] = name }
      return values
    }
    let a = Constant.text("a")
    for (given, equal, unequal) in [
      (names(), Truth.isFalse, Truth.isFalse), (names(.text("a")), .isTrue, .isFalse),
      (names(.text("b")), .isFalse, .isTrue), (names(.text("b"), .text("a")), .isTrue, .isFalse),
      (names(.text("a"), .text("b")), .isTrue, .isFalse), (names(.text("b"), .text("c")), .isFalse, .isTrue),
      (names(nil, .text("b")), .isFalse, .isTrue), (names(.pending), .isUnknown, .isUnknown),
      (names(.pending, .text("a")), .isTrue, .isFalse), (names(.text("b"), .pending), .isUnknown, .isUnknown),
    ] {
      expect(.equal(a), on: .fdServerName, given, equal, sourceLocation: #_sourceLocation)
      expect(.isIn([a]), on: .fdServerName, given, equal, sourceLocation: #_sourceLocation)
      expect(.notEqual(a), on: .fdServerName, given, unequal, sourceLocation: #_sourceLocation)
    }
  }

  @Test("either end of a connection will do, but both have to differ")
  func bothEnds() {
    func ends(_ first: UInt32?, _ second: UInt32) -> [GivenEvent.Key: GivenEvent.Value] {
      var values: [GivenEvent.Key: GivenEvent.Value] = [
        .init(.fdEitherAddress, .index(1)): .address(IPAddress(v4: second))
      ]
      if let first { values[.init(.fdEitherAddress, .index(0))] = .address(IPAddress(v4: first)) }
      return values
    }
    let one = Constant.address(IPAddress(v4: 1))
    expect(.equal(one), on: .fdEitherAddress, ends(1, 2), .isTrue, sourceLocation: #_sourceLocation)
    expect(.equal(one), on: .fdEitherAddress, ends(2, 1), .isTrue, sourceLocation: #_sourceLocation)
    expect(.notEqual(one), on: .fdEitherAddress, ends(2, 1), .isFalse, sourceLocation: #_sourceLocation)
    expect(.notEqual(one), on: .fdEitherAddress, ends(2, 3), .isTrue, sourceLocation: #_sourceLocation)
    expect(.notEqual(one), on: .fdEitherAddress, ends(nil, 3), .isTrue, sourceLocation: #_sourceLocation)
    expect(.notEqual(one), on: .fdEitherAddress, [:], .isFalse, sourceLocation: #_sourceLocation)
  }
}
