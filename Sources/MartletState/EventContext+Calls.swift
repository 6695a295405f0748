// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents

/// The parameters of calls that come as `EventKind.call`, in the forms that Falco gives them.
extension EventContext {
  /// Nil where the event is of another kind.
  var callRecord: EventRecord? {
    guard let record, record.kind == .call else { return nil }
    return record
  }

  func callParameter(_ selector: FieldSelector) -> CallParameter? {
    guard let type else { return nil }
    let all = CallParameter.all(of: type)
    switch selector {
    case .whole: return nil
    case .key(let name): return all.first { ByteView($0.name) == name }
    case .index(let index): return all.indices.contains(index) ? all[index] : nil
    }
  }

  func rawCallParameter(_ selector: FieldSelector, _ record: EventRecord) -> FieldValue {
    callParameter(selector).map { rawValue(of: $0, record) } ?? .missing
  }

  mutating func callParameterText(_ selector: FieldSelector, _ record: EventRecord) -> FieldValue {
    guard let parameter = callParameter(selector) else { return .missing }
    var text = beginText()
    writeMeaning(of: parameter, record, to: &text)
    if text.count == 0 { writePlain(parameter, record, to: &text) }
    if text.count == 0 { text.append("<NA>") }
    return .text(end(text))
  }

  mutating func allCallParameters(_ record: EventRecord) -> ByteView {
    guard let type else { return .empty }
    var text = beginText()
    for parameter in CallParameter.all(of: type) {
      if text.count > 0 { text.append(" ") }
      text.append(ByteView(parameter.name))
      text.append("=")
      let plainStart = text.count
      writePlain(parameter, record, to: &text)
      if text.count == plainStart { text.append("NULL") }
      let plainEnd = text.count
      text.append("(")
      writeMeaning(of: parameter, record, to: &text)
      if text.count == plainEnd + 1 { text.cut(to: plainEnd) } else { text.append(")") }
    }
    return end(text)
  }

  func rawValue(of parameter: CallParameter, _ record: EventRecord) -> FieldValue {
    let part = record.call
    switch parameter.value {
    case .result: return .signed(part.pointee.result)
    case .descriptor: return .signed(part.pointee.fd >= 0 ? Int64(part.pointee.fd) : part.pointee.result)
    case .name(let index): return .text(name(index, record))
    case .capabilitiesInheritable: return .unsigned(part.pointee.capabilities_inheritable)
    case .capabilitiesPermitted: return .unsigned(part.pointee.capabilities_permitted)
    case .capabilitiesEffective: return .unsigned(part.pointee.capabilities_effective)
    case .argument(let index):
      let value = argument(index, record)
      switch parameter.form {
      // The kernel takes these as 32-bit numbers with a sign.
      case .directory, .process, .user, .number:
        return .signed(Int64(Int32(truncatingIfNeeded: value)))
      default: return .unsigned(value)
      }
    }
  }

  private func argument(_ index: Int, _ record: EventRecord) -> UInt64 {
    let all = record.call.pointee.arguments
    switch index {
    case 0: return all.0
    case 1: return all.1
    case 2: return all.2
    case 3: return all.3
    case 4: return all.4
    default: return all.5
    }
  }

  private func name(_ index: Int, _ record: EventRecord) -> ByteView {
    let names = record.call.pointee.names
    return record.bytes(index == 0 ? names.0 : index == 1 ? names.1 : names.2)
  }

  private mutating func writePlain(_ parameter: CallParameter, _ record: EventRecord, to text: inout ContextText) {
    switch (parameter.form, rawValue(of: parameter, record)) {
    case (.hexadecimal, .unsigned(let number)), (.anyOf, .unsigned(let number)):
      text.append(number, bitsPerDigit: 4)
    case (_, .text(let bytes)): text.append(bytes)
    case (_, .signed(let number)): text.append(number)
    case (_, .unsigned(let number)): text.append(number)
    default: break
    }
  }

  /// Writes nothing where a parameter stands for itself.
  private mutating func writeMeaning(
    of parameter: CallParameter, _ record: EventRecord, to text: inout ContextText
  ) {
    switch (parameter.form, rawValue(of: parameter, record)) {
    case (.result, .signed(let number)): if number < 0 { text.append(ByteView(ErrorNumber.name(ofResult: number))) }
    case (.descriptor, .signed(let number)):
      if number < 0 {
        text.append(ByteView(ErrorNumber.name(ofResult: number)))
      } else {
        writeDescriptor(record, to: &text)
      }
    case (.directory, .signed(let number)): if number == Int64(AT_FDCWD) { text.append("AT_FDCWD") }
    case (.path(let index), .text(let name)): writePath(name, below: index, record, to: &text)
    case (.process, .signed(let number)):
      guard let state, number > 0, case .text(let comm) = comm(of: state.processes.find(UInt32(number))) else { return }
      text.append(comm)
    // Other users' names are the node's to tell.
    case (.user, .signed(let number)): if number == 0 { text.append("root") }
    case (.oneOf(let names), .unsigned(let number)):
      if let found = names.table.first(where: { $0.value == number }) { text.append(ByteView(found.name)) }
    case (.anyOf(let names), .unsigned(let number)):
      let start = text.count
      for (value, name) in names.table where number & value == value {
        if text.count > start { text.append("|") }
        text.append(ByteView(name))
      }
    default: break
    }
  }

