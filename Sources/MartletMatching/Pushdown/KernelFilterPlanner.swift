// SPDX-License-Identifier: Apache-2.0

public import MartletEvents
public import MartletRules

/// Derives from a rule set what the probe need not send.
///
/// Each rule's condition becomes what it takes, as far as the kernel can tell: an over-approximation, in which
/// whatever is not understood takes nothing. The filter is the union over all enabled rules.
///
/// What is not known to run on the host counts as a container there, until the agent has seen what its cgroup is called.
/// So what is wanted of the host is wanted of containers as well.
public enum KernelFilterPlanner {
  /// More tests than these make the filter slower than sending: the classes concerned pass.
  static let nameTestCountMax = 1024

  public static func plan(_ ruleset: Ruleset) -> KernelFilter {
    let enabled = ruleset.rules.filter(\.isEnabled)
    var actors: [EventType: KernelFilter.Actors] = [:]
    var unixActors: [EventType: KernelFilter.Actors] = [:]
    for type in EventType.allCases {
      let wanted = enabled.filter { $0.eventTypes.contains(type) }.map(\.condition)
      let socket: ActorFacts.SocketFamily? = type.isOfSocket ? .internet : nil
      let union = wanted.reduce(KernelFilter.Actors()) { $0.union(Self.actors(in: $1, type, socket)) }
      if !union.isEmpty { actors[type] = union.orUnknown }
      guard type.isOfSocket else { continue }
      let unixUnion = wanted.reduce(KernelFilter.Actors()) { $0.union(Self.actors(in: $1, type, .unix)) }
      if !unixUnion.isEmpty { unixActors[type] = unixUnion.orUnknown }
    }
    for group in [EventType.sends, EventType.receives] {
      let union = group.reduce(KernelFilter.Actors()) { $0.union(actors[$1, default: []]) }
      for type in group where !union.isEmpty { actors[type] = union }
    }
    let opens = enabled.map(openRequirement).reduce(OpenRequirement.impossible) { $0.or($1) }
    return KernelFilter(
      actors: actors, unixActors: unixActors, connections: ConnectionFilter(enabled), opens: OpenFilter(opens))
  }

  /// Whose models the rules ask for; empty when they ask for none.
  public static func modelReaders(_ ruleset: Ruleset) -> KernelFilter.Actors {
    var readers: KernelFilter.Actors = []
    for rule in ruleset.rules where rule.isEnabled {
      let types = EventType.allCases.filter { rule.eventTypes.contains($0) }
      guard types.contains(where: { $0.kind == .model }) || rule.names({ $0.isOfModel || $0.isOfLastModelOpen })
      else { continue }
      for type in types { readers.formUnion(actors(in: rule.condition, type, nil)) }
    }
    return readers.orUnknown
  }

  /// What a rule takes of opens.
  static func openRequirement(_ rule: Rule) -> OpenRequirement {
    let hasOpens = EventType.allCases.contains { $0.kind == .open && rule.eventTypes.contains($0) }
    return hasOpens ? OpenRequirement(rule.condition) : .impossible
  }

  /// Where a process has to run for a condition to hold on an event of a type.
  static func actors(
    in condition: Condition, _ type: EventType, _ socket: ActorFacts.SocketFamily?
  ) -> KernelFilter.Actors {
    var result: KernelFilter.Actors = []
    for isContainer in [false, true] {
      let facts = ActorFacts(type: type, isContainer: isContainer, socket: socket)
      if Possibility(condition, facts.judge).yes != 0 { result.insert(isContainer ? .containers : .host) }
    }
    return result
  }
}

extension KernelFilter.Actors {
  /// With those that may be the host's.
  fileprivate var orUnknown: KernelFilter.Actors { contains(.host) ? .all : self }
}

extension EventType {
  /// Whether it may be told of an internet socket or of a Unix one.
  var isOfSocket: Bool { kind == .connect }
}

extension OpenFilter {
  init(_ requirement: OpenRequirement) {
    var verdicts: [Verdict] = []
    var names: [NameTest: UInt32] = [:]
    let hasTooManyUsers = requirement.userBoundCount >= KernelFilter.userRangesMax
    for kind in OpenClass.allCases {
      let onHost = OpenClass(
        isContainer: false, isOpened: kind.isOpened, isDirectory: kind.isDirectory, access: kind.access)
      switch requirement[kind].or(requirement[onHost]) {
      case .impossible: verdicts.append(.drop)
      case .nothing: verdicts.append(.pass)
      case .anyOf(let tests) where tests.count > KernelFilterPlanner.nameTestCountMax: verdicts.append(.pass)
      case .anyOf(let tests) where hasTooManyUsers && tests.contains(where: \.isOfUser): verdicts.append(.pass)
      case .anyOf(let tests):
        verdicts.append(.testNames)
        for test in tests { names[test, default: 0] |= 1 << UInt32(kind.rawValue) }
      }
    }
    self.init(verdicts: verdicts, names: names)
  }
}
