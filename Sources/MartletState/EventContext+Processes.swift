// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import MartletEvents

/// What rules ask about the process that acted, its session and its group, and the processes that it comes from.
extension EventContext {
  mutating func extractProcess(_ field: Field, _ selector: FieldSelector, _ record: EventRecord) -> FieldValue {
    if record.kind == .start, let value = initialValue(of: field) { return value }
    let common = record.common.pointee
    switch field {
    case .processName: return .text(record.comm)
    case .processExe: return imageText(of: slot, .exe)
    case .processExePath: return imageText(of: slot, .exePath)
    case .processArguments: return arguments(selector)
    case .processCommandLine: return imageText(of: slot, .commandLine)
    case .processExeLine: return exeLine()
    case .processArgumentCount: return argumentMeasure { $0.count }
    case .processArgumentLength: return argumentMeasure { $0.byteCount }
    case .processDirectory: return imageText(of: slot, .directory)
    case .processEnvironment: return environment(selector)
    case .processID: return .signed(Int64(common.process_id))
    case .processParentID: return processNumber(process.pointee.parentID)
    case .processNamespaceID: return processNumber(process.pointee.namespaceProcessID)
    case .processParentNamespaceID:
      let parent = ancestor(1)
      return parent < 0 ? .missing : processNumber(process(at: parent).pointee.namespaceProcessID)
    case .processSessionID: return processNumber(process.pointee.sessionID)
    case .processGroupID: return processNumber(process.pointee.processGroupID)
    case .processNamespaceGroupID: return processNumber(process.pointee.namespaceProcessGroupID)
    case .processTerminal: return .unsigned(UInt64(process.pointee.terminal))
    case .processIsSessionLeader: return isLeader(process.pointee.sessionID)
    case .processIsGroupLeader, .processIsNamespaceGroupLeader: return isLeader(process.pointee.processGroupID)
    case .processIsExeUpperLayer: return exeFlag(MARTLET_FILE_UPPER_LAYER)
    case .processIsExeLowerLayer: return exeFlag(MARTLET_FILE_LOWER_LAYER)
    case .processIsExeFromMemfd: return exeFlag(MARTLET_FILE_MEMFD)
    case .processExeInode: return exeNumber { $0.exeInode == 0 ? .missing : .signed(Int64(bitPattern: $0.exeInode)) }
    case .processExeChanged: return exeNumber { moment($0.exeChangedNanoseconds) }
    case .processExeModified: return exeNumber { moment($0.exeModifiedNanoseconds) }
    case .processExeAge: return exeNumber { exeAge(changed: $0.exeChangedNanoseconds) }
    case .processDuration: return duration(of: slot)
    case .processParentDuration: return duration(of: ancestor(1))
    case .processStart: return start(of: slot)
    case .processParentStart: return start(of: ancestor(1))
    case .threadID: return .signed(Int64(common.thread_id))
    case .threadIsMain: return .boolean(common.thread_id == common.process_id)
    case .threadCapabilitiesEffective: return capabilities(process.pointee.capabilities.effective)
    case .threadCapabilitiesPermitted: return capabilities(process.pointee.capabilities.permitted)
    case .threadCapabilitiesInheritable: return capabilities(process.pointee.capabilities.inheritable)
    case .userID: return .unsigned(UInt64(common.user_id))
    case .userLoginID: return .signed(process.pointee.loginUserID == .max ? -1 : Int64(process.pointee.loginUserID))
    case .groupID: return .unsigned(UInt64(common.group_id))
    default: return .missing
    }
  }

  /// Of a container's start: what other events bring with them, of the process that it was started with. Nil for what is
  /// known of any process.
  private func initialValue(of field: Field) -> FieldValue? {
    switch field {
    case .processName: comm(of: slot)
    case .processID, .threadID: processNumber(process.pointee.processID)
    case .threadIsMain: .boolean(true)
    case .userID: isStandIn ? .missing : .unsigned(UInt64(process.pointee.userID))
    case .groupID: isStandIn ? .missing : .unsigned(UInt64(process.pointee.groupID))
    default: nil
    }
  }

  private var isStandIn: Bool { slot == ProcessTable.overflowSlot }

