// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents

/// One `switch` over every field: a field without extraction does not compile.
extension EventContext {
  mutating func extract(_ field: Field, at selector: FieldSelector) -> FieldValue {
    guard let record, let state else { return .missing }
    switch field {
    case .eventNumber: return .unsigned(state.eventNumber)
    case .eventTime: return .text(timeOfDay())
    case .eventRawTime: return .unsigned(UInt64(bitPattern: realtimeNanoseconds))
    case .eventType: return .text(ByteView(type.name))
    case .eventRawResult: return .signed(result)
    case .eventResult: return .text(resultText)
    case .eventIsOpenRead: return .boolean(isOpen(for: O_RDONLY))
    case .eventIsOpenWrite: return .boolean(isOpen(for: O_WRONLY))
    case .eventIsIOURing: return .boolean(record.has(flag: UInt32(MARTLET_FLAG_IO_URING)))
    case .eventHostname: return .text(state.hostname)
    case .processName: return .text(record.comm)
    case .processExe: return imageText(of: slot, .exe)
    case .processExePath: return imageText(of: slot, .exePath)
    case .processArguments: return imageText(of: slot, .arguments)
    case .processCommandLine: return imageText(of: slot, .commandLine)
    case .processDirectory: return imageText(of: slot, .directory)
    case .processID: return .signed(Int64(record.common.pointee.process_id))
    case .processParentID: return processNumber(process.pointee.parentID)
    case .processNamespaceID: return processNumber(process.pointee.namespaceProcessID)
    case .processSessionID: return processNumber(process.pointee.sessionID)
    case .processTerminal: return .unsigned(UInt64(process.pointee.terminal))
    case .processParentName: return comm(of: ancestor(1))
    case .processParentExe: return imageText(of: ancestor(1), .exe)
    case .processParentExePath: return imageText(of: ancestor(1), .exePath)
    case .processParentCommandLine: return imageText(of: ancestor(1), .commandLine)
    case .processAncestorName: return selector.index == 0 ? .text(record.comm) : comm(of: ancestor(selector.index))
    case .processAncestorExePath: return imageText(of: ancestor(selector.index), .exePath)
    case .processIsExeUpperLayer: return exeFlag(MARTLET_FILE_UPPER_LAYER)
    case .processIsExeLowerLayer: return exeFlag(MARTLET_FILE_LOWER_LAYER)
    case .processIsExeFromMemfd: return exeFlag(MARTLET_FILE_MEMFD)
    case .processDuration: return duration
    case .threadID: return .signed(Int64(record.common.pointee.thread_id))
    case .userID: return .unsigned(UInt64(record.common.pointee.user_id))
    case .userLoginID: return .signed(process.pointee.loginUserID == .max ? -1 : Int64(process.pointee.loginUserID))
    case .groupID: return .unsigned(UInt64(record.common.pointee.group_id))
    case .containerID: return .text(container.shortID)
    case .containerFullID: return process.pointee.container == .host ? .missing : .text(container.id)
    case .containerType: return container.type.map { .text($0) } ?? .missing
    case .podUID: return container.podUID.map { .text($0) } ?? .missing
    case .fdNumber, .fdType, .fdTypeChar, .fdName, .fdNameRaw, .fdRealPath, .fdDirectory, .fdFilename, .fdInode,
      .fdDevice, .fdProtocol, .fdSocketFamily, .fdIsConnected, .fdNameChanged, .fdClientAddress, .fdServerAddress,
      .fdLocalAddress,
      .fdRemoteAddress, .fdClientPort, .fdServerPort, .fdLocalPort, .fdRemotePort, .fdEitherAddress,
      .fdEitherPort, .fdEitherNetwork, .fdClientNetwork, .fdServerNetwork, .fdLocalNetwork, .fdRemoteNetwork:
      return extractDescriptor(field, index: selector.index)
    }
  }

  // MARK: - Event

  private var result: Int64 {
    guard let record else { return 0 }
    switch record.kind {
    case .open: return record.open.pointee.result
    case .connect: return record.connect.pointee.result
    case .unix: return record.unix.pointee.result
    default: return 0
    }
  }

  private var resultText: ByteView {
    result >= 0 ? ByteView("SUCCESS") : ByteView(ErrorNumber.name(of: -result))
  }

  /// `creat` counts as neither, as rules written for Falco expect.
  private func isOpen(for access: Int32) -> Bool {
    guard let record, record.kind == .open, type != .creat else { return false }
    let asked = Int32(bitPattern: record.open.pointee.open_flags) & O_ACCMODE
    return asked == access || asked == O_RDWR
  }

  private func timeOfDay() -> ByteView {
    guard let scratch else { return .empty }
    TimeText.writeTimeOfDay(nanoseconds: realtimeNanoseconds, at: scratch.time)
    return ByteView(start: scratch.time, count: ContextScratch.timeByteCount)
  }

  // MARK: - Process

  private var process: UnsafeMutablePointer<Process> { process(at: slot) }

  /// Sound because every slot in a context is one that `apply` found or made, so it lies in the table.
  private func process(at slot: Int32) -> UnsafeMutablePointer<Process> {
    guard let state else { preconditionFailure("a context without state has no process") }
    return state.processes.slots + Int(slot)
  }

  private var container: Container {
    guard let state else { preconditionFailure("a context without state has no container") }
    return state.containers[Int(process.pointee.container.rawValue)]
  }

  private func processNumber(_ number: UInt32) -> FieldValue {
    number == 0 ? .missing : .signed(Int64(number))
  }

  private func comm(of slot: Int32) -> FieldValue {
    guard slot >= 0 else { return .missing }
    let start = UnsafeRawPointer(process(at: slot)) + Process.commOffset
    let whole = ByteView(start: start.assumingMemoryBound(to: UInt8.self), count: Int(MARTLET_COMM_BYTES))
    return .text(whole.slice(from: 0, to: whole.firstIndex(of: 0) ?? whole.count))
  }

  private func imageText(of slot: Int32, _ text: ProcessImage.Text) -> FieldValue {
    guard slot >= 0, let image = process(at: slot).pointee.image else { return .missing }
    return ProcessImage.view(image, text).map { .text($0) } ?? .missing
  }

  private func exeFlag(_ flag: UInt32) -> FieldValue {
    guard let image = process.pointee.image else { return .missing }
    return .boolean(image.pointee.exeFlags & flag != 0)
  }

  private var duration: FieldValue {
    let start = process.pointee.startNanoseconds
    guard let record, start > 0 else { return .missing }
    return .unsigned(record.timeNanoseconds >= start ? record.timeNanoseconds - start : 0)
  }
}
