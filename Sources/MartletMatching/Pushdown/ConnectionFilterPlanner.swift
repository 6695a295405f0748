// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletRules

extension ConnectionFilter {
  /// What rules take of connections: each is tried on every range of far ends that they tell apart.
  init(_ rules: [Rule]) {
    let rules = rules.filter { rule in ConnectionKind.allCases.contains { rule.canBe($0) } }
    let bounds = ConnectionBounds(rules.map(\.condition))
    let ports = bounds.ports
    let userRanges = UserBounds(rules.flatMap(\.condition.userComparisons))?.ranges ?? []
    self.init(v4Ranges: bounds.v4 ?? [0], v6Ranges: bounds.v6 ?? [0], portRanges: ports ?? [0])
    // Where all of a family is one range, nothing is known of an address.
    let destinations = self.destinations.map { destination in
      guard case .range(let address) = destination else { return destination }
      let isKnown = address.family == .v4 ? bounds.v4 != nil : bounds.v6 != nil
      return isKnown ? destination : .anywhere(address.family)
    }
    for kind in ConnectionClass.allCases {
      let rules = rules.filter { $0.canBe(kind.kind) }
      let facts = destinations.map { ConnectionFacts(kind: kind, destination: $0, ports: ports) }
      // Of the users that a rule can match; nil where it does not tell them apart.
      let usersOfRules = rules.map { Self.users(of: $0, among: userRanges, kind) }
      let forAnyUser = zip(rules, usersOfRules).filter { $1 == nil }.map(\.0)
      for (range, facts) in facts.enumerated() {
        passing[kind.rawValue][range] = Self.ports(facts.byOtherProgram, forAnyUser)
        passingForSome[kind.rawValue][range] = Self.ports(facts, rules)
      }
      for (rule, users) in zip(rules, usersOfRules) {
        for range in users ?? [] { self.users[range, default: 0] |= 1 << UInt8(kind.rawValue) }
        for name in Self.programs(in: rule.condition, isNegated: false) {
          programs[name, default: 0] |= 1 << UInt8(kind.rawValue)
        }
      }
    }
    for kind in ConnectionKind.allCases { allowUnknown(kind) }
    guard programs.count > Self.programCountMax else { return }
    programs = [:]
    self.users = [:]
    passing = passingForSome
  }

  /// Those of `ranges` in which a rule can match a connection, wherever it goes, by a program that the rule does not name:
  /// those that it names pass as such. Nil for all of them.
  private static func users(
    of rule: Rule, among ranges: [ClosedRange<UInt32>], _ kind: ConnectionClass
  ) -> [ClosedRange<UInt32>]? {
    guard !rule.condition.userComparisons.isEmpty else { return nil }
    let facts = [IPAddress.Family.v4, .v6].map {
      ConnectionFacts(kind: kind, destination: .anywhere($0), ports: nil).byOtherProgram
    }
    let users = ranges.filter { range in
      facts.contains { Possibility(rule.condition, $0.by(range.lowerBound).judge).yes != 0 }
    }
    return users.count == ranges.count ? nil : users
  }

  /// What is wanted of the host is wanted of containers, too.
  private mutating func allowUnknown(_ kind: ConnectionKind) {
    let host = ConnectionClass(kind, isContainer: false).rawValue
    let container = ConnectionClass(kind, isContainer: true).rawValue
    for range in passing[host].indices {
      passing[container][range] |= passing[host][range]
      passingForSome[container][range] |= passingForSome[host][range]
    }
    for (program, classes) in programs where classes & 1 << UInt8(host) != 0 {
      programs[program] = classes | 1 << UInt8(container)
    }
    for (range, classes) in users where classes & 1 << UInt8(host) != 0 {
      users[range] = classes | 1 << UInt8(container)
    }
  }

  /// One for each range of addresses.
  var destinations: [ConnectionFacts.Destination] {
    v4Ranges.map { .range(IPAddress(v4: $0)) }
      + v6Ranges.map { first in
        // IPv4-mapped addresses are not looked for here. What else lies in the range lies behind them.
        let sample = first >> 32 == 0xffff ? 0x1_0000_0000_0000 : first
        return .range(
          IPAddress(v6High: UInt64(truncatingIfNeeded: sample >> 64), low: UInt64(truncatingIfNeeded: sample)))
      }
  }

