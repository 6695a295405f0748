// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Names of a call's flags, or of the values of which it takes one, in the order in which Falco lists them.
enum FlagNames {
  case mode, openFlags, linkat, renameat2, unlinkat, fchownat, mount, umount
  case ptrace, families, namespaces, bpf, modules, memfd, prctl

  var table: [(value: UInt64, name: StaticString)] {
    switch self {
    case .mode: Self.modes
    case .openFlags: [(0o4000, "O_NONBLOCK"), (0o2000000, "O_CLOEXEC")]
    case .linkat: [(0x400, "AT_SYMLINK_FOLLOW"), (0x1000, "AT_EMPTY_PATH")]
    case .renameat2: [(1, "RENAME_NOREPLACE"), (2, "RENAME_EXCHANGE"), (4, "RENAME_WHITEOUT")]
    case .unlinkat: [(0x200, "AT_REMOVEDIR")]
    case .fchownat: [(0x100, "AT_SYMLINK_NOFOLLOW"), (0x1000, "AT_EMPTY_PATH")]
    case .mount: Self.mounts
    case .umount: [(1, "FORCE"), (2, "DETACH"), (4, "EXPIRE"), (8, "NOFOLLOW")]
    case .ptrace: Self.ptraceRequests
    case .families: Self.socketFamilies
    case .namespaces: Self.cloneFlags
    case .bpf: Self.bpfCommands
    case .modules:
      [
        (1, "MODULE_INIT_IGNORE_MODVERSIONS"), (2, "MODULE_INIT_IGNORE_VERMAGIC"),
        (4, "MODULE_INIT_COMPRESSED_FILE"),
      ]
    case .memfd: [(1, "MFD_CLOEXEC"), (2, "MFD_ALLOW_SEALING"), (4, "MFD_HUGETLB")]
    case .prctl: Self.prctlOptions
    }
  }

  private static let modes: [(value: UInt64, name: StaticString)] = [
    (0o1, "S_IXOTH"), (0o2, "S_IWOTH"), (0o4, "S_IROTH"), (0o10, "S_IXGRP"), (0o20, "S_IWGRP"), (0o40, "S_IRGRP"),
    (0o100, "S_IXUSR"), (0o200, "S_IWUSR"), (0o400, "S_IRUSR"), (0o1000, "S_ISVTX"), (0o2000, "S_ISGID"),
    (0o4000, "S_ISUID"),
  ]

  private static let mounts: [(value: UInt64, name: StaticString)] = [
    (1 << 0, "RDONLY"), (1 << 1, "NOSUID"), (1 << 2, "NODEV"), (1 << 3, "NOEXEC"), (1 << 4, "SYNCHRONOUS"),
    (1 << 5, "REMOUNT"), (1 << 6, "MANDLOCK"), (1 << 7, "DIRSYNC"), (1 << 10, "NOATIME"), (1 << 11, "NODIRATIME"),
    (1 << 12, "BIND"), (1 << 13, "MOVE"), (1 << 14, "REC"), (1 << 15, "SILENT"), (1 << 16, "POSIXACL"),
    (1 << 17, "UNBINDABLE"), (1 << 18, "PRIVATE"), (1 << 19, "SLAVE"), (1 << 20, "SHARED"), (1 << 21, "RELATIME"),
    (1 << 22, "KERNMOUNT"), (1 << 23, "I_VERSION"), (1 << 24, "STRICTATIME"), (1 << 25, "LAZYTIME"),
  ]

  private static let ptraceRequests: [(value: UInt64, name: StaticString)] = [
    (0, "PTRACE_TRACEME"), (1, "PTRACE_PEEKTEXT"), (2, "PTRACE_PEEKDATA"), (3, "PTRACE_PEEKUSR"),
    (4, "PTRACE_POKETEXT"), (5, "PTRACE_POKEDATA"), (6, "PTRACE_POKEUSR"), (7, "PTRACE_CONT"), (8, "PTRACE_KILL"),
    (9, "PTRACE_SINGLESTEP"), (12, "PTRACE_GETREGS"), (13, "PTRACE_SETREGS"), (14, "PTRACE_GETFPREGS"),
    (15, "PTRACE_SETFPREGS"), (16, "PTRACE_ATTACH"), (17, "PTRACE_DETACH"), (18, "PTRACE_GETFPXREGS"),
    (19, "PTRACE_SETFPXREGS"), (21, "PTRACE_OLDSETOPTIONS"), (24, "PTRACE_SYSCALL"),
    (25, "PTRACE_GET_THREAD_AREA"), (26, "PTRACE_SET_THREAD_AREA"), (30, "PTRACE_ARCH_PRCTL"),
    (31, "PTRACE_SYSEMU"), (32, "PTRACE_SYSEMU_SINGLESTEP"), (33, "PTRACE_SINGLEBLOCK"),
    (0x4200, "PTRACE_SETOPTIONS"), (0x4201, "PTRACE_GETEVENTMSG"), (0x4202, "PTRACE_GETSIGINFO"),
    (0x4203, "PTRACE_SETSIGINFO"), (0x4204, "PTRACE_GETREGSET"), (0x4205, "PTRACE_SETREGSET"),
    (0x4206, "PTRACE_SEIZE"), (0x4207, "PTRACE_INTERRUPT"), (0x4208, "PTRACE_LISTEN"),
    (0x4209, "PTRACE_PEEKSIGINFO"), (0x420a, "PTRACE_GETSIGMASK"), (0x420b, "PTRACE_SETSIGMASK"),
  ]

