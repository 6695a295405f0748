// SPDX-License-Identifier: Apache-2.0

/// Every field that a rule can name. What each one means stands in its `FieldDescription`, by family in this folder;
/// how each is extracted stands in one exhaustive `switch` over this type in MartletState.
public enum Field: Hashable, Sendable {
  // evt
  case eventNumber, eventTime, eventTimeSeconds, eventTimeISO, eventDateTime, eventDateTimeSeconds
  case eventRawTime, eventRawTimeSeconds, eventRawTimeFraction
  case eventSource, eventIsAsync, eventHostname, eventDirection, eventType, eventTypeIs, systemCallType, eventCategory
  case eventCPU, eventArguments, eventInfo, eventArgument, eventRawArgument, eventAbsolutePath
  case eventResult, eventRawResult, eventFailed, eventCount, eventCountError, eventCountExit
  case eventIsIO, eventIsIORead, eventIsIOWrite, eventIsWait, eventIsSyslog
  case eventIsOpenRead, eventIsOpenWrite, eventIsOpenExec, eventIsOpenCreate, eventIsIOURing
  // proc, thread
  case processName, processExe, processExePath, processArguments, processCommandLine, processExeLine
  case processArgumentCount, processArgumentLength, processEnvironment, processDirectory
  case processID, processParentID, processNamespaceID, processParentNamespaceID
  case processSessionID, processGroupID, processNamespaceGroupID, processTerminal
  case processParentName, processParentExe, processParentExePath, processParentCommandLine
  case processAncestorName, processAncestorExe, processAncestorExePath, processAncestorCommandLine
  case processAncestorArguments, processAncestorID
  case processSessionName, processSessionExe, processSessionExePath
  case processGroupName, processGroupExe, processGroupExePath
  case processNamespaceGroupName, processNamespaceGroupExe, processNamespaceGroupExePath
  case processIsSessionLeader, processIsGroupLeader, processIsNamespaceGroupLeader
  case processIsExeUpperLayer, processIsExeLowerLayer, processIsExeFromMemfd
  case processExeInode, processExeChanged, processExeModified, processExeAge
  case processDuration, processParentDuration, processStart, processParentStart
  case threadID, threadIsMain, threadCapabilitiesEffective, threadCapabilitiesPermitted, threadCapabilitiesInheritable
  // user, group
  case userID, userLoginID, groupID, userName, userHome, userShell, userLoginName, groupName
  // fd, fs
  case fdNumber, fdType, fdTypeChar, fdName, fdNameRaw, fdRealPath, fdDirectory, fdFilename
  case fdInode, fdDevice, fdDeviceMajor, fdDeviceMinor, fdIsUpperLayer, fdIsLowerLayer
  case fdProtocol, fdSocketFamily, fdIsConnected, fdHasNewName, fdIsServer
  case fdClientAddress, fdServerAddress, fdLocalAddress, fdRemoteAddress
  case fdClientPort, fdServerPort, fdLocalPort, fdRemotePort
  case fdClientName, fdServerName, fdLocalName, fdRemoteName
  case fdEitherAddress, fdEitherPort
  case fdEitherNetwork, fdClientNetwork, fdServerNetwork, fdLocalNetwork, fdRemoteNetwork
  case pathName, pathNameRaw
  // container, k8s
  case containerID, containerFullID, containerType, containerName, containerPrivileged
  case containerImage, containerImageRepository, containerImageTag, containerImageDigest, containerImageID
  case containerStart, containerDuration, containerLabel, containerLabels, containerAddress
  case containerMounts, containerMount, containerMountSource, containerMountDestination, containerMountMode
  case containerMountIsWritable, containerMountPropagation
  case containerHostNetwork, containerHostPID, containerHostIPC
  case containerCgroups
  case podUID, podID, podName, podNamespace, podLabel, podLabels, podSandboxID, podFullSandboxID, podAddress
  // model
  case modelPath, modelOpenedAs, modelState, modelVerified, modelDigest, modelClaimedDigest
  case modelSigner, modelSignerExpired, modelMethod, modelName, modelRootDigest, modelResource, modelResourceMatch
  case modelFormat, modelPickleCapable, modelSource, modelGuarantee, modelSize, modelHashMilliseconds, modelCached
  case modelChange, modelChangerID
  case modelLastOpenAge, modelLastOpenPath, modelLastOpenPickleCapable
  /// One of Falco's fields that no record of ours carries, by its place in `FieldRegistry.uncapturedFields`.
  case uncaptured(UInt16)

  public var description: FieldDescription {
    if case .uncaptured(let place) = self { return FieldRegistry.uncapturedFields[Int(place)] }
    guard let description = FieldRegistry.capturedByField[self] else {
      preconditionFailure("a field has no description")
    }
    return description
  }
}

extension Field: CaseIterable {
  public static let allCases: [Field] = FieldRegistry.descriptions.map(\.field)
}

/// All descriptions, by field and by name.
public enum FieldRegistry {
  /// By family: what is captured first, then what is not.
  public static let descriptions: [FieldDescription] = capturedFields + uncapturedFields

  static let capturedFields: [FieldDescription] =
    eventFields + callFields + processFields + lineageFields + userFields + fileFields + socketFields
    + containerFields + modelFields

  static let uncapturedFields: [FieldDescription] =
    (uncapturedEventFields + uncapturedProcessFields + uncapturedDescriptorFields + uncapturedContainerFields)
    .enumerated().map { place, description in description.placed(at: UInt16(place)) }

  static let capturedByField: [Field: FieldDescription] = Dictionary(
    uniqueKeysWithValues: capturedFields.map { ($0.field, $0) })

  /// The field that rules call `name`; exact, case matters.
  public static func field(named name: String) -> Field? { byName[name] }

  /// All names, sorted.
  public static let names: [String] = descriptions.map { "\($0.name)" }.sorted()

  private static let byName: [String: Field] = Dictionary(
    uniqueKeysWithValues: descriptions.map { ("\($0.name)", $0.field) })
}
