// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletRules

/// What is known of a connection when it is asked for.
struct ConnectionFacts {
  /// Where it goes, as far as one range of addresses tells.
  enum Destination {
    /// Somewhere in a range that begins here: no rule tells its addresses apart.
    case range(IPAddress)
    /// All that is known is the family.
    case anywhere(IPAddress.Family)
  }

  let kind: ConnectionClass
  let destination: Destination
  /// The first of each range of ports; nil where nothing is known of the port.
  let ports: [UInt16]?
  /// The acting process has none of the names that rules look for.
  private var isByOtherProgram = false
  /// Its effective user id, where it is known.
  private var user: UInt32?

  init(kind: ConnectionClass, destination: Destination, ports: [UInt16]?) {
    self.kind = kind
    self.destination = destination
    self.ports = ports
  }

  var byOtherProgram: ConnectionFacts {
    var facts = self
    facts.isByOtherProgram = true
    return facts
  }

  func by(_ user: UInt32) -> ConnectionFacts {
    var facts = self
    facts.user = user
    return facts
  }

  func judge(_ predicate: Predicate) -> Possibility {
    guard let reference = predicate.field, reference.argument == .none else { return .unknown }
    let comparison = predicate.comparison
    switch reference.field {
    case .fdServerAddress, .fdServerNetwork, .fdRemoteAddress, .fdRemoteNetwork: return address(comparison)
    case .fdEitherAddress, .fdEitherNetwork: return either(address(comparison), comparison)
    case .fdServerPort, .fdRemotePort: return port(comparison)
    case .fdEitherPort: return either(port(comparison), comparison)
    case .processName: return program(comparison)
    case .userID:
      guard let user else { return .unknown }
      return ReferenceComparison.holds(.unsigned(UInt64(user)), comparison) ? .always : .never
    default: return values(of: reference.field).map { Possibility($0, comparison) } ?? .unknown
    }
  }

  private func values(of field: Field) -> PossibleValues? {
    switch field {
    case .uncaptured: .missing
    case .eventType: .texts(kind.kind.types.map { Array("\($0.name)".utf8) })
    case .containerID: kind.isContainer ? .anyText(but: Array("host".utf8)) : .texts([Array("host".utf8)])
    case .fdType: .texts([Array(isV4 ? "ipv4".utf8 : "ipv6".utf8)])
    case .fdTypeChar: .texts([Array(isV4 ? "4".utf8 : "6".utf8)])
    case .fdSocketFamily: .texts([Array("ip".utf8)])
    case .fdIsServer: .booleans([false])
    case .fdProtocol: .texts(kind.kind.protocolNames.map { Array($0.utf8) })
    default: nil
    }
  }

  private var isV4: Bool {
    switch destination {
    case .range(let address): address.family == .v4
    case .anywhere(let family): family == .v4
    }
  }

  private func address(_ comparison: Comparison) -> Possibility {
    guard case .range(let address) = destination else { return .unknown }
    return ReferenceComparison.holds(.address(address), comparison) ? .always : .never
  }

  private func port(_ comparison: Comparison) -> Possibility {
    guard let ports else { return .unknown }
    var yes: UInt64 = 0
    for (index, port) in ports.enumerated() where ReferenceComparison.holds(.unsigned(UInt64(port)), comparison) {
      yes |= 1 << UInt64(index)
    }
    return Possibility(yes: yes, no: ~yes)
  }

  /// Of both ends only the far one is known. It decides where the comparison has to hold for both, or holds for it.
  private func either(_ farEnd: Possibility, _ comparison: Comparison) -> Possibility {
    if case .notEqual = comparison { return Possibility(yes: farEnd.yes, no: .max) }
    return Possibility(yes: .max, no: farEnd.no)
  }

  private func program(_ comparison: Comparison) -> Possibility {
    guard isByOtherProgram else { return .unknown }
    switch comparison {
    case .exists, .notEqual: return .always
    default: return NameRequirement.programs(of: comparison) == nil ? .unknown : .never
    }
  }
}

extension ConnectionKind {
  /// The calls that it may be.
  var types: [EventType] { self == .send ? EventType.sends : [.connect] }

  /// What `fd.l4proto` may say.
  fileprivate var protocolNames: [String] {
    switch self {
    case .connectTCP: ["tcp"]
    case .connectUDP: ["udp"]
    case .connectOther: ["icmp", "raw", "<NA>"]
    // Of others the kernel has no such hook.
    case .send: ["udp", "<NA>"]
    }
  }
}

extension EventType {
  /// Which call a datagram is sent by, or taken by, is known when the call returns.
  static let sends: [EventType] = [.sendto, .sendmsg, .sendmmsg]
  static let receives: [EventType] = [.recvfrom, .recvmsg, .recvmmsg]
}
