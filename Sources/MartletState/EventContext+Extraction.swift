// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents

/// One `switch` over every field: a field without extraction does not compile.
extension EventContext {
  mutating func extract(_ field: Field, at selector: FieldSelector) -> FieldValue {
    guard let record, let state else { return .missing }
    switch field {
    case .uncaptured: return .missing
    case .eventNumber, .eventTime, .eventTimeSeconds, .eventTimeISO, .eventDateTime, .eventDateTimeSeconds,
      .eventRawTime, .eventRawTimeSeconds, .eventRawTimeFraction, .eventSource, .eventHostname, .eventDirection,
      .eventType, .systemCallType, .eventTypeIs, .eventCategory, .eventCPU, .eventArguments, .eventInfo,
      .eventArgument, .eventRawArgument, .eventAbsolutePath, .eventRawResult, .eventResult, .eventFailed, .eventCount,
      .eventCountExit, .eventCountError, .eventIsAsync, .eventIsIO, .eventIsIORead, .eventIsIOWrite, .eventIsWait,
      .eventIsSyslog, .eventIsOpenRead, .eventIsOpenWrite, .eventIsIOURing, .eventIsOpenExec, .eventIsOpenCreate:
      return extractEvent(field, selector, record, state)
    case .processName, .processExe, .processExePath, .processArguments, .processCommandLine, .processExeLine,
      .processArgumentCount, .processArgumentLength, .processEnvironment, .processDirectory, .processID,
      .processParentID,
      .processNamespaceID, .processParentNamespaceID, .processSessionID, .processGroupID, .processNamespaceGroupID,
      .processTerminal, .processIsSessionLeader, .processIsGroupLeader, .processIsNamespaceGroupLeader,
      .processIsExeUpperLayer, .processIsExeLowerLayer, .processIsExeFromMemfd, .processExeInode, .processExeChanged,
      .processExeModified, .processExeAge, .processDuration, .processParentDuration, .processStart,
      .processParentStart, .threadID, .threadIsMain, .threadCapabilitiesEffective, .threadCapabilitiesPermitted,
      .threadCapabilitiesInheritable, .userID, .userLoginID, .groupID:
      return extractProcess(field, selector, record)
    case .userName, .userHome, .userShell, .userLoginName, .groupName: return extractAccount(field, record)
    case .processParentName, .processParentExe, .processParentExePath, .processParentCommandLine,
      .processAncestorName, .processAncestorExe, .processAncestorExePath, .processAncestorCommandLine,
      .processAncestorArguments, .processAncestorID, .processSessionName, .processSessionExe, .processSessionExePath,
      .processGroupName, .processGroupExe, .processGroupExePath, .processNamespaceGroupName,
      .processNamespaceGroupExe, .processNamespaceGroupExePath:
      return extractLineage(field, selector.index, record)
    case .containerID, .containerFullID, .containerType, .containerName, .containerPrivileged, .containerImage,
      .containerImageRepository, .containerImageTag, .containerImageDigest, .containerImageID, .containerStart,
      .containerDuration, .containerLabel, .containerLabels, .containerAddress, .containerMounts, .containerMount,
      .containerMountSource, .containerMountDestination, .containerMountMode, .containerMountIsWritable,
      .containerMountPropagation, .containerHostNetwork, .containerHostPID, .containerHostIPC,
      .containerCgroups, .podUID, .podID, .podName, .podNamespace, .podLabel, .podLabels, .podSandboxID,
      .podFullSandboxID, .podAddress:
      return extractContainer(field, selector)
    case .fdNumber, .fdType, .fdTypeChar, .fdName, .fdNameRaw, .fdRealPath, .fdDirectory, .fdFilename, .fdInode,
      .fdDevice, .fdDeviceMajor, .fdDeviceMinor, .fdIsUpperLayer, .fdIsLowerLayer, .fdProtocol, .fdSocketFamily,
      .fdIsConnected, .fdHasNewName, .fdIsServer, .fdClientAddress, .fdServerAddress, .fdLocalAddress,
      .fdRemoteAddress, .fdClientPort, .fdServerPort, .fdLocalPort, .fdRemotePort, .fdEitherAddress,
      .fdEitherPort, .fdClientName, .fdServerName, .fdLocalName, .fdRemoteName, .fdEitherNetwork, .fdClientNetwork,
      .fdServerNetwork, .fdLocalNetwork, .fdRemoteNetwork,
      .pathName, .pathNameRaw:
      return extractDescriptor(field, index: selector.index)
    case .modelPath, .modelOpenedAs, .modelState, .modelVerified, .modelDigest, .modelClaimedDigest, .modelSigner,
      .modelSignerExpired, .modelMethod, .modelName, .modelRootDigest, .modelResource, .modelResourceMatch,
      .modelFormat, .modelPickleCapable, .modelSource, .modelGuarantee, .modelSize, .modelHashMilliseconds,
      .modelCached, .modelChange, .modelChangerID, .modelLastOpenAge, .modelLastOpenPath,
      .modelLastOpenPickleCapable:
      return extractModel(field, record)
    }
  }