  /// `K=V K2=V2`, or the value of one variable.
  private mutating func environment(_ selector: FieldSelector) -> FieldValue {
    guard case .text(let all) = imageText(of: slot, .environment) else { return .missing }
    switch selector {
    case .index: return .missing
    case .whole:
      var text = beginText()
      for index in 0..<all.count where index + 1 < all.count || all[index] != 0 {
        text.append(byte: all[index] == 0 ? UInt8(ascii: " ") : all[index])
      }
      return .text(end(text))
    case .key(let name):
      var rest = all
      while !rest.isEmpty {
        let end = rest.firstIndex(of: 0) ?? rest.count
        if end > name.count, rest.hasPrefix(name), rest[name.count] == UInt8(ascii: "=") {
          return .text(rest.slice(from: name.count + 1, to: end))
        }
        rest = rest.slice(from: end + 1, to: rest.count)
      }
      return .missing
    }
  }

  /// What users and groups are called, as the container's own files have it, or the host's for what runs there.
  func extractAccount(_ field: Field, _ record: EventRecord) -> FieldValue {
    let isStart = record.kind == .start
    let id: UInt32 =
      switch field {
      case .userLoginName: process.pointee.loginUserID
      case .groupName: isStart ? process.pointee.groupID : record.common.pointee.group_id
      default: isStart ? process.pointee.userID : record.common.pointee.user_id
      }
    let accounts = isStart && isStandIn ? nil : container.accounts
    if accounts == nil, !(isStart && isStandIn), awaits(.users) { return .pending }
    if let accounts, case let list = field == .groupName ? accounts.groups : accounts.users,
      let account = list.account(id)
    {
      switch field {
      case .userHome: return .text(list.home(account))
      case .userShell: return .text(list.shell(account))
      default: return .text(list.name(account))
      }
    }
    let isRoot = id == 0 && field != .userHome && field != .userShell && !(isStart && isStandIn)
    return .text(isRoot ? "root" : "<NA>")
  }

  mutating func extractLineage(_ field: Field, _ index: Int, _ record: EventRecord) -> FieldValue {
    switch field {
    case .processParentName: return comm(of: ancestor(1))
    case .processParentExe: return imageText(of: ancestor(1), .exe)
    case .processParentExePath: return imageText(of: ancestor(1), .exePath)
    case .processParentCommandLine: return imageText(of: ancestor(1), .commandLine)
    case .processAncestorName:
      return index == 0 && record.kind != .start ? .text(record.comm) : comm(of: ancestor(index))
    case .processAncestorExe: return imageText(of: ancestor(index), .exe)
    case .processAncestorExePath: return imageText(of: ancestor(index), .exePath)
    case .processAncestorCommandLine: return imageText(of: ancestor(index), .commandLine)
    case .processAncestorArguments: return imageText(of: ancestor(index), .arguments)
    case .processAncestorID:
      let ancestor = ancestor(index)
      return ancestor < 0 ? .missing : .signed(Int64(process(at: ancestor).pointee.processID))
    case .processSessionName: return comm(of: leader(.session))
    case .processSessionExe: return imageText(of: leader(.session), .exe)
    case .processSessionExePath: return imageText(of: leader(.session), .exePath)
    case .processGroupName, .processNamespaceGroupName: return comm(of: leader(.group))
    case .processGroupExe, .processNamespaceGroupExe: return imageText(of: leader(.group), .exe)
    case .processGroupExePath, .processNamespaceGroupExePath:
      return imageText(of: leader(.group), .exePath)
    default: return .missing
    }
  }

  var process: UnsafeMutablePointer<Process> { process(at: slot) }

  /// Sound because every slot in a context is one that `apply` found or made, so it lies in the table.
  func process(at slot: Int32) -> UnsafeMutablePointer<Process> {
    guard let state else { preconditionFailure("a context without state has no process") }
    return state.processes.slots + Int(slot)
  }

  var container: Container {
    guard let state else { preconditionFailure("a context without state has no container") }
    return state.containers[Int(process.pointee.container.rawValue)]
  }

  func processNumber(_ number: UInt32) -> FieldValue {
    number == 0 ? .missing : .signed(Int64(number))
  }

  func comm(of slot: Int32) -> FieldValue {
    guard slot >= 0 else { return .missing }
    let start = UnsafeRawPointer(process(at: slot)) + Process.commOffset
    let whole = ByteView(start: start.assumingMemoryBound(to: UInt8.self), count: Int(MARTLET_COMM_BYTES))
    return .text(whole.slice(from: 0, to: whole.firstIndex(of: 0) ?? whole.count))
  }

  func imageText(of slot: Int32, _ text: ProcessImage.Text) -> FieldValue {
    guard slot >= 0, let image = process(at: slot).pointee.image else { return .missing }
    return ProcessImage.view(image, text).map { .text($0) } ?? .missing
  }

  // MARK: - Arguments

