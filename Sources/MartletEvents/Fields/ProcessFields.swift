// SPDX-License-Identifier: Apache-2.0

extension FieldRegistry {
  static let processFields: [FieldDescription] = [
    .init(
      .processName, "proc.name", .string,
      "Name of the acting thread (comm): at most 15 bytes, and the process can change it."),
    .init(.processExe, "proc.exe", .string, "First argument (argv[0]) as the caller passed it: not to be trusted."),
    .init(
      .processExePath, "proc.exepath", .path,
      "Path of the executable as the kernel resolved it; `memfd:NAME` for one that has no file."),
    .init(
      .processArguments, "proc.args", .string, argument: .optionalIndex,
      "Arguments after the first, joined by one space; `proc.args[n]` is one of them, from 0."),
    .init(.processCommandLine, "proc.cmdline", .string, "proc.name at the time of exec, a space, and proc.args."),
    .init(.processExeLine, "proc.exeline", .string, "proc.exe, a space, and proc.args."),
    .init(.processArgumentCount, "proc.cmdnargs", .uint64, "How many arguments proc.args has."),
    .init(
      .processEnvironment, "proc.env", .string, argument: .optionalIndexOrKey,
      "Environment the process was started with, or one variable of it: `proc.env[HOME]`."),
    .init(
      .processArgumentLength, "proc.cmdlenargs", .uint64,
      "Bytes of all arguments in proc.args, without the spaces between."),
    .init(.processDirectory, "proc.cwd", .path, "Working directory at the time of exec, with a slash at its end."),
    .init(.processID, "proc.pid", .int64, "Process id as the node sees it."),
    .init(.processParentID, "proc.ppid", .int64, "Process id of the parent as the node sees it."),
    .init(
      .processNamespaceID, "proc.vpid", .int64,
      "Process id in the innermost pid namespace: 1 is a container's first process."),
    .init(.processParentNamespaceID, "proc.pvpid", .int64, "proc.vpid of the parent."),
    .init(.processSessionID, "proc.sid", .int64, "Session id as the node sees it."),
    .init(.processGroupID, "proc.pgid", .int64, "Process group id as the node sees it."),
    .init(.processNamespaceGroupID, "proc.vpgid", .int64, "Process group id in the innermost pid namespace."),
    .init(.processTerminal, "proc.tty", .uint32, "Device number of the controlling terminal; 0 where there is none."),
    .init(.processIsSessionLeader, "proc.is_sid_leader", .boolean, "Whether the process leads its session."),
    .init(.processIsGroupLeader, "proc.is_pgid_leader", .boolean, "Whether the process leads its process group."),
    .init(
      .processIsNamespaceGroupLeader, "proc.is_vpgid_leader", .boolean,
      "Whether the process leads its process group, as its pid namespace sees it."),
    .init(
      .processIsExeUpperLayer, "proc.is_exe_upper_layer", .boolean,
      "The executable lies in the upper layer of an overlay: it was not in the image."),
    .init(
      .processIsExeLowerLayer, "proc.is_exe_lower_layer", .boolean,
      "The executable lies in a lower layer of an overlay: it came with the image."),
    .init(.processIsExeFromMemfd, "proc.is_exe_from_memfd", .boolean, "The executable is memory that has no file."),
    .init(.processExeInode, "proc.exe_ino", .int64, "Inode number of the executable."),
    .init(
      .processExeChanged, "proc.exe_ino.ctime", .absoluteTime,
      "When the executable's inode was last changed, in nanoseconds since 1970."),
    .init(
      .processExeModified, "proc.exe_ino.mtime", .absoluteTime,
      "When the executable was last written to, in nanoseconds since 1970."),
    .init(
      .processExeAge, "proc.exe_ino.ctime_duration_proc_start", .absoluteTime,
      "Nanoseconds from the last change of the executable's inode to the start of the process."),
    .init(
      .processDuration, "proc.duration", .relativeTime,
      "How long the process has been there, in nanoseconds. Missing where its start is not known."),
    .init(.processParentDuration, "proc.ppid.duration", .relativeTime, "proc.duration of the parent."),
    .init(.processStart, "proc.pid.ts", .relativeTime, "When the process started, in nanoseconds since 1970."),
    .init(.processParentStart, "proc.ppid.ts", .relativeTime, "proc.pid.ts of the parent."),
    .init(.threadID, "thread.tid", .int64, "Id of the acting thread as the node sees it."),
    .init(.threadIsMain, "thread.ismain", .boolean, "Whether the acting thread is the first of its process."),
    .init(
      .threadCapabilitiesEffective, "thread.cap_effective", .string,
      "Effective capabilities at the time of exec, names with spaces between: `CAP_CHOWN CAP_KILL`."),
    .init(.threadCapabilitiesPermitted, "thread.cap_permitted", .string, "Permitted capabilities at the time of exec."),
    .init(
      .threadCapabilitiesInheritable, "thread.cap_inheritable", .string, "Inheritable capabilities at the time of exec."
    ),
  ]

  static let userFields: [FieldDescription] = [
    .init(.userID, "user.uid", .uint32, "Effective user id of the acting thread, as the node sees it."),
    .init(.userLoginID, "user.loginuid", .int64, "User id at login (audit), -1 where unset."),
    .init(
      .userName, "user.name", .string,
      "Name of that user: in a container as its own /etc/passwd has it, on the host as the host's has. `root` for 0 and `<NA>` for others where that does not tell."
    ),
    .init(.userHome, "user.homedir", .string, "Home directory of that user, from the same file; `<NA>` where unknown."),
    .init(.userShell, "user.shell", .string, "Login shell of that user, from the same file; `<NA>` where unknown."),
    .init(
      .userLoginName, "user.loginname", .string,
      "Name of the user of user.loginuid, from the same file; `<NA>` where unset or unknown."),
    .init(.groupID, "group.gid", .uint32, "Effective group id of the acting thread, as the node sees it."),
    .init(
      .groupName, "group.name", .string,
      "Name of that group, from /etc/group of the container or the host; `root` for 0 and `<NA>` for others where that does not tell."
    ),
  ]
}
