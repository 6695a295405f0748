// SPDX-License-Identifier: Apache-2.0

public import MartletEvents
public import MartletRules

/// Conditions at random, out of few words, so that events meet them often enough.
public struct RandomRules {
  public var generator: SeededGenerator
  private let paths: [String]
  private let programs: [String]

  public static let programs = ["cat", "sshd", "tar", "a-long-name-15b", "no-such-program-has-this", ""]
  public static let addresses = [
    "0.0.0.0", "10.1.2.3", "127.0.0.1", "169.254.169.254", "192.168.0.1", "255.255.255.255", "::", "::1",
    "2001:db8::1", "fd00::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
  ]
  private static let networks = [
    "10.0.0.0/8", "127.0.0.0/8", "192.168.0.0/16", "0.0.0.0/0", "169.254.169.254/32", "224.0.0.0/3", "::/0", "::1/128",
    "2001:db8::/32", "fc00::/7",
  ]
  private static let users: [UInt32] = [0, 1, 999, 1000, 65_534]
  /// Those that rules speak of, and between them.
  public static let actingUsers: [UInt32] = users + [2, 500, 65_533, 65_535, .max - 1]
  public static let names = ["a.example", "b.example"]
  public static let ports: [UInt16] = [0, 1, 22, 53, 79, 80, 81, 443, 8080, 65_534, 65_535]

  public init(seed: UInt64, paths: [String], programs: [String] = Self.programs) {
    generator = SeededGenerator(seed: seed)
    self.paths = paths
    self.programs = programs
  }

  /// Enabled rules, each tried on all events of the types.
  public static func ruleset(_ conditions: [Condition], types: EventTypeSet = .all) -> Ruleset {
    let location = SourceLocation(path: "t.yaml", line: 1, column: 1, offset: 0)
    return Ruleset(
      rules: conditions.enumerated().map { index, condition in
        Rule(
          id: RuleID(rawValue: index), name: "\(index)", description: "", condition: condition,
          output: OutputTemplate(pieces: []), priority: .notice, tags: [], source: "syscall", isEnabled: true,
          eventTypes: types, location: location)
      })
  }

