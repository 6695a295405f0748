// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletRules

/// Which of several cases may make a condition true, and which may make it false: a bit for each, up to 64.
struct Possibility: Equatable {
  var yes: UInt64
  var no: UInt64

  static let unknown = Possibility(yes: .max, no: .max)
  static let never = Possibility(yes: 0, no: .max)
  static let always = Possibility(yes: .max, no: 0)

  init(yes: UInt64, no: UInt64) {
    self.yes = yes
    self.no = no
  }

  /// The same in all cases: what a comparison comes to for one of these values.
  init(_ values: PossibleValues, _ comparison: Comparison) {
    yes = values.canCome(comparison, isNegated: false) ? .max : 0
    no = values.canCome(comparison, isNegated: true) ? .max : 0
  }

  /// What a condition comes to if each of its predicates comes to what `judge` says.
  init(_ condition: Condition, _ judge: (Predicate) -> Possibility) {
    switch condition {
    case .not(let operand):
      let opposite = Possibility(operand, judge)
      self.init(yes: opposite.no, no: opposite.yes)
    case .all(let operands):
      self = .always
      for operand in operands {
        let possibility = Possibility(operand, judge)
        yes &= possibility.yes
        no |= possibility.no
      }
    case .any(let operands):
      self = .never
      for operand in operands {
        let possibility = Possibility(operand, judge)
        yes |= possibility.yes
        no &= possibility.no
      }
    case .predicate(let predicate): self = judge(predicate)
    }
  }
}

/// What is known of an event before more than its type, its actor and the family of its socket is looked at.
struct ActorFacts {
  enum SocketFamily { case internet, unix }

  let type: EventType
  let isContainer: Bool
  /// Nil where the event has to do with no socket.
  let socket: SocketFamily?

  func judge(_ predicate: Predicate) -> Possibility {
    guard let reference = predicate.field, reference.argument == .none else { return .unknown }
    guard let values = values(of: reference.field) else { return .unknown }
    return Possibility(values, predicate.comparison)
  }

  private func values(of field: Field) -> PossibleValues? {
    switch (field, socket) {
    case (.uncaptured, _): .missing
    case (.eventType, _): .texts([Array("\(type.name)".utf8)])
    case (.containerID, _): isContainer ? .anyText(but: Array("host".utf8)) : .texts([Array("host".utf8)])
    case (.fdType, .internet): .texts([Array("ipv4".utf8), Array("ipv6".utf8)])
    case (.fdType, .unix): .texts([Array("unix".utf8)])
    case (.fdTypeChar, .internet): .texts([Array("4".utf8), Array("6".utf8)])
    case (.fdTypeChar, .unix): .texts([Array("u".utf8)])
    case (.fdSocketFamily, .internet): .texts([Array("ip".utf8)])
    case (.fdSocketFamily, .unix): .texts([Array("unix".utf8)])
    case (.fdProtocol, .unix): .texts([Array("<NA>".utf8)])
    case (.fdIsServer, .unix), (.fdClientAddress, .unix), (.fdServerAddress, .unix), (.fdLocalAddress, .unix),
      (.fdRemoteAddress, .unix), (.fdEitherAddress, .unix), (.fdClientNetwork, .unix), (.fdServerNetwork, .unix),
      (.fdLocalNetwork, .unix), (.fdRemoteNetwork, .unix), (.fdEitherNetwork, .unix), (.fdClientPort, .unix),
      (.fdServerPort, .unix), (.fdLocalPort, .unix), (.fdRemotePort, .unix), (.fdEitherPort, .unix):
      .missing
    default: nil
    }
  }
}
