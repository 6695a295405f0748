// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents

/// The parameters of a call, in the forms that Falco gives them: `evt.arg`, `evt.rawarg`, `evt.args`.
extension EventContext {
  /// What a parameter stands for, or else its plain form; `<NA>` where there is nothing in it.
  mutating func parameterText(_ selector: FieldSelector) -> FieldValue {
    if let callRecord { return callParameterText(selector, callRecord) }
    guard let parameter = parameter(selector), isKnown(parameter) else { return .missing }
    var text = beginText()
    writeMeaning(of: parameter, to: &text)
    if text.count == 0 { writePlain(parameter, to: &text) }
    if text.count == 0 { text.append("<NA>") }
    return .text(end(text))
  }

  /// `name=plain(meaning)`, with spaces between; what records do not carry is left out.
  mutating func allParameters() -> ByteView {
    if let callRecord { return allCallParameters(callRecord) }
    guard let type else { return .empty }
    var text = beginText()
    for parameter in CapturedParameter.all(of: type) {
      guard let parameter, isKnown(parameter) else { continue }
      if text.count > 0 { text.append(" ") }
      text.append(ByteView(parameter.name))
      text.append("=")
      let plainStart = text.count
      writePlain(parameter, to: &text)
      if text.count == plainStart { text.append("NULL") }
      let plainEnd = text.count
      text.append("(")
      writeMeaning(of: parameter, to: &text)
      if text.count == plainEnd + 1 { text.cut(to: plainEnd) } else { text.append(")") }
    }
    return end(text)
  }

  /// Whether this record carries it. Ends of a connection have no raw value of ours, and yet are there.
  private mutating func isKnown(_ parameter: CapturedParameter) -> Bool {
    if parameter == .tuple || parameter == .address { return true }
    if case .missing = rawParameter(parameter) { return false }
    return true
  }

  private func parameter(_ selector: FieldSelector) -> CapturedParameter? {
    guard let type else { return nil }
    switch selector {
    case .whole: return nil
    case .key(let name): return CapturedParameter(named: name, of: type)
    case .index(let index):
      let all = CapturedParameter.all(of: type)
      return all.indices.contains(index) ? all[index] : nil
    }
  }

  // MARK: - Values

  mutating func rawParameter(_ selector: FieldSelector) -> FieldValue {
    if let callRecord { return rawCallParameter(selector, callRecord) }
    guard let record, let parameter = parameter(selector) else { return .missing }
    switch record.kind {
    case .exec: return rawValue(of: parameter, record.process.pointee, record)
    case .open: return rawValue(of: parameter, record.open.pointee, record)
    case .connect: return rawValue(of: parameter, result: result, fd: record.connect.pointee.fd)
    case .unix: return rawValue(of: parameter, result: result, fd: record.unix.pointee.fd)
    default: return .missing
    }
  }

  private func rawValue(
    of parameter: CapturedParameter, _ part: martlet_process, _ record: EventRecord
  ) -> FieldValue {
    switch parameter {
    case .result: .signed(0)
    case .exe: imageText(of: slot, .exe)
    case .arguments: imageText(of: slot, .separateArguments)
    case .threadID: .signed(Int64(part.record.thread_id))
    case .processID: .signed(Int64(part.record.process_id))
    case .parentID: .signed(Int64(part.parent_id))
    case .directory: imageText(of: slot, .directory)
    case .comm: .text(record.comm)
    case .terminal: .unsigned(UInt64(part.terminal))
    case .namespaceGroupID: .signed(Int64(part.namespace_process_group_id))
    case .groupProcessID: .signed(Int64(part.process_group_id))
    case .loginUserID: .unsigned(UInt64(part.login_user_id))
    case .flags: .unsigned(UInt64(ExeFlags(part.exe_flags).rawValue))
    case .capabilitiesInheritable: .unsigned(part.capabilities_inheritable)
    case .capabilitiesPermitted: .unsigned(part.capabilities_permitted)
    case .capabilitiesEffective: .unsigned(part.capabilities_effective)
    case .exeInode: .unsigned(part.exe_inode)
    case .exeChanged: .unsigned(part.exe_changed_ns)
    case .exeModified: .unsigned(part.exe_modified_ns)
    case .userID: .unsigned(UInt64(part.record.user_id))
    case .groupID: .unsigned(UInt64(part.record.group_id))
    case .exePath: imageText(of: slot, .exePath)
    case .filename, .pathname: .text(record.bytes(part.filename))
    default: .missing
    }
  }