  private mutating func arguments(_ selector: FieldSelector) -> FieldValue {
    guard case .index(let index) = selector else { return imageText(of: slot, .arguments) }
    guard let image = process.pointee.image, let all = ProcessImage.view(image, .separateArguments) else {
      return .missing
    }
    return Arguments(all).argument(at: index).map { .text($0) } ?? .missing
  }

  private mutating func exeLine() -> FieldValue {
    guard case .text(let exe) = imageText(of: slot, .exe), case .text(let arguments) = imageText(of: slot, .arguments)
    else { return .missing }
    guard !arguments.isEmpty else { return .text(exe) }
    var text = beginText()
    text.append(exe)
    text.append(" ")
    text.append(arguments)
    return .text(end(text))
  }

  private func argumentMeasure(_ measure: (Arguments) -> Int) -> FieldValue {
    guard let image = process.pointee.image, let all = ProcessImage.view(image, .separateArguments) else {
      return .missing
    }
    return .unsigned(UInt64(measure(Arguments(all))))
  }

  // MARK: - The executable, times, leaders

  private func exeFlag(_ flag: UInt32) -> FieldValue {
    exeNumber { .boolean($0.exeFlags & flag != 0) }
  }

  private func exeNumber(_ value: (ProcessImage) -> FieldValue) -> FieldValue {
    process.pointee.image.map { value($0.pointee) } ?? .missing
  }

  private func moment(_ nanoseconds: UInt64) -> FieldValue { nanoseconds == 0 ? .missing : .unsigned(nanoseconds) }

  private func exeAge(changed: UInt64) -> FieldValue {
    guard changed > 0, case .unsigned(let start) = start(of: slot), start > changed else { return .missing }
    return .unsigned(start - changed)
  }

  private func duration(of slot: Int32) -> FieldValue {
    guard slot >= 0, let record else { return .missing }
    let start = process(at: slot).pointee.startNanoseconds
    guard start > 0 else { return .missing }
    return .unsigned(record.timeNanoseconds >= start ? record.timeNanoseconds - start : 0)
  }

  private func start(of slot: Int32) -> FieldValue {
    guard slot >= 0, let state else { return .missing }
    let start = process(at: slot).pointee.startNanoseconds
    guard start > 0 else { return .missing }
    return .unsigned(UInt64(bitPattern: Int64(bitPattern: start) &+ state.realtimeOffsetNanoseconds))
  }

  private func isLeader(_ identifier: UInt32) -> FieldValue {
    identifier == 0 ? .missing : .boolean(identifier == process.pointee.processID)
  }

  /// The process that a session or group is named after, or else the oldest of the ancestors in a row that belong to
  /// it; the process itself if none does.
  private mutating func leader(_ circle: Circle) -> Int32 {
    let number = number(of: circle, slot)
    guard number != 0, let state else { return -1 }
    let found = state.processes.find(number)
    if found >= 0 { return found }
    var leader = slot
    var index = 1
    while case let next = ancestor(index), next >= 0, self.number(of: circle, next) == number {
      leader = next
      index += 1
    }
    return leader
  }

  private enum Circle { case session, group }

  private func number(of circle: Circle, _ slot: Int32) -> UInt32 {
    circle == .session ? process(at: slot).pointee.sessionID : process(at: slot).pointee.processGroupID
  }

  private mutating func capabilities(_ bits: UInt64) -> FieldValue {
    var text = beginText()
    for bit in 0..<CapabilityName.count where bits >> UInt64(bit) & 1 != 0 {
      if text.count > 0 { text.append(" ") }
      text.append(ByteView(CapabilityName.name(bit)))
    }
    return .text(end(text))
  }
}

/// Arguments, each ended by NUL but the last. None at all and a single empty one look the same, and count as none.
struct Arguments {
  private let bytes: ByteView

  init(_ bytes: ByteView) { self.bytes = bytes }

  var count: Int {
    guard !bytes.isEmpty else { return 0 }
    var count = 1
    for index in 0..<bytes.count where bytes[index] == 0 { count += 1 }
    return count
  }

  /// Of all together, without what separates them.
  var byteCount: Int { bytes.count - max(count - 1, 0) }

  /// From 0.
  func argument(at index: Int) -> ByteView? {
    var rest = bytes
    var place = 0
    while !bytes.isEmpty {
      let end = rest.firstIndex(of: 0)
      if place == index { return rest.slice(from: 0, to: end ?? rest.count) }
      guard let end else { return nil }
      rest = rest.slice(from: end + 1, to: rest.count)
      place += 1
    }
    return nil
  }
}
