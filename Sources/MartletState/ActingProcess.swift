// SPDX-License-Identifier: Apache-2.0

public import MartletEvents

/// Which process acts, and in which of its states: what was worked out for it holds as long as all of this is equal.
///
/// Good within one `SystemState`.
public struct ActingProcess {
  /// Its place among the processes, from 1; small numbers first.
  public let place: Int
  /// Of the place's occupants this one.
  public let generation: UInt32
  /// Changes with everything that the fields of `FieldScope.process` depend on.
  public let version: UInt32
  /// Stays the same as long as nothing changes about anybody's ancestors. If it is another, `lineageDigest` tells
  /// whether that is about the ancestors of this one.
  public let lineageEpoch: UInt64
}

/// What a field's value depends on.
public enum FieldScope: UInt8, Sendable {
  /// On the event.
  case event
  /// On the process that acts, and nothing else.
  case process
  /// On the process that acts and on its ancestors.
  case lineage
}

extension EventContext {
  /// Nil where nothing can be kept for the process: a given or a captured event's, or one that found no room in the table.
  public var actingProcess: ActingProcess? {
    guard let state, slot != ProcessTable.overflowSlot, !state.content.pointee.isCaptured else { return nil }
    let process = state.processes.slots + Int(slot)
    return ActingProcess(
      place: Int(slot), generation: process.pointee.generation, version: process.pointee.version,
      lineageEpoch: state.lineageEpoch)
  }

  /// Of all ancestors, and of the state that each is in: the same for the same, another for others. Walks the chain.
  public mutating func lineageDigest() -> UInt64 {
    guard let state, let scratch else { return 0 }
    var digest: UInt64 = 0x9e37_79b9_7f4a_7c15
    for index in 0..<lineage() {
      let place = scratch.ancestors[index]
      let process = state.processes.slots + Int(place)
      digest = Self.mixed(digest, UInt64(place) << 32 | UInt64(process.pointee.generation))
      digest = Self.mixed(digest, UInt64(process.pointee.version))
    }
    return digest
  }

  private static func mixed(_ digest: UInt64, _ part: UInt64) -> UInt64 {
    let product = (digest ^ part).multipliedFullWidth(by: 0xd6e8_feb8_6659_fd93)
    return (product.high ^ product.low) &+ part
  }
}

extension Field {
  /// All texts that the field may have on events of this kind; nil where they are not a fixed few.
  public func possibleTexts(on kind: EventKind) -> [StaticString]? {
    switch (self, kind) {
    case (.fdType, .open): ["directory", "file"]
    case (.fdTypeChar, .open): ["d", "f"]
    case (.fdType, .connect): ["ipv4", "ipv6"]
    case (.fdTypeChar, .connect): ["4", "6"]
    case (.fdType, .unix): ["unix"]
    case (.fdTypeChar, .unix): ["u"]
    default: nil
    }
  }

  /// `selector`: what a rule asks of it.
  public func scope(at selector: FieldSelector) -> FieldScope {
    switch self {
    case .processExe, .processExePath, .processArguments, .processCommandLine, .processExeLine, .processArgumentCount,
      .processArgumentLength, .processEnvironment, .processDirectory, .processID, .processParentID,
      .processNamespaceID, .processSessionID, .processGroupID, .processNamespaceGroupID, .processTerminal,
      .processIsSessionLeader, .processIsGroupLeader, .processIsNamespaceGroupLeader, .processIsExeUpperLayer,
      .processIsExeLowerLayer, .processIsExeFromMemfd, .processExeInode, .processExeChanged, .processExeModified,
      .threadCapabilitiesEffective, .threadCapabilitiesPermitted, .threadCapabilitiesInheritable, .userLoginID,
      .containerID, .containerFullID:
      return .process
    case .processParentName, .processParentExe, .processParentExePath, .processParentCommandLine,
      .processParentNamespaceID, .processAncestorExe, .processAncestorExePath, .processAncestorCommandLine,
      .processAncestorArguments, .processAncestorID:
      return .lineage
    // The process's own name is that of the acting thread.
    case .processAncestorName:
      if case .index(0) = selector { return .event }
      return .lineage
    default: return .event
    }
  }
}