  private func rawValue(of parameter: CapturedParameter, _ part: martlet_open, _ record: EventRecord) -> FieldValue {
    switch parameter {
    case .descriptor: .signed(part.result)
    case .directoryDescriptor, .mountDescriptor: .signed(Int64(part.directory_fd))
    case .name: .text(record.bytes(part.name))
    case .path: .text(record.bytes(part.path))
    case .flags: .unsigned(UInt64(openFlags(part).rawValue))
    case .mode: .unsigned(UInt64(part.create_mode))
    case .device: .unsigned(UInt64(userDevice(part.device)))
    case .inode: .unsigned(part.inode)
    default: .missing
    }
  }

  /// Of a socket.
  private func rawValue(of parameter: CapturedParameter, result: Int64, fd: Int32) -> FieldValue {
    switch parameter {
    case .result: .signed(result)
    case .descriptor: fd >= 0 ? .signed(Int64(fd)) : .missing
    default: .missing
    }
  }

  /// With what is known of the file besides what the call asked for.
  func openFlags(_ part: martlet_open) -> OpenFlags {
    let wasCreated: UInt32 = 0x10_0000
    var flags = OpenFlags(kernel: part.open_flags)
    if part.file_mode & wasCreated != 0 { flags.insert(.created) }
    if part.file_flags & MARTLET_FILE_UPPER_LAYER != 0 { flags.insert(.upperLayer) }
    if part.file_flags & MARTLET_FILE_LOWER_LAYER != 0 { flags.insert(.lowerLayer) }
    return flags
  }

  // MARK: - Texts

  private mutating func writePlain(_ parameter: CapturedParameter, to text: inout ContextText) {
    guard let record else { return }
    switch (parameter, rawParameter(parameter)) {
    case (.arguments, .text(let bytes)): text.append(printable: bytes)
    case (.tuple, _) where record.kind == .unix, (.address, _) where record.kind == .unix: text.append(unixName(record))
    case (.tuple, _): writeEnds(record.connect.pointee, to: &text)
    case (.address, _) where type == .bind:
      text.append(address: localAddress(record.connect.pointee), port: record.connect.pointee.local_port)
    case (.address, _):
      text.append(address: remoteAddress(record.connect.pointee), port: record.connect.pointee.remote_port)
    case (.exeChanged, .unsigned(let time)), (.exeModified, .unsigned(let time)): text.append(dateTime: time)
    case (.mode, .unsigned(let mode)):
      if mode > 0 { text.append("0") }
      text.append(mode, bitsPerDigit: 3)
    case (.device, .unsigned(let number)), (.capabilitiesInheritable, .unsigned(let number)),
      (.capabilitiesPermitted, .unsigned(let number)), (.capabilitiesEffective, .unsigned(let number)):
      text.append(number, bitsPerDigit: 4)
    case (.loginUserID, .unsigned(let number)) where number == UInt64(UInt32.max): text.append("-1")
    case (_, .text(let bytes)): text.append(bytes)
    case (_, .signed(let number)): text.append(number)
    case (_, .unsigned(let number)): text.append(number)
    default: break
    }
  }

  private mutating func rawParameter(_ parameter: CapturedParameter) -> FieldValue {
    rawParameter(.key(ByteView(parameter.name)))
  }

