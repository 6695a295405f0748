// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// A parameter of a call that comes as `EventKind.call`: where its value stands in the record, and how rules see it.
struct CallParameter {
  enum Value {
    case result
    /// The descriptor that the call made or used.
    case descriptor
    case argument(Int)
    /// A string that was passed.
    case name(Int)
    case capabilitiesInheritable, capabilitiesPermitted, capabilitiesEffective
  }

  /// What a value stands for.
  enum Form {
    case number, text, hexadecimal
    /// An errno's name where the call failed.
    case result
    /// A descriptor that the call was given: known only if it is the record's.
    case descriptor
    /// `AT_FDCWD` for the working directory.
    case directory
    /// A name made absolute; the number is which of the folders it starts from.
    case path(Int)
    case process, user
    /// One of these names, and any number of them.
    case oneOf(FlagNames), anyOf(FlagNames)
  }

  /// As rules write it behind `evt.arg.`.
  let name: StaticString
  let value: Value
  let form: Form

  init(_ name: StaticString, _ value: Value, _ form: Form) {
    self.name = name
    self.value = value
    self.form = form
  }

  /// In the order of Falco's table of events, by which rules number them.
  static func all(of type: EventType) -> [CallParameter] { byType[Int(type.rawValue)] }

  private static let byType: [[CallParameter]] = {
    var table = [[CallParameter]](repeating: [], count: Int(UInt8.max) + 1)
    for type in EventType.allCases where type.kind == .call || type.kind == .exec {
      table[Int(type.rawValue)] = [CallParameter("res", .result, .result)] + fileParameters(of: type)
    }
    // These have their descriptor in the result's place.
    for type in [EventType.socket, .memfdCreate, .pidfdOpen, .pidfdGetfd] {
      table[Int(type.rawValue)][0] = CallParameter("fd", .descriptor, .descriptor)
    }
    return table
  }()

  /// Those behind the result, of calls about files.
  private static func fileParameters(of type: EventType) -> [CallParameter] {
    func path(_ name: StaticString, _ index: Int = 0) -> CallParameter { .init(name, .name(index), .path(index)) }
    func folder(_ name: StaticString, _ index: Int = 0) -> CallParameter { .init(name, .argument(index), .directory) }
    func mode(_ index: Int) -> CallParameter { .init("mode", .argument(index), .anyOf(.mode)) }
    func flags(_ index: Int, _ names: FlagNames) -> CallParameter { .init("flags", .argument(index), .anyOf(names)) }
    func owner(_ index: Int) -> [CallParameter] {
      [.init("uid", .argument(index), .user), .init("gid", .argument(index + 1), .number)]
    }
    let fd = CallParameter("fd", .descriptor, .descriptor)
    let target = CallParameter("target", .name(0), .text)
    let device = CallParameter("dev", .argument(2), .hexadecimal)
    switch type {
    case .execve: return [path("filename")]
    case .execveat: return [folder("dirfd"), path("pathname")]
    case .dup: return [.init("oldfd", .argument(0), .number)]
    case .dup2: return [.init("oldfd", .argument(0), .number), .init("newfd", .argument(1), .number)]
    case .dup3:
      return [.init("oldfd", .argument(0), .number), .init("newfd", .argument(1), .number), flags(2, .openFlags)]
    case .symlink: return [target, path("linkpath", 1)]
    case .symlinkat: return [target, folder("linkdirfd", 1), path("linkpath", 1)]
    case .link, .rename: return [path("oldpath"), path("newpath", 1)]
    case .linkat:
      return [folder("olddir"), path("oldpath"), folder("newdir", 2), path("newpath", 1), flags(4, .linkat)]
    case .renameat: return [folder("olddirfd"), path("oldpath"), folder("newdirfd", 2), path("newpath", 1)]
    case .renameat2:
      return [folder("olddirfd"), path("oldpath"), folder("newdirfd", 2), path("newpath", 1), flags(4, .renameat2)]
    case .unlink, .rmdir, .chroot: return [path("path")]
    case .unlinkat: return [folder("dirfd"), path("name"), flags(2, .unlinkat)]
    case .mkdir: return [path("path"), .init("mode", .argument(1), .hexadecimal)]
    case .mkdirat: return [folder("dirfd"), path("path"), .init("mode", .argument(2), .hexadecimal)]
    case .chmod: return [path("filename"), mode(1)]
    case .fchmod: return [fd, mode(1)]
    case .fchmodat, .fchmodat2: return [folder("dirfd"), path("filename"), mode(2)]
    case .chown, .lchown: return [path("path")] + owner(1)
    case .fchown: return [fd] + owner(1)
    case .fchownat: return [folder("dirfd"), path("pathname")] + owner(2) + [flags(4, .fchownat)]
    case .mknod: return [path("path"), mode(1), device]
    case .mknodat: return [folder("dirfd"), path("path"), mode(2), .init("dev", .argument(3), .hexadecimal)]
    case .mount:
      return [
        flags(3, .mount), .init("dev", .name(0), .text), path("dir", 1), .init("type", .name(2), .text),
      ]
    case .umount, .umount2: return [path("name"), flags(1, .umount)]
    case .chdir: return [.init("path", .name(0), .text)]
    case .fchdir: return [fd]
    case .truncate: return [path("path"), .init("length", .argument(1), .number)]
    case .ftruncate: return [fd, .init("length", .argument(1), .number)]
    default: return otherParameters(of: type)
    }
  }