  // MARK: - Event

  private mutating func extractEvent(
    _ field: Field, _ selector: FieldSelector, _ record: EventRecord, _ state: StateView
  ) -> FieldValue {
    switch field {
    case .eventNumber: return .unsigned(state.eventNumber)
    case .eventTime, .eventTimeSeconds, .eventTimeISO, .eventDateTime, .eventDateTimeSeconds:
      return .text(timeText(field))
    case .eventRawTime: return .unsigned(UInt64(bitPattern: realtimeNanoseconds))
    case .eventRawTimeSeconds: return .unsigned(UInt64(bitPattern: realtimeNanoseconds) / 1_000_000_000)
    case .eventRawTimeFraction: return .unsigned(UInt64(bitPattern: realtimeNanoseconds) % 1_000_000_000)
    case .eventSource: return .text("syscall")
    case .eventHostname: return .text(state.hostname)
    case .eventDirection: return .text("<")
    case .eventType, .systemCallType: return typeName
    case .eventTypeIs: return isType(selector)
    case .eventCategory: return .text(category)
    case .eventCPU: return .signed(Int64(Int16(truncatingIfNeeded: record.common.pointee.cpu)))
    case .eventArguments, .eventInfo: return .text(allParameters())
    case .eventArgument: return parameterText(selector)
    case .eventRawArgument: return rawParameter(selector)
    case .eventAbsolutePath: return absolutePath(selector)
    case .eventRawResult: return record.kind == .start ? .missing : .signed(result)
    case .eventResult: return record.kind == .start ? .missing : .text(resultText)
    case .eventFailed: return .boolean(result < 0)
    case .eventCount, .eventCountExit: return .unsigned(1)
    case .eventCountError: return .unsigned(result < 0 ? 1 : 0)
    case .eventIsAsync, .eventIsIO, .eventIsIORead, .eventIsIOWrite, .eventIsWait, .eventIsSyslog:
      return .boolean(false)
    case .eventIsOpenRead: return .boolean(isOpen(for: O_RDONLY))
    case .eventIsOpenWrite: return .boolean(isOpen(for: O_WRONLY))
    case .eventIsIOURing: return .boolean(record.has(flag: UInt32(MARTLET_FLAG_IO_URING)))
    case .eventIsOpenExec: return .boolean(isOpenForExecution)
    case .eventIsOpenCreate: return .boolean(isOpenThatCreates)
    default: return .missing
    }
  }

  var result: Int64 {
    guard let record else { return 0 }
    switch record.kind {
    case .open: return record.open.pointee.result
    case .connect: return record.connect.pointee.result
    case .unix: return record.unix.pointee.result
    case .call: return record.call.pointee.result
    default: return 0
    }
  }

