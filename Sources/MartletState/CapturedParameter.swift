// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// The parameters of Falco's execs, opens and connects that records of ours carry.
enum CapturedParameter: UInt8, CaseIterable {
  case result, exe, arguments, threadID, processID, parentID, directory, comm, terminal, namespaceGroupID
  case loginUserID, capabilitiesInheritable, capabilitiesPermitted, capabilitiesEffective, exeInode
  case exeChanged, exeModified, userID, exePath, groupProcessID, groupID, filename, pathname, flags
  case descriptor, directoryDescriptor, name, mode, device, inode, mountDescriptor, path, tuple, address

  /// As rules write it behind `evt.arg.`.
  var name: StaticString {
    switch self {
    case .result: "res"
    case .exe: "exe"
    case .arguments: "args"
    case .threadID: "tid"
    case .processID: "pid"
    case .parentID: "ptid"
    case .directory: "cwd"
    case .comm: "comm"
    case .terminal: "tty"
    case .namespaceGroupID: "vpgid"
    case .loginUserID: "loginuid"
    case .capabilitiesInheritable: "cap_inheritable"
    case .capabilitiesPermitted: "cap_permitted"
    case .capabilitiesEffective: "cap_effective"
    case .exeInode: "exe_ino"
    case .exeChanged: "exe_ino_ctime"
    case .exeModified: "exe_ino_mtime"
    case .userID: "uid"
    case .exePath: "trusted_exepath"
    case .groupProcessID: "pgid"
    case .groupID: "gid"
    case .filename: "filename"
    case .pathname: "pathname"
    case .flags: "flags"
    case .descriptor: "fd"
    case .directoryDescriptor: "dirfd"
    case .name: "name"
    case .mode: "mode"
    case .device: "dev"
    case .inode: "ino"
    case .mountDescriptor: "mountfd"
    case .path: "path"
    case .tuple: "tuple"
    case .address: "addr"
    }
  }

  /// The parameter of this name that events of the type have; nil if they have none, or records do not carry it.
  init?(named name: ByteView, of type: EventType) {
    for raw in 0..<Self.count {
      guard let parameter = CapturedParameter(rawValue: raw), ByteView(parameter.name) == name else { continue }
      guard parameter.belongs(to: type) else { return nil }
      self = parameter
      return
    }
    return nil
  }

  private static let count = UInt8(allCases.count)

  private func belongs(to type: EventType) -> Bool {
    switch self {
    case .result: type.kind != .open && type != .accept && type != .accept4
    case .flags: type != .creat && type.kind != .connect
    case .filename: type == .execve
    case .pathname: type == .execveat
    case .descriptor: type.kind != .exec
    case .directoryDescriptor: type == .openat || type == .openat2
    case .name: type.kind == .open && type != .openByHandleAt
    case .mode: type.kind == .open && type != .openByHandleAt
    case .device, .inode: type.kind == .open
    case .mountDescriptor, .path: type == .openByHandleAt
    case .tuple: type.kind == .connect && type != .listen && type != .bind
    case .address: type == .connect || type == .bind
    case .exe, .arguments, .threadID, .processID, .parentID, .directory, .comm, .terminal, .namespaceGroupID,
      .loginUserID, .capabilitiesInheritable, .capabilitiesPermitted, .capabilitiesEffective, .exeInode, .exeChanged,
      .exeModified, .userID, .exePath, .groupProcessID, .groupID:
      type.kind == .exec
    }
  }

  /// In the order of Falco's table of events, by which rules number them; nil for one that records do not carry.
  static func all(of type: EventType) -> [CapturedParameter?] { byType[Int(type.rawValue)] }

  private static let byType: [[CapturedParameter?]] = {
    var table = [[CapturedParameter?]](repeating: [], count: Int(UInt8.max) + 1)
    for type in EventType.allCases { table[Int(type.rawValue)] = list(of: type) }
    return table
  }()

  private static func list(of type: EventType) -> [CapturedParameter?] {
    switch type {
    case .execve:
      [
        .result, .exe, .arguments, .threadID, .processID, .parentID, .directory, nil, nil, nil, nil, nil,
        nil, .comm, nil, nil, .terminal, .namespaceGroupID, .loginUserID, .flags, .capabilitiesInheritable,
        .capabilitiesPermitted, .capabilitiesEffective, .exeInode, .exeChanged, .exeModified, .userID,
        .exePath, .groupProcessID, .groupID, .filename,
      ]
    case .execveat:
      [
        .result, .exe, .arguments, .threadID, .processID, .parentID, .directory, nil, nil, nil, nil, nil,
        nil, .comm, nil, nil, .terminal, .namespaceGroupID, .loginUserID, .flags, .capabilitiesInheritable,
        .capabilitiesPermitted, .capabilitiesEffective, .exeInode, .exeChanged, .exeModified, .userID,
        .exePath, .groupProcessID, .groupID, nil, .pathname,
      ]
    case .open:
      [
        .descriptor, .name, .flags, .mode, .device, .inode,
      ]
    case .openat:
      [
        .descriptor, .directoryDescriptor, .name, .flags, .mode, .device, .inode,
      ]
    case .openat2:
      [
        .descriptor, .directoryDescriptor, .name, .flags, .mode, nil, .device, .inode,
      ]
    case .creat:
      [
        .descriptor, .name, .mode, .device, .inode, nil,
      ]
    case .openByHandleAt:
      [
        .descriptor, .mountDescriptor, .flags, .path, .device, .inode,
      ]
    case .connect:
      [
        .result, .tuple, .descriptor, .address,
      ]
    case .accept, .accept4: [.descriptor, .tuple, nil, nil, nil]
    case .listen: [.result, .descriptor, nil]
    case .bind: [.result, .address, .descriptor]
    case .sendto, .sendmsg: [.result, nil, .descriptor, nil, .tuple]
    case .sendmmsg, .recvmmsg: [.result, .descriptor, nil, nil, .tuple]
    case .recvfrom: [.result, nil, .tuple, .descriptor, nil]
    case .recvmsg: [.result, nil, nil, .tuple, nil, .descriptor]
    // `CallParameter` has the others.
    default: []
    }
  }
}
