// SPDX-License-Identifier: Apache-2.0

/// The call an event came from, or what it is where it is none: what rules know as `evt.type`. Raw values are those of `enum martlet_call`.
public enum EventType: UInt8, CaseIterable, Sendable {
  case execve = 1
  case execveat = 2
  case open = 3
  case openat = 4
  case openat2 = 5
  case creat = 6
  case openByHandleAt = 7
  case connect = 8
  case accept = 9
  case accept4 = 10
  case listen = 11
  case bind = 12
  case sendto = 13
  case sendmsg = 14
  case sendmmsg = 15
  case recvfrom = 16
  case recvmsg = 17
  case recvmmsg = 18
  case dup = 32
  case dup2 = 33
  case dup3 = 34
  case symlink = 35
  case symlinkat = 36
  case link = 37
  case linkat = 38
  case rename = 39
  case renameat = 40
  case renameat2 = 41
  case unlink = 42
  case unlinkat = 43
  case rmdir = 44
  case mkdir = 45
  case mkdirat = 46
  case chmod = 47
  case fchmod = 48
  case fchmodat = 49
  case ptrace = 50
  case socket = 51
  case setns = 52
  case unshare = 53
  case setuid = 54
  case setgid = 55
  case setreuid = 56
  case setregid = 57
  case setresuid = 58
  case setresgid = 59
  case bpf = 60
  case userfaultfd = 61
  case initModule = 62
  case finitModule = 63
  case deleteModule = 64
  case mount = 65
  case umount = 66
  case umount2 = 67
  case memfdCreate = 68
  case processVmReadv = 69
  case processVmWritev = 70
  case kill = 71
  case tkill = 72
  case tgkill = 73
  case truncate = 74
  case ftruncate = 75
  case ioUringSetup = 76
  case capset = 77
  case chroot = 78
  case prctl = 79
  case chdir = 80
  case fchdir = 81
  case pidfdOpen = 82
  case pidfdGetfd = 83
  case chown = 84
  case lchown = 85
  case fchown = 86
  case fchownat = 87
  case mknod = 88
  case mknodat = 89
  case pivotRoot = 90
  case fchmodat2 = 91
  /// A container has started, and what its runtime says about it is known.
  case container = 126
  /// No calls: the agent itself says so.
  case modelVerdict = 120
  case modelChanged = 121

  /// Falco's name, as rules write it.
  public var name: StaticString {
    switch self {
    case .execve: "execve"
    case .execveat: "execveat"
    case .open: "open"
    case .openat: "openat"
    case .openat2: "openat2"
    case .creat: "creat"
    case .openByHandleAt: "open_by_handle_at"
    case .connect: "connect"
    case .accept: "accept"
    case .accept4: "accept4"
    case .listen: "listen"
    case .bind: "bind"
    case .sendto: "sendto"
    case .sendmsg: "sendmsg"
    case .sendmmsg: "sendmmsg"
    case .recvfrom: "recvfrom"
    case .recvmsg: "recvmsg"
    case .recvmmsg: "recvmmsg"
    case .container: "container"
    case .modelVerdict: "model_verdict"
    case .modelChanged: "model_changed"
    default: callName
    }
  }

  /// The kind of record that carries it. An exec that failed comes as a `call` all the same, and a call on a Unix
  /// socket as `unix`.
  public var kind: EventKind {
    switch self {
    case .execve, .execveat: .exec
    case .open, .openat, .openat2, .creat, .openByHandleAt: .open
    case .connect, .accept, .accept4, .listen, .bind, .sendto, .sendmsg, .sendmmsg, .recvfrom, .recvmsg, .recvmmsg:
      .connect
    case .container: .start
    case .modelVerdict, .modelChanged: .model
    default: .call
    }
  }

  /// Whether records of `kind` may carry it.
  public func isCarried(by kind: EventKind) -> Bool {
    switch kind {
    case .unix: self.kind == .connect
    case .call: self.kind == .call || self.kind == .exec
    default: kind == self.kind
    }
  }
}

extension EventType {
  /// The names of those that come as `EventKind.call`.
  private var callName: StaticString {
    switch self {
    case .execve, .execveat, .open, .openat, .openat2, .creat, .openByHandleAt, .connect, .accept, .accept4, .listen,
      .bind, .sendto, .sendmsg, .sendmmsg, .recvfrom, .recvmsg, .recvmmsg, .container, .modelVerdict, .modelChanged:
      ""
    case .dup: "dup"
    case .dup2: "dup2"
    case .dup3: "dup3"
    case .symlink: "symlink"
    case .symlinkat: "symlinkat"
    case .link: "link"
    case .linkat: "linkat"
    case .rename: "rename"
    case .renameat: "renameat"
    case .renameat2: "renameat2"
    case .unlink: "unlink"
    case .unlinkat: "unlinkat"
    case .rmdir: "rmdir"
    case .mkdir: "mkdir"
    case .mkdirat: "mkdirat"
    case .chmod: "chmod"
    case .fchmod: "fchmod"
    case .fchmodat: "fchmodat"
    case .ptrace: "ptrace"
    case .socket: "socket"
    case .setns: "setns"
    case .unshare: "unshare"
    case .setuid: "setuid"
    case .setgid: "setgid"
    case .setreuid: "setreuid"
    case .setregid: "setregid"
    case .setresuid: "setresuid"
    case .setresgid: "setresgid"
    case .bpf: "bpf"
    case .userfaultfd: "userfaultfd"
    case .initModule: "init_module"
    case .finitModule: "finit_module"
    case .deleteModule: "delete_module"
    case .mount: "mount"
    case .umount: "umount"
    case .umount2: "umount2"
    case .memfdCreate: "memfd_create"
    case .processVmReadv: "process_vm_readv"
    case .processVmWritev: "process_vm_writev"
    case .kill: "kill"
    case .tkill: "tkill"
    case .tgkill: "tgkill"
    case .truncate: "truncate"
    case .ftruncate: "ftruncate"
    case .ioUringSetup: "io_uring_setup"
    case .capset: "capset"
    case .chroot: "chroot"
    case .prctl: "prctl"
    case .chdir: "chdir"
    case .fchdir: "fchdir"
    case .pidfdOpen: "pidfd_open"
    case .pidfdGetfd: "pidfd_getfd"
    case .chown: "chown"
    case .lchown: "lchown"
    case .fchown: "fchown"
    case .fchownat: "fchownat"
    case .mknod: "mknod"
    case .mknodat: "mknodat"
    case .pivotRoot: "pivot_root"
    case .fchmodat2: "fchmodat2"
    }
  }
}

/// A set of event types: which events a rule has to be tried on.
public struct EventTypeSet: OptionSet, Hashable, Sendable {
  public let rawValue: UInt128

  public init(rawValue: UInt128) { self.rawValue = rawValue }

  public init(_ type: EventType) { rawValue = 1 << UInt128(type.rawValue) }

  /// Every type that is captured.
  public static let all = EventTypeSet(EventType.allCases.map { EventTypeSet($0) })

  public func contains(_ type: EventType) -> Bool { rawValue & (1 << UInt128(type.rawValue)) != 0 }

  /// The captured types that are not in the set.
  public var complement: EventTypeSet { EventTypeSet.all.subtracting(self) }
}