  private var resultText: ByteView {
    result >= 0 ? ByteView("SUCCESS") : ByteView(ErrorNumber.name(ofResult: result))
  }

  private var typeName: FieldValue { type.map { .text(ByteView($0.name)) } ?? .missing }

  private func isType(_ selector: FieldSelector) -> FieldValue {
    guard let type, case .key(let name) = selector else { return .missing }
    return .unsigned(ByteView(type.name) == name ? 1 : 0)
  }

  private var category: ByteView {
    switch record?.kind {
    case .exec: "process"
    case .open, .model: "file"
    case .call: callCategory
    case .start: "internal"
    default: "net"
    }
  }

  private var callCategory: ByteView {
    switch type {
    case .socket: "net"
    case .execve, .execveat, .ptrace, .prctl, .unshare, .setns, .pidfdOpen, .chdir, .fchdir, .chroot: "process"
    case .setuid, .setgid, .setreuid, .setregid, .setresuid, .setresgid, .capset: "user"
    case .kill, .tkill, .tgkill: "signal"
    case .dup, .dup2, .dup3: "IO-other"
    case .bpf, .initModule, .finitModule, .deleteModule, .ioUringSetup, .userfaultfd, .processVmReadv,
      .processVmWritev:
      "system"
    default: "file"
    }
  }

  /// `creat` counts as neither, as rules written for Falco expect.
  private func isOpen(for access: Int32) -> Bool {
    guard let record, record.kind == .open, type != .creat else { return false }
    let asked = Int32(bitPattern: record.open.pointee.open_flags) & O_ACCMODE
    return asked == access || asked == O_RDWR
  }

  /// Opening by handle has no mode.
  private var isOpenForExecution: Bool {
    guard let record, record.kind == .open, type != .openByHandleAt else { return false }
    let part = record.open.pointee
    let makesFile = type == .creat || OpenFlags(kernel: part.open_flags).contains(where: [.create, .temporaryFile])
    return makesFile && part.create_mode & 0o111 != 0
  }

  private var isOpenThatCreates: Bool {
    guard let record, record.kind == .open, type != .creat else { return false }
    return openFlags(record.open.pointee).contains(where: [.created])
      || result >= 0 && OpenFlags(kernel: record.open.pointee.open_flags).contains(where: [.temporaryFile])
  }

  private mutating func absolutePath(_ selector: FieldSelector) -> FieldValue {
    // Calls with two paths have a source and a destination; these have one.
    if case .key = selector { return .missing }
    switch type {
    case .openat, .openat2: return spelledPath().map { .text($0) } ?? .missing
    case .openByHandleAt: return result > 0 ? spelledPath().map { .text($0) } ?? .missing : .missing
    default: return .missing
    }
  }

  private func timeText(_ field: Field) -> ByteView {
    guard let scratch else { return .empty }
    let dayTime = scratch.time
    let dateTime = dayTime + TimeText.timeOfDayByteCount
    let isoTime = dateTime + TimeText.dateTimeByteCount + 5
    switch field {
    case .eventTime, .eventTimeSeconds:
      TimeText.writeTimeOfDay(nanoseconds: realtimeNanoseconds, at: dayTime)
      return ByteView(start: dayTime, count: field == .eventTime ? TimeText.timeOfDayByteCount : 8)
    case .eventTimeISO:
      TimeText.writeDateTime(nanoseconds: realtimeNanoseconds, at: isoTime)
      // In place of the `Z`.
      let zone = ByteView("+0000")
      (isoTime + TimeText.dateTimeByteCount - 1).update(from: zone.start, count: zone.count)
      return ByteView(start: isoTime, count: TimeText.dateTimeByteCount - 1 + zone.count)
    default:
      TimeText.writeDateTime(nanoseconds: realtimeNanoseconds, at: dateTime)
      dateTime[10] = UInt8(ascii: " ")
      return ByteView(start: dateTime, count: field == .eventDateTime ? TimeText.dateTimeByteCount - 1 : 19)
    }
  }
}
