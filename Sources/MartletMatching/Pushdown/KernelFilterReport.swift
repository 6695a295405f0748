// SPDX-License-Identifier: Apache-2.0

public import MartletEvents
public import MartletRules

/// What of each rule runs in the kernel, and what keeps the rest from it.
public struct KernelFilterReport: Sendable {
  /// Enabled rules, in load order.
  public let rules: [RuleEntry]
  /// Where opens run that are sent whatever they are called, because of one rule or of all of them together.
  public let wideOpens: KernelFilter.Actors
  /// The same of connections, wherever they go.
  public let wideConnections: KernelFilter.Actors

  public struct RuleEntry: Sendable {
    public let rule: String
    /// Event types that it is tried on, and where their processes have to run.
    public let types: [(type: EventType, actors: KernelFilter.Actors)]
    /// The same of calls on Unix sockets, where it may match one.
    public let unixTypes: [(type: EventType, actors: KernelFilter.Actors)]
    /// Nil for a rule that is not about connects or sends.
    public let connections: Connections?
    /// Nil for a rule that is not about opens.
    public let opens: Opens?
  }

  public struct Connections: Sendable {
    /// Classes of connections that are dropped, wherever they go.
    public let droppedCount: Int
    /// Comparisons that the kernel makes.
    public let tested: [String]
    /// Where connections run that are sent whatever their destination: this rule keeps them coming.
    public let wide: KernelFilter.Actors
    /// Comparisons that the kernel cannot make.
    public let blocking: [String]
  }

  public struct Opens: Sendable {
    /// Classes of opens that are dropped, whatever they are called.
    public let droppedCount: Int
    /// What is looked for in names.
    public let names: [NameTest]
    /// Comparisons that the kernel makes, or looks at names for.
    public let tested: [String]
    /// Where opens run that are sent whatever they are called: this rule keeps them coming.
    public let wide: KernelFilter.Actors
    /// Comparisons that the kernel cannot make.
    public let blocking: [String]
  }

  public init(_ ruleset: Ruleset) {
    rules = ruleset.rules.filter(\.isEnabled).map { rule in
      let types = EventType.allCases.filter { rule.eventTypes.contains($0) }
      let hasOpens = types.contains { $0.kind == .open }
      let hasConnections = types.contains { $0 == .connect || EventType.sends.contains($0) }
      return RuleEntry(
        rule: rule.name,
        types: types.map {
          ($0, KernelFilterPlanner.actors(in: rule.condition, $0, $0.isOfSocket ? .internet : nil))
        },
        unixTypes: types.filter(\.isOfSocket)
          .map { ($0, KernelFilterPlanner.actors(in: rule.condition, $0, .unix)) }.filter { !$0.1.isEmpty },
        connections: hasConnections ? Connections(rule) : nil,
        opens: hasOpens ? Opens(KernelFilterPlanner.openRequirement(rule), rule.condition) : nil)
    }
    let filter = KernelFilterPlanner.plan(ruleset)
    wideOpens = OpenClass.allCases.filter { filter.opens.verdicts[$0.rawValue] == .pass }
      .reduce(into: []) { $0.insert($1.isContainer ? .containers : .host) }
    wideConnections = filter.connections.wide
  }
}

extension ConnectionFilter {
  /// Where connections run that pass wherever they go, whoever asks.
  fileprivate var wide: KernelFilter.Actors {
    let all = UInt64.max >> UInt64(64 - portRanges.count)
    return ConnectionClass.allCases.filter { passing[$0.rawValue].allSatisfy { $0 & all == all } }
      .reduce(into: []) { $0.insert($1.isContainer ? .containers : .host) }
  }
}

extension KernelFilterReport.Connections {
  init(_ rule: Rule) {
    let filter = ConnectionFilter([rule])
    let passing = ConnectionClass.allCases.filter { filter.passingForSome[$0.rawValue].contains { $0 != 0 } }
    droppedCount = ConnectionClass.count - passing.count
    wide = filter.wide
    // Whatever tells something of one far end or another.
    let facts = filter.destinations.map {
      let facts = ConnectionFacts(
        kind: ConnectionClass(.connectTCP, isContainer: true), destination: $0, ports: filter.portRanges
      ).byOtherProgram
      return filter.users.isEmpty ? facts : facts.by(0)
    }
    var tested: [String] = []
    var blocking: [String] = []
    rule.condition.forEachPredicate { predicate in
      let text = "\(predicate)"
      if facts.allSatisfy({ $0.judge(predicate) == .unknown }) {
        if !blocking.contains(text) { blocking.append(text) }
      } else if !tested.contains(text) {
        tested.append(text)
      }
    }
    self.tested = tested
    self.blocking = blocking
  }
}

extension KernelFilterReport.Opens {
  init(_ requirement: OpenRequirement, _ condition: Condition) {
    var names: Set<NameTest> = []
    var wide: KernelFilter.Actors = []
    var droppedCount = 0
    for kind in OpenClass.allCases {
      switch requirement[kind] {
      case .impossible: droppedCount += 1
      case .anyOf(let tests): names.formUnion(tests)
      case .nothing: wide.insert(kind.isContainer ? .containers : .host)
      }
    }
    self.droppedCount = droppedCount
    self.names = names.sorted { $0.description < $1.description }
    self.wide = wide
    var (tested, blocking): ([String], [String]) = ([], [])
    Self.sort(condition, isNegated: false, &tested, &blocking)
    self.tested = tested
    self.blocking = blocking
  }

  /// Each comparison once, by whether it tells something of some class of opens.
  private static func sort(
    _ condition: Condition, isNegated: Bool, _ tested: inout [String], _ blocking: inout [String]
  ) {
    switch condition {
    case .all(let operands), .any(let operands):
      for operand in operands { sort(operand, isNegated: isNegated, &tested, &blocking) }
    case .not(let operand): sort(operand, isNegated: !isNegated, &tested, &blocking)
    case .predicate(let predicate):
      let text = "\(isNegated ? "not " : "")\(predicate)"
      let requirement = OpenRequirement(condition, isNegated: isNegated)
      // The type of an event is what chooses its hook.
      let isTested = predicate.field?.field == .eventType || OpenClass.allCases.contains { requirement[$0] != .nothing }
      if isTested {
        if !tested.contains(text) { tested.append(text) }
      } else if !blocking.contains(text) {
        blocking.append(text)
      }
    }
  }
}

extension NameTest: CustomStringConvertible {
  public var description: String {
    switch self {
    case .component(let name): "component '\(String(decoding: name, as: UTF8.self))'"
    case .suffix(let suffix): "ending '\(String(decoding: suffix, as: UTF8.self))'"
    case .infix(let infix): "'\(String(decoding: infix, as: UTF8.self))' in a component"
    case .dots: "'..' at the end of a component"
    case .inRoot: "a file in the root folder"
    case .program(let name): "program '\(String(decoding: name, as: UTF8.self))'"
    case .user(let users) where users.count == 1: "user id \(users.lowerBound)"
    case .user(let users): "user ids \(users.lowerBound) to \(users.upperBound)"
    }
  }
}