  /// Writes nothing where a parameter stands for itself.
  private mutating func writeMeaning(of parameter: CapturedParameter, to text: inout ContextText) {
    guard let record else { return }
    switch (parameter, rawParameter(parameter)) {
    case (.result, .signed(let number)), (.descriptor, .signed(let number)):
      if number < 0 {
        text.append(ByteView(ErrorNumber.name(ofResult: number)))
      } else if parameter == .descriptor {
        writeDescriptor(record, to: &text)
      }
    case (.directoryDescriptor, .signed(let number)): if number == Int64(AT_FDCWD) { text.append("AT_FDCWD") }
    case (.threadID, .signed), (.processID, .signed): text.append(record.comm)
    case (.parentID, .signed(let number)), (.groupProcessID, .signed(let number)),
      (.namespaceGroupID, .signed(let number)):
      guard let state, number > 0, case .text(let comm) = comm(of: state.processes.find(UInt32(number))) else { return }
      text.append(comm)
    case (.flags, .unsigned(let bits)): writeFlags(UInt32(truncatingIfNeeded: bits), record.kind, to: &text)
    case (.name, _), (.path, _): if let path = spelledPath() { text.append(path) }
    default: break
    }
  }

  private mutating func writeDescriptor(_ record: EventRecord, to text: inout ContextText) {
    guard case .text(let letter) = extract(.fdTypeChar, at: .whole) else { return }
    text.append("<")
    text.append(letter)
    if record.kind == .connect {
      text.append(record.connect.pointee.protocol == UInt16(IPPROTO_UDP) ? "u>" : "t>")
      writeEnds(record.connect.pointee, to: &text)
    } else if record.kind == .unix {
      text.append(">")
      text.append(unixName(record))
    } else {
      text.append(">")
      if let path = spelledPath() { text.append(path) }
    }
  }

  private func writeEnds(_ part: martlet_connect, to text: inout ContextText) {
    let isServer = isServerEnd
    if isServer, type != .listen, type != .bind {
      text.append(address: remoteAddress(part), port: part.remote_port)
      text.append("->")
    }
    text.append(address: localAddress(part), port: part.local_port)
    guard !isServer else { return }
    text.append("->")
    text.append(address: remoteAddress(part), port: part.remote_port)
  }

  private func writeFlags(_ bits: UInt32, _ kind: EventKind, to text: inout ContextText) {
    var rest = bits
    func write(_ flag: UInt32, _ name: StaticString, _ text: inout ContextText) {
      guard rest & flag == flag else { return }
      rest &= ~flag
      if rest | flag != bits { text.append("|") }
      text.append(ByteView(name))
    }
    if kind == .exec {
      for (flag, name) in ExeFlags.names { write(flag.rawValue, name, &text) }
    } else {
      for (flag, name) in OpenFlags.names { write(flag.rawValue, name, &text) }
    }
  }
}

/// What Falco says of an executable among the parameters of an exec.
struct ExeFlags: OptionSet {
  let rawValue: UInt32

  static let upperLayer = ExeFlags(rawValue: 1 << 1)
  static let fromMemfd = ExeFlags(rawValue: 1 << 2)
  static let lowerLayer = ExeFlags(rawValue: 1 << 3)

  static let names: [(ExeFlags, StaticString)] = [
    (.upperLayer, "EXE_UPPER_LAYER"), (.fromMemfd, "EXE_FROM_MEMFD"), (.lowerLayer, "EXE_LOWER_LAYER"),
  ]

  init(rawValue: UInt32) { self.rawValue = rawValue }

  /// From MARTLET_FILE_*.
  init(_ flags: UInt32) {
    var result: ExeFlags = []
    if flags & MARTLET_FILE_UPPER_LAYER != 0 { result.insert(.upperLayer) }
    if flags & MARTLET_FILE_MEMFD != 0 { result.insert(.fromMemfd) }
    if flags & MARTLET_FILE_LOWER_LAYER != 0 { result.insert(.lowerLayer) }
    self = result
  }
}