  private static let socketFamilies: [(value: UInt64, name: StaticString)] = [
    (0, "AF_UNSPEC"), (1, "AF_LOCAL"), (2, "AF_INET"), (3, "AF_AX25"), (4, "AF_IPX"), (5, "AF_APPLETALK"),
    (6, "AF_NETROM"), (7, "AF_BRIDGE"), (8, "AF_ATMPVC"), (9, "AF_X25"), (10, "AF_INET6"), (11, "AF_ROSE"),
    (12, "AF_DECnet"), (13, "AF_NETBEUI"), (14, "AF_SECURITY"), (15, "AF_KEY"), (16, "AF_NETLINK"),
    (17, "AF_PACKET"), (18, "AF_ASH"), (19, "AF_ECONET"), (20, "AF_ATMSVC"), (21, "AF_RDS"), (22, "AF_SNA"),
    (23, "AF_IRDA"), (24, "AF_PPPOX"), (25, "AF_WANPIPE"), (26, "AF_LLC"), (29, "AF_CAN"), (30, "AF_TIPC"),
    (31, "AF_BLUETOOTH"), (32, "AF_IUCV"), (33, "AF_RXRPC"), (34, "AF_ISDN"), (35, "AF_PHONET"),
    (36, "AF_IEEE802154"), (37, "AF_CAIF"), (38, "AF_ALG"), (39, "AF_NFC"),
  ]

  private static let cloneFlags: [(value: UInt64, name: StaticString)] = [
    (0x400, "CLONE_FILES"), (0x200, "CLONE_FS"), (0x8000_0000, "CLONE_IO"), (0x0800_0000, "CLONE_NEWIPC"),
    (0x4000_0000, "CLONE_NEWNET"), (0x0002_0000, "CLONE_NEWNS"), (0x2000_0000, "CLONE_NEWPID"),
    (0x0400_0000, "CLONE_NEWUTS"), (0x800, "CLONE_SIGHAND"), (0x0004_0000, "CLONE_SYSVSEM"),
    (0x0001_0000, "CLONE_THREAD"), (0x100, "CLONE_VM"), (0x1000_0000, "CLONE_NEWUSER"),
    (0x0200_0000, "CLONE_NEWCGROUP"),
  ]

  private static let bpfCommands: [(value: UInt64, name: StaticString)] = [
    (0, "BPF_MAP_CREATE"), (1, "BPF_MAP_LOOKUP_ELEM"), (2, "BPF_MAP_UPDATE_ELEM"), (3, "BPF_MAP_DELETE_ELEM"),
    (4, "BPF_MAP_GET_NEXT_KEY"), (5, "BPF_PROG_LOAD"), (6, "BPF_OBJ_PIN"), (7, "BPF_OBJ_GET"),
    (8, "BPF_PROG_ATTACH"), (9, "BPF_PROG_DETACH"), (10, "BPF_PROG_TEST_RUN"), (11, "BPF_PROG_GET_NEXT_ID"),
    (12, "BPF_MAP_GET_NEXT_ID"), (13, "BPF_PROG_GET_FD_BY_ID"), (14, "BPF_MAP_GET_FD_BY_ID"),
    (15, "BPF_OBJ_GET_INFO_BY_FD"), (16, "BPF_PROG_QUERY"), (17, "BPF_RAW_TRACEPOINT_OPEN"), (18, "BPF_BTF_LOAD"),
    (19, "BPF_BTF_GET_FD_BY_ID"), (20, "BPF_TASK_FD_QUERY"), (21, "BPF_MAP_LOOKUP_AND_DELETE_ELEM"),
    (22, "BPF_MAP_FREEZE"), (23, "BPF_BTF_GET_NEXT_ID"), (24, "BPF_MAP_LOOKUP_BATCH"),
    (25, "BPF_MAP_LOOKUP_AND_DELETE_BATCH"), (26, "BPF_MAP_UPDATE_BATCH"), (27, "BPF_MAP_DELETE_BATCH"),
    (28, "BPF_LINK_CREATE"), (29, "BPF_LINK_UPDATE"), (30, "BPF_LINK_GET_FD_BY_ID"), (31, "BPF_LINK_GET_NEXT_ID"),
    (32, "BPF_ENABLE_STATS"), (33, "BPF_ITER_CREATE"), (34, "BPF_LINK_DETACH"), (35, "BPF_PROG_BIND_MAP"),
  ]

  private static let prctlOptions: [(value: UInt64, name: StaticString)] = [
    (3, "PR_GET_DUMPABLE"), (4, "PR_SET_DUMPABLE"), (7, "PR_GET_KEEPCAPS"), (8, "PR_SET_KEEPCAPS"),
    (15, "PR_SET_NAME"), (16, "PR_GET_NAME"), (21, "PR_GET_SECCOMP"), (22, "PR_SET_SECCOMP"),
    (23, "PR_CAPBSET_READ"), (24, "PR_CAPBSET_DROP"), (27, "PR_GET_SECUREBITS"), (28, "PR_SET_SECUREBITS"),
    (33, "PR_MCE_KILL"), (35, "PR_SET_MM"), (36, "PR_SET_CHILD_SUBREAPER"), (37, "PR_GET_CHILD_SUBREAPER"),
    (38, "PR_SET_NO_NEW_PRIVS"), (39, "PR_GET_NO_NEW_PRIVS"), (40, "PR_GET_TID_ADDRESS"),
    (41, "PR_SET_THP_DISABLE"), (42, "PR_GET_THP_DISABLE"), (47, "PR_CAP_AMBIENT"),
  ]
}