  public mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[Int.random(in: elements.indices, using: &generator)]
  }

  public mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }

  /// One to three rules about opens.
  public mutating func openConditions() -> [Condition] { conditions { $0.openPredicate() } }

  /// One to three rules about connects and sends.
  public mutating func connectionConditions() -> [Condition] { conditions { $0.connectionPredicate() } }

  private mutating func conditions(_ predicate: (inout RandomRules) -> Condition) -> [Condition] {
    (0..<Int.random(in: 1...3, using: &generator)).map { _ in condition(depth: 3, predicate) }
  }

  private mutating func condition(depth: Int, _ predicate: (inout RandomRules) -> Condition) -> Condition {
    switch depth == 0 ? 9 : Int.random(in: 0...7, using: &generator) {
    case 0...2: .all((0..<3).map { _ in condition(depth: depth - 1, predicate) })
    case 3: .any((0..<2).map { _ in condition(depth: depth - 1, predicate) })
    case 4: .not(condition(depth: depth - 1, predicate))
    default: predicate(&self)
    }
  }

  private mutating func several<Element>(_ elements: [Element]) -> [Element] {
    (0..<Int.random(in: 0...3, using: &generator)).map { _ in pick(elements) }
  }

  private func test(_ field: Field, _ comparison: Comparison) -> Condition {
    let location = SourceLocation(path: "t.yaml", line: 1, column: 1, offset: 0)
    let span = SourceSpan(start: location, end: location)
    let left = Operand.field(FieldReference(field, .none))
    return .predicate(Predicate(left: left, comparison: comparison, span: span, text: "\(field) \(comparison)"))
  }

  private mutating func word(_ words: [String]) -> Comparison {
    let constant = Constant.text(Array(pick(words).utf8))
    return pick([
      .equal(constant), .notEqual(constant), .exists, .isIn(several(words).map { .text(Array($0.utf8)) }),
      .startsWith(Array(pick(words).utf8.prefix(2))),
    ])
  }

  private mutating func flag() -> Comparison {
    pick([.equal(.boolean(true)), .equal(.boolean(false)), .notEqual(.boolean(true))])
  }

  private mutating func number(_ constants: [Constant]) -> Comparison {
    let constant = pick(constants)
    return pick([
      .equal(constant), .notEqual(constant), .less(constant), .lessOrEqual(constant), .greater(constant),
      .greaterOrEqual(constant), .isIn(several(constants)), .exists,
    ])
  }

  private mutating func user() -> Condition { test(.userID, number(Self.users.map { .unsigned(UInt64($0)) })) }

  // MARK: Opens

  private mutating func openPredicate() -> Condition {
    switch Int.random(in: 0...12, using: &generator) {
    case 0: return test(pick([.fdNumber, .eventRawResult]), number([-2, -1, 0, 3].map { .signed($0) }))
    case 1...2:
      let words = ["host", "4f1c9e0b2a77", "d", "f", "SUCCESS", "ENOENT", "openat"]
      return test(pick([.containerID, .eventType, .eventResult, .fdTypeChar]), word(words))
    case 3: return test(pick([.eventIsOpenRead, .eventIsOpenWrite]), flag())
    case 4...5: return test(.processName, word(programs))
    case 6: return user()
    default: return test(pick([.fdName, .fdNameRaw, .fdRealPath, .fdDirectory, .fdFilename]), path())
    }
  }

  private mutating func path() -> Comparison {
    let texts = several(paths).map { Array($0.utf8) }
    let text = Array(pick(paths).utf8)
    return pick([
      .equal(.text(text)), .isIn(texts.map { .text($0) }), .startsWith(text), .endsWith(text), .contains(text),
      .glob(text), .pathMatch(texts), .notEqual(.text(text)), .exists, .contains(Array(text.dropFirst().prefix(9))),
      .quantified(pick(Quantifier.allCases), texts.map { .endsWith($0) }),
      .quantified(pick(Quantifier.allCases), texts.map { .notEqual(.text($0)) }),
    ])
  }

  // MARK: Connections

  private mutating func connectionPredicate() -> Condition {
    switch Int.random(in: 0...11, using: &generator) {
    case 0: return test(.containerID, word(["host", "4f1c9e0b2a77"]))
    case 1: return test(.eventType, word(["connect", "sendto", "sendmsg"]))
    case 2: return test(.fdProtocol, word(["tcp", "udp", "icmp", "<NA>"]))
    case 3: return test(pick([.fdTypeChar, .fdType, .fdSocketFamily]), word(["4", "6", "u", "ipv4", "ipv6", "ip"]))
    case 4: return test(.processName, word(programs))
    case 5: return test(.eventRawResult, number([-111, -1, 0].map { .signed($0) }))
    case 6:
      let names = several(Self.names).map { Constant.text(Array($0.utf8)) }
      let name = Constant.text(Array(pick(Self.names).utf8))
      return test(pick([.fdServerName, .fdRemoteName]), pick([.equal(name), .notEqual(name), .isIn(names), .exists]))
    case 7...8:
      return test(
        pick([.fdServerPort, .fdRemotePort, .fdEitherPort, .fdClientPort, .fdLocalPort]),
        number(Self.ports.map { .unsigned(UInt64($0)) }))
    case 9: return user()
    default: return destination()
    }
  }

  private mutating func destination() -> Condition {
    let isNetwork = Bool.random(using: &generator)
    let field: Field =
      isNetwork
      ? pick([.fdServerNetwork, .fdRemoteNetwork, .fdEitherNetwork, .fdClientNetwork])
      : pick([.fdServerAddress, .fdRemoteAddress, .fdEitherAddress, .fdLocalAddress])
    let constants: [Constant] =
      isNetwork
      ? Self.networks.compactMap { IPNetwork(text: $0).map { .network($0) } }
      : Self.addresses.compactMap { IPAddress(text: $0).map { .address($0) } }
    let constant = pick(constants)
    return test(field, pick([.equal(constant), .notEqual(constant), .isIn(several(constants)), .exists]))
  }
}