  /// Those behind the result, of the other calls.
  private static func otherParameters(of type: EventType) -> [CallParameter] {
    func number(_ name: StaticString, _ index: Int) -> CallParameter { .init(name, .argument(index), .number) }
    func user(_ name: StaticString, _ index: Int) -> CallParameter { .init(name, .argument(index), .user) }
    func process(_ name: StaticString, _ index: Int) -> CallParameter { .init(name, .argument(index), .process) }
    func flags(_ index: Int, _ names: FlagNames) -> CallParameter { .init("flags", .argument(index), .anyOf(names)) }
    let fd = CallParameter("fd", .descriptor, .descriptor)
    let parameters = CallParameter("uargs", .name(0), .text)
    switch type {
    case .ptrace:
      return [
        .init("request", .argument(0), .oneOf(.ptrace)), process("pid", 1), .init("addr", .argument(2), .hexadecimal),
        .init("data", .argument(3), .hexadecimal),
      ]
    case .socket:
      return [.init("domain", .argument(0), .oneOf(.families)), number("type", 1), number("proto", 2)]
    case .setns: return [fd, .init("nstype", .argument(1), .anyOf(.namespaces))]
    case .unshare: return [flags(0, .namespaces)]
    case .setuid: return [user("uid", 0)]
    case .setgid: return [number("gid", 0)]
    case .setreuid: return [user("ruid", 0), user("euid", 1)]
    case .setregid: return [number("rgid", 0), number("egid", 1)]
    case .setresuid: return [user("ruid", 0), user("euid", 1), user("suid", 2)]
    case .setresgid: return [number("rgid", 0), number("egid", 1), number("sgid", 2)]
    case .bpf: return [.init("cmd", .argument(0), .oneOf(.bpf)), fd, .init("res_or_fd", .result, .result)]
    case .userfaultfd: return [flags(0, .openFlags)]
    case .initModule: return [.init("length", .argument(1), .number), parameters]
    case .finitModule: return [fd, parameters, flags(2, .modules)]
    case .deleteModule: return [.init("name", .name(0), .text), flags(1, .openFlags)]
    case .memfdCreate: return [.init("name", .name(0), .text), flags(1, .memfd)]
    case .processVmReadv, .processVmWritev: return [process("pid", 0)]
    case .kill: return [process("pid", 0), number("sig", 1)]
    case .tkill: return [process("tid", 0), number("sig", 1)]
    case .tgkill: return [process("pid", 0), process("tid", 1), number("sig", 2)]
    case .ioUringSetup: return [number("entries", 0)]
    case .capset:
      return [
        .init("cap_inheritable", .capabilitiesInheritable, .hexadecimal),
        .init("cap_permitted", .capabilitiesPermitted, .hexadecimal),
        .init("cap_effective", .capabilitiesEffective, .hexadecimal),
      ]
    case .prctl: return [.init("option", .argument(0), .oneOf(.prctl)), number("arg2_int", 1)]
    case .pidfdOpen: return [process("pid", 0), flags(1, .openFlags)]
    case .pidfdGetfd: return [number("pid_fd", 0), number("target_fd", 1), flags(2, .openFlags)]
    default: return []
    }
  }
}