  private mutating func writePath(_ name: ByteView, below index: Int, _ record: EventRecord, to text: inout ContextText)
  {
    guard let scratch, !name.isEmpty else { return }
    let folders = record.call.pointee.directories
    let folder = record.bytes(index == 0 ? folders.0 : folders.1)
    let whole = PathText.isNormal(name) ? name : PathText.makeAbsolute(name, below: folder, at: scratch.rawName)
    guard whole.count > 0, whole[0] == UInt8(ascii: "/") else { return text.append(whole) }
    text.append(PathText.isNormal(whole) ? whole : PathText.normalise(whole, at: scratch.name))
  }

  private mutating func writeDescriptor(_ record: EventRecord, to text: inout ContextText) {
    guard case .text(let letter) = extractCallDescriptor(.fdTypeChar, record, end: 0) else { return }
    text.append("<")
    text.append(letter)
    text.append(">")
    let path = record.bytes(record.call.pointee.path)
    text.append(path)
  }

  // MARK: - The descriptor

  /// What the call's descriptor stands for: a file by its own path, a socket by its ends.
  mutating func extractCallDescriptor(_ field: Field, _ record: EventRecord, end: Int) -> FieldValue {
    let part = record.call
    guard part.pointee.fd >= 0 else { return .missing }
    let family = Int32(part.pointee.ends.family)
    if family == AF_INET || family == AF_INET6 { return extractSocket(field, connection(of: record), end: end) }
    let path = record.bytes(part.pointee.path)
    let isDirectory = fileType(part) == .directory
    switch field {
    case .fdNumber: return .signed(Int64(part.pointee.fd))
    case .fdType: return .text(fileType(part).name)
    case .fdTypeChar: return .text(fileType(part).letter)
    case .fdName, .fdNameRaw: return .text(path)
    case .fdRealPath: return path.isEmpty ? .missing : .text(path)
    case .fdDirectory: return .text(isDirectory ? path : PathText.directory(of: path))
    case .fdFilename: return path.isEmpty ? .missing : .text(PathText.filename(of: path))
    case .fdInode: return .signed(Int64(bitPattern: part.pointee.inode))
    case .fdDevice: return .signed(Int64(userDevice(part.pointee.device)))
    case .fdDeviceMajor: return .signed(Int64(part.pointee.device >> 20))
    case .fdDeviceMinor: return .signed(Int64(part.pointee.device & 0xf_ffff))
    case .fdIsUpperLayer: return .boolean(part.pointee.file_flags & MARTLET_FILE_UPPER_LAYER != 0)
    case .fdIsLowerLayer: return .boolean(part.pointee.file_flags & MARTLET_FILE_LOWER_LAYER != 0)
    case .fdProtocol: return .text("<NA>")
    // Whether a Unix socket has a peer is not known here.
    case .fdIsConnected, .fdHasNewName: return fileType(part) == .unix ? .missing : .boolean(false)
    case .fdSocketFamily: return fileType(part) == .unix ? .text("unix") : .missing
    default: return .missing
    }
  }

  /// The socket as a connect tells it: this end is taken for the client.
  private func connection(of record: EventRecord) -> martlet_connect {
    let part = record.call.pointee
    var socket = martlet_connect()
    socket.record = part.record
    socket.fd = part.fd
    if part.ends.remote_port != 0 { socket.record.flags |= UInt32(MARTLET_FLAG_SOCKET_CONNECTED) }
    socket.family = part.ends.family
    socket.protocol = part.ends.protocol
    socket.local_port = part.ends.local_port
    socket.remote_port = part.ends.remote_port
    socket.local_address = part.ends.local_address
    socket.remote_address = part.ends.remote_address
    return socket
  }

  private func fileType(_ part: UnsafePointer<martlet_syscall>) -> FileType {
    if part.pointee.file_flags & MARTLET_FILE_MEMFD != 0 { return .memory }
    switch (part.pointee.inode_mode & 0o170000, Int32(part.pointee.ends.family)) {
    case (0o040000, _): return .directory
    case (0o010000, _): return .pipe
    case (0o140000, AF_UNIX): return .unix
    case (0o140000, AF_NETLINK): return .netlink
    case (0o100000, _), (0o020000, _), (0o060000, _), (0o120000, _): return .file
    default: break
    }
    switch type {
    case .bpf: return .bpf
    case .userfaultfd: return .userfault
    case .ioUringSetup: return .ring
    case .pidfdOpen: return .process
    default: return .other
    }
  }

  private enum FileType {
    case file, directory, pipe, unix, netlink, memory, bpf, userfault, ring, process, other

    var name: ByteView {
      switch self {
      case .file: "file"
      case .directory: "directory"
      case .pipe: "pipe"
      case .unix: "unix"
      case .netlink: "netlink"
      case .memory: "memfd"
      case .bpf: "bpf"
      case .userfault: "userfaultfd"
      case .ring: "io_uring"
      case .process: "pidfd"
      case .other: "unknown"
      }
    }

    var letter: ByteView {
      switch self {
      case .file: "f"
      case .directory: "d"
      case .pipe: "p"
      case .unix, .userfault: "u"
      case .netlink: "n"
      case .memory: "m"
      case .bpf: "b"
      case .ring: "r"
      case .process: "P"
      case .other: "o"
      }
    }
  }
}