  /// More make it likely that two share a place in the probe's table, where then both pass.
  static let programCountMax = 1024

  /// The ranges of ports that some rule may match.
  private static func ports(_ facts: ConnectionFacts, _ rules: [Rule]) -> UInt64 {
    rules.reduce(0) { $0 | Possibility($1.condition, facts.judge).yes }
  }

  /// Names of programs that make a condition true or, with `isNegated`, false. With any other name, each comparison that
  /// they come from has the other answer.
  private static func programs(in condition: Condition, isNegated: Bool) -> [[UInt8]] {
    switch condition {
    case .not(let operand): return programs(in: operand, isNegated: !isNegated)
    case .all(let operands), .any(let operands):
      return operands.flatMap { programs(in: $0, isNegated: isNegated) }
    case .predicate(let predicate):
      guard predicate.field?.field == .processName else { return [] }
      switch predicate.comparison {
      case .notEqual(let constant): return isNegated ? NameRequirement.programs(of: .equal(constant)) ?? [] : []
      default: return isNegated ? [] : NameRequirement.programs(of: predicate.comparison) ?? []
      }
    }
  }
}

/// Where conditions tell one far end from another.
private struct ConnectionBounds {
  /// Nil where there are too many: then nothing is asked.
  let v4: [UInt32]?
  let v6: [UInt128]?
  let ports: [UInt16]?

  init(_ conditions: [Condition]) {
    var v4: Set<UInt32> = [0]
    var v6: Set<UInt128> = [0]
    var ports: Set<UInt16> = [0]
    for condition in conditions {
      condition.forEachPredicate { predicate in
        switch predicate.field?.field {
        case .fdServerAddress, .fdServerNetwork, .fdRemoteAddress, .fdRemoteNetwork, .fdEitherAddress, .fdEitherNetwork:
          for network in predicate.comparison.constants.compactMap(\.network) {
            if network.address.family == .v4 {
              v4.formUnion(network.bounds(of: UInt32.self))
            } else {
              v6.formUnion(network.bounds(of: UInt128.self))
            }
          }
        case .fdServerPort, .fdRemotePort, .fdEitherPort:
          for case .unsigned(let number) in predicate.comparison.constants {
            ports.formUnion([number, number &+ 1].compactMap { UInt16(exactly: $0) })
          }
        default: break
        }
      }
    }
    self.v4 = v4.count > ConnectionFilter.addressRangesMax ? nil : v4.sorted()
    self.v6 = v6.count > ConnectionFilter.addressRangesMax ? nil : v6.sorted()
    self.ports = ports.count > ConnectionFilter.portRangesMax ? nil : ports.sorted()
  }
}

extension Rule {
  fileprivate func canBe(_ kind: ConnectionKind) -> Bool { kind.types.contains { eventTypes.contains($0) } }
}

extension Condition {
  func forEachPredicate(_ body: (Predicate) -> Void) {
    switch self {
    case .not(let operand): operand.forEachPredicate(body)
    case .all(let operands), .any(let operands): for operand in operands { operand.forEachPredicate(body) }
    case .predicate(let predicate): body(predicate)
    }
  }
}

extension Constant {
  /// An address is the network of one.
  fileprivate var network: IPNetwork? {
    switch self {
    case .network(let network): network
    case .address(let address): IPNetwork(address: address, prefixBitCount: address.bitCount)
    default: nil
    }
  }
}

extension IPNetwork {
  /// Where it begins, and where what follows it does, unless it reaches to the end.
  fileprivate func bounds<Number: FixedWidthInteger & UnsignedInteger>(of type: Number.Type) -> [Number] {
    let bits = Number(truncatingIfNeeded: UInt128(address.high) << 64 | UInt128(address.low))
    let hostBits: Number = prefixBitCount == 0 ? .max : (1 << Number(Number.bitWidth - prefixBitCount)) &- 1
    let first = bits & ~hostBits
    let last = first | hostBits
    return last == .max ? [first] : [first, last + 1]
  }
}
