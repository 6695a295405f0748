// SPDX-License-Identifier: Apache-2.0

/// Every field that a rule can name. What each one means stands in its `FieldDescription`, by family in this folder;
/// how each is extracted stands in one exhaustive `switch` over this type in MartletState.
public enum Field: UInt16, CaseIterable, Hashable, Sendable {
  // evt
  case eventNumber, eventTime, eventRawTime, eventType, eventRawResult, eventResult
  case eventIsOpenRead, eventIsOpenWrite, eventIsIOURing, eventHostname
  // proc, thread
  case processName, processExe, processExePath, processArguments, processCommandLine, processDirectory
  case processID, processParentID, processNamespaceID, processSessionID, processTerminal
  case processParentName, processParentExe, processParentExePath, processParentCommandLine
  case processAncestorName, processAncestorExePath
  case processIsExeUpperLayer, processIsExeLowerLayer, processIsExeFromMemfd, processDuration
  case threadID
  // user, group
  case userID, userLoginID, groupID
  // fd
  case fdNumber, fdType, fdTypeChar, fdName, fdNameRaw, fdRealPath, fdDirectory, fdFilename
  case fdInode, fdDevice
  case fdProtocol, fdSocketFamily, fdIsConnected, fdNameChanged
  case fdClientAddress, fdServerAddress, fdLocalAddress, fdRemoteAddress
  case fdClientPort, fdServerPort, fdLocalPort, fdRemotePort
  case fdEitherAddress, fdEitherPort
  case fdEitherNetwork, fdClientNetwork, fdServerNetwork, fdLocalNetwork, fdRemoteNetwork
  // container, k8s
  case containerID, containerFullID, containerType, podUID

  public var description: FieldDescription { FieldRegistry.descriptions[Int(rawValue)] }
}

/// All descriptions, by field and by name.
public enum FieldRegistry {
  /// In the order of `Field.allCases`.
  public static let descriptions: [FieldDescription] = {
    let entries = eventFields + processFields + userFields + fileFields + socketFields + containerFields
    let byField = Dictionary(uniqueKeysWithValues: entries.map { ($0.field, $0) })
    precondition(entries.count == Field.allCases.count, "a field has no description")
    return Field.allCases.compactMap { byField[$0] }
  }()

  /// The field that rules call `name`; exact, case matters.
  public static func field(named name: String) -> Field? { byName[name] }

  /// All names, sorted.
  public static let names: [String] = descriptions.map { "\($0.name)" }.sorted()

  private static let byName: [String: Field] = Dictionary(
    uniqueKeysWithValues: descriptions.map { ("\($0.name)", $0.field) })
}
