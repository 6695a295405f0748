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
    .init(.processArguments, "proc.args", .string, "Arguments after the first, joined by one space."),
    .init(.processCommandLine, "proc.cmdline", .string, "proc.name at the time of exec, a space, and proc.args."),
    .init(.processDirectory, "proc.cwd", .path, "Working directory at the time of exec, with a slash at its end."),
    .init(.processID, "proc.pid", .int64, "Process id as the node sees it."),
    .init(.processParentID, "proc.ppid", .int64, "Process id of the parent as the node sees it."),
    .init(
      .processNamespaceID, "proc.vpid", .int64,
      "Process id in the innermost pid namespace: 1 is a container's first process."),
    .init(.processSessionID, "proc.sid", .int64, "Session id as the node sees it."),
    .init(.processTerminal, "proc.tty", .uint32, "Device number of the controlling terminal; 0 where there is none."),
    .init(.processParentName, "proc.pname", .string, "Name of the parent process."),
    .init(.processParentExe, "proc.pexe", .string, "proc.exe of the parent."),
    .init(.processParentExePath, "proc.pexepath", .path, "proc.exepath of the parent."),
    .init(.processParentCommandLine, "proc.pcmdline", .string, "proc.cmdline of the parent."),
    .init(
      .processAncestorName, "proc.aname", .string, argument: .optionalIndex, multiplicity: .ancestors,
      "`proc.aname[n]`: name of the n-th ancestor, 0 for the process itself. Without index, in a condition: any ancestor."
    ),
    .init(
      .processAncestorExePath, "proc.aexepath", .path, argument: .optionalIndex, multiplicity: .ancestors,
      "`proc.aexepath[n]`: executable of the n-th ancestor. Without index, in a condition: any ancestor."),
    .init(
      .processIsExeUpperLayer, "proc.is_exe_upper_layer", .boolean,
      "The executable lies in the upper layer of an overlay: it was not in the image."),
    .init(
      .processIsExeLowerLayer, "proc.is_exe_lower_layer", .boolean,
      "The executable lies in a lower layer of an overlay: it came with the image."),
    .init(.processIsExeFromMemfd, "proc.is_exe_from_memfd", .boolean, "The executable is memory that has no file."),
    .init(
      .processDuration, "proc.duration", .relativeTime,
      "How long the process has been there, in nanoseconds. Missing where its start is not known."),
    .init(.threadID, "thread.tid", .int64, "Id of the acting thread as the node sees it."),
  ]

  static let userFields: [FieldDescription] = [
    .init(.userID, "user.uid", .uint32, "Effective user id of the acting thread, as the node sees it."),
    .init(.userLoginID, "user.loginuid", .int64, "User id at login (audit), -1 where unset."),
    .init(.groupID, "group.gid", .uint32, "Effective group id of the acting thread, as the node sees it."),
  ]
}
