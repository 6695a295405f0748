// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// What `evt.type` may be compared with, and what Falco calls the events that come of it.
enum EventTypeNames {
  /// The type that is captured under this name.
  static func captured(_ name: String) -> EventType? { capturedByName[name] }

  /// Known to the rule language, whether it is captured or not.
  static func isKnown(_ name: String) -> Bool { all.contains(name) }

  static let all: Set<String> = Set(matchable + eventless)

  /// All names that an event can have, in the order of the alphabet.
  static let matchable: [String] = (words(events) + words(genericCalls)).sorted()

  /// The place of each in `matchable`.
  static let places: [String: Int] = Dictionary(uniqueKeysWithValues: matchable.enumerated().map { ($1, $0) })

  /// How many event codes Falco has for a name: one for entering and one for leaving, of each version. All calls
  /// without an event of their own share two.
  static func codeCount(_ name: String) -> Int { codeCounts[name] ?? (generic.contains(name) ? 0 : 2) }

  static let genericCodeCount = 2
  static let generic: Set<String> = Set(words(genericCalls))

  private static let capturedByName: [String: EventType] = Dictionary(
    uniqueKeysWithValues: EventType.allCases.map { ("\($0.name)", $0) })

  private static func words(_ text: String) -> [String] { text.split { $0 == " " || $0 == "\n" }.map(String.init) }

  private static let codeCounts: [String: Int] = [
    "accept": 4, "accept4": 6, "brk": 4, "clone": 8, "container": 6, "dup": 4, "execve": 16, "fork": 6, "ioctl": 4,
    "link": 4, "linkat": 4, "mkdir": 4, "model_changed": 0, "model_verdict": 0, "openat": 4, "procexit": 4, "rmdir": 4,
    "select": 4, "switch": 4, "unlink": 4,
    "unlinkat": 4, "vfork": 6,
  ]

  /// Names of system calls whose events go by another name, and of none: a condition may ask for them, and no event
  /// has them.
  private static let eventless = words(
    """
    _llseek fcntl64 getegid32 geteuid32 getgid32 getresgid32 getresuid32 getuid32 page_fault_kernel page_fault_user
    pread64 prlimit64 pwrite64 sched_process_exit sched_switch sendfile64 setgid32 setresgid32 setresuid32 setuid32
    signal_deliver syscall ugetrlimit unknown
    """)

  /// Events by their own names.
  private static let events = """
    accept accept4 access asyncevent bind bpf brk capset chdir chmod chown chroot clone clone3 close close_range
    connect container copy_file_range cpu_hotplug creat delete_module drop dup dup2 dup3 epoll_create epoll_create1
    epoll_wait eventfd eventfd2 execve execveat fchdir fchmod fchmodat fchown fchownat fcntl finit_module flock fork
    fsconfig fstat fstat64 futex getcwd getdents getdents64 getegid geteuid getgid getpeername getresgid getresuid
    getrlimit getsockname getsockopt getuid groupadded groupdeleted infra init_module inotify_init inotify_init1
    io_uring_enter io_uring_register io_uring_setup ioctl k8s keyctl kill lchown link linkat listen llseek lseek
    lstat lstat64 memfd_create mesos mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 model_changed model_verdict
    mount mprotect
    munlock munlockall munmap nanosleep newfstatat notification open open_by_handle_at openat openat2 page_fault
    pidfd_getfd pidfd_open pipe pipe2 pluginevent poll ppoll prctl pread preadv prlimit process_vm_readv
    process_vm_writev procexit procinfo ptrace pwrite pwritev quotactl read readv recv recvfrom recvmmsg recvmsg
    rename renameat renameat2 rmdir scapevent seccomp select semctl semget semop send sendfile sendmmsg sendmsg
    sendto setgid setns setpgid setregid setresgid setresuid setreuid setrlimit setsid setsockopt setuid shutdown
    signaldeliver signalfd signalfd4 socket socketpair splice stat stat64 switch symlink symlinkat task
    task_file_anon_inode task_file_directory task_file_memfd task_file_pipe task_file_regular task_file_socket_inet
    task_file_socket_inet6 task_file_socket_netlink task_file_socket_unix tgkill timerfd_create tkill tracer umount
    umount2 unlink unlinkat unshare useradded userdeleted userfaultfd vfork write writev
    """

  /// System calls that have no event of their own: theirs goes by the name of the call.
  private static let genericCalls = """
    _newselect _sysctl acct add_key adjtimex alarm arch_prctl bdflush cachestat capget clock_adjtime clock_getres
    clock_gettime clock_nanosleep clock_settime create_module epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2
    epoll_wait_old exit exit_group faccessat faccessat2 fadvise64 fallocate fanotify_init fanotify_mark fchmodat2
    fdatasync fgetxattr file_getattr file_setattr flistxattr fremovexattr fsetxattr fsmount fsopen fspick fstatat64
    fstatfs fstatfs64 fsync ftruncate futex_requeue futex_wait futex_waitv futex_wake futimesat get_kernel_syms
    get_mempolicy get_robust_list get_thread_area getcpu getgroups getitimer getpgid getpgrp getpid getpmsg getppid
    getpriority getrandom getrusage getsid gettid gettimeofday getxattr getxattrat idle inotify_add_watch
    inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit ioperm iopl ioprio_get
    ioprio_set ipc kcmp kexec_file_load kexec_load landlock_add_rule landlock_create_ruleset landlock_restrict_self
    lgetxattr listmount listns listxattr listxattrat llistxattr lookup_dcookie lremovexattr lsetxattr
    lsm_get_self_attr lsm_list_modules lsm_set_self_attr madvise map_shadow_stack mbind membarrier memfd_secret
    migrate_pages mincore modify_ldt mount_setattr move_mount move_pages mq_getsetattr mq_notify mq_open
    mq_timedreceive mq_timedsend mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync multiplexer
    name_to_handle_at nfsservctl nice oldfstat oldlstat oldolduname oldstat olduname open_tree open_tree_attr pause
    pciconfig_iobase pciconfig_read pciconfig_write perf_event_open personality pidfd_send_signal pivot_root
    pkey_alloc pkey_free pkey_mprotect preadv2 process_madvise process_mrelease pselect6 pwritev2 query_module
    quotactl_fd readahead readdir readlink readlinkat reboot remap_file_pages removexattr removexattrat request_key
    restart_syscall riscv_flush_icache riscv_hwprobe rseq rseq_slice_yield rt_sigaction rt_sigpending rt_sigprocmask
    rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo rtas s390_guarded_storage
    s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr s390_sthyi sched_get_priority_max
    sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval
    sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield semtimedop set_mempolicy
    set_mempolicy_home_node set_robust_list set_thread_area set_tid_address setdomainname setfsgid setfsuid
    setgroups sethostname setitimer setpriority settimeofday setxattr setxattrat sgetmask shmat shmctl shmdt shmget
    sigaction sigaltstack signal sigpending sigprocmask sigreturn sigsuspend socketcall spu_create spu_run ssetmask
    statfs statfs64 statmount statx stime subpage_prot swapcontext swapoff swapon switch_endian sync sync_file_range
    sync_file_range2 syncfs sys_debug_setcontext sysfs sysinfo syslog tee time timer_create timer_delete
    timer_getoverrun timer_gettime timer_settime timerfd timerfd_gettime timerfd_settime times truncate umask uname
    uprobe uretprobe uselib ustat utime utimensat utimes vhangup vm86 vmsplice wait4 waitid waitpid
    """
}
