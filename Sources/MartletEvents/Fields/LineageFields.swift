// SPDX-License-Identifier: Apache-2.0

extension FieldRegistry {
  static let lineageFields: [FieldDescription] = [
    .init(.processParentName, "proc.pname", .string, "Name of the parent process."),
    .init(.processParentExe, "proc.pexe", .string, "proc.exe of the parent."),
    .init(.processParentExePath, "proc.pexepath", .path, "proc.exepath of the parent."),
    .init(.processParentCommandLine, "proc.pcmdline", .string, "proc.cmdline of the parent."),
    .init(
      .processAncestorName, "proc.aname", .string, argument: .optionalIndex, multiplicity: .ancestors,
      "`proc.aname[n]`: name of the n-th ancestor, 0 for the process itself. Without index, in a condition: any ancestor."
    ),
    .init(
      .processAncestorExe, "proc.aexe", .string, argument: .optionalIndex, multiplicity: .ancestors,
      "`proc.aexe[n]`: proc.exe of the n-th ancestor. Without index, in a condition: any ancestor."),
    .init(
      .processAncestorExePath, "proc.aexepath", .path, argument: .optionalIndex, multiplicity: .ancestors,
      "`proc.aexepath[n]`: executable of the n-th ancestor. Without index, in a condition: any ancestor."),
    .init(
      .processAncestorCommandLine, "proc.acmdline", .string, argument: .optionalIndex, multiplicity: .ancestors,
      "`proc.acmdline[n]`: proc.cmdline of the n-th ancestor. Without index, in a condition: any ancestor."),
    .init(
      .processAncestorArguments, "proc.aargs", .string, argument: .optionalIndex, multiplicity: .ancestors,
      takesTransformers: true, takesOtherSide: true,
      "`proc.aargs[n]`: proc.args of the n-th ancestor. Without index, in a condition: any ancestor."),
    .init(
      .processAncestorID, "proc.apid", .int64, argument: .optionalIndex, multiplicity: .ancestors,
      "`proc.apid[n]`: process id of the n-th ancestor. Without index, in a condition: any ancestor."),
    .init(
      .processSessionName, "proc.sname", .string,
      "Name of the process that leads the session, or of the oldest known ancestor in it."),
    .init(.processSessionExe, "proc.sid.exe", .string, "proc.exe of the process that leads the session."),
    .init(.processSessionExePath, "proc.sid.exepath", .path, "proc.exepath of the process that leads the session."),
    .init(
      .processGroupName, "proc.pgid.name", .string,
      "Name of the process that leads the process group, or of the oldest known ancestor in it."),
    .init(.processGroupExe, "proc.pgid.exe", .string, "proc.exe of the process that leads the process group."),
    .init(
      .processGroupExePath, "proc.pgid.exepath", .path, "proc.exepath of the process that leads the process group."),
    .init(.processNamespaceGroupName, "proc.vpgid.name", .string, "The same as proc.pgid.name."),
    .init(.processNamespaceGroupExe, "proc.vpgid.exe", .string, "The same as proc.pgid.exe."),
    .init(.processNamespaceGroupExePath, "proc.vpgid.exepath", .path, "The same as proc.pgid.exepath."),
  ]
}
