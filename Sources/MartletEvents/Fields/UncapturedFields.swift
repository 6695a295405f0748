// SPDX-License-Identifier: Apache-2.0

/// Falco's fields that no record of ours carries: rules that name them load, and find them missing.
extension FieldRegistry {
  static let uncapturedEventFields: [FieldDescription] = [
    .init(
      "evt.around", .uint64, argument: .requiredIndex, isFilterOnly: true,
      "Whether the event is near a moment: `evt.around[T] = D`, in nanoseconds and milliseconds."),
    .init("evt.asynctype", .string, "Name of an asynchronous event."),
    .init("evt.buffer", .bytes, "Bytes that were read, written, sent or received."),
    .init("evt.buflen", .uint64, "How many bytes there are in evt.buffer."),
    .init("evt.buflen.file", .uint64, "evt.buflen, of files only."),
    .init("evt.buflen.file.in", .uint64, "evt.buflen, of reads from files only."),
    .init("evt.buflen.file.out", .uint64, "evt.buflen, of writes to files only."),
    .init("evt.buflen.in", .uint64, "evt.buflen, of input only."),
    .init("evt.buflen.net", .uint64, "evt.buflen, of sockets only."),
    .init("evt.buflen.net.in", .uint64, "evt.buflen, of input from sockets only."),
    .init("evt.buflen.net.out", .uint64, "evt.buflen, of output to sockets only."),
    .init("evt.buflen.out", .uint64, "evt.buflen, of output only."),
    .init("evt.count.error.file", .uint32, "1 for a failed call on a file."),
    .init("evt.count.error.memory", .uint32, "1 for a failed call on memory."),
    .init("evt.count.error.net", .uint32, "1 for a failed call on a socket."),
    .init("evt.count.error.other", .uint32, "1 for a failed call of another kind."),
    .init("evt.count.procinfo", .uint32, "1 for reports on a process."),
    .init("evt.count.threadinfo", .uint32, "1 for reports on a thread."),
    .init("evt.deltatime", .relativeTime, "Nanoseconds since the event before."),
    .init("evt.deltatime.ns", .relativeTime, "Fraction of evt.deltatime."),
    .init("evt.deltatime.s", .relativeTime, "Whole seconds of evt.deltatime."),
    .init("evt.infra.docker.container.id", .string, "Container that a message of Docker's is about."),
    .init("evt.infra.docker.container.image", .string, "Image that a message of Docker's is about."),
    .init("evt.infra.docker.container.name", .string, "Name of the container that a message of Docker's is about."),
    .init("evt.infra.docker.name", .string, "Name of a message of Docker's."),
    .init("evt.io_dir", .string, "`read` or `write`, for calls that move data."),
    .init("evt.latency", .relativeTime, "Nanoseconds that a call took; no longer measured by Falco either."),
    .init("evt.latency.human", .string, "evt.latency for people."),
    .init("evt.latency.ns", .relativeTime, "Fraction of evt.latency."),
    .init("evt.latency.quantized", .uint64, "Logarithm of evt.latency."),
    .init("evt.latency.s", .relativeTime, "Whole seconds of evt.latency."),
    .init("evt.outputtime", .string, "Time of the event in the form that the command line chooses."),
    .init("evt.plugininfo", .string, "A plugin's summary of its event."),
    .init("evt.pluginname", .string, "The plugin that made the event."),
    .init("evt.reltime", .relativeTime, "Nanoseconds since the capture began."),
    .init("evt.reltime.ns", .relativeTime, "Fraction of evt.reltime."),
    .init("evt.reltime.s", .relativeTime, "Whole seconds of evt.reltime."),
    .init(
      "evt.wait_latency", .relativeTime, "Nanoseconds that a waiting call took; no longer measured by Falco either."),
    .init("util.cnt", .uint64, "A counter that grows with every use."),
  ]

  static let uncapturedProcessFields: [FieldDescription] = [
    .init("group.name", .string, "Name of the group of the acting thread."),
    .init(
      "proc.aenv", .string, argument: .optionalIndexOrKey, multiplicity: .ancestors,
      "Environment of an ancestor, by index, or one variable of it, by name."),
    .init(
      "proc.env", .string, argument: .optionalIndexOrKey,
      "Environment of the process, or one variable of it: `proc.env[HOME]`."),
    .init(
      "proc.exe_ino.ctime_duration_pidns_start", .absoluteTime,
      "Time from the start of the pid namespace to the last change of the executable's inode."),
    .init("proc.fdlimit", .int64, "How many descriptors the process may have open."),
    .init("proc.fdopencount", .uint64, "How many descriptors the process has open."),
    .init("proc.fdusage", .double, "Share of its descriptors that the process has open."),
    .init("proc.is_container_healthcheck", .boolean, "Whether the process belongs to a health check of its container."),
    .init(
      "proc.is_container_liveness_probe", .boolean, "Whether the process belongs to a liveness probe of its container."),
    .init(
      "proc.is_container_readiness_probe", .boolean,
      "Whether the process belongs to a readiness probe of its container."),
    .init("proc.is_exe_writable", .boolean, "Whether the user who started the executable may write to it."),
    .init("proc.loginshellid", .int64, "Process id of the oldest shell among the ancestors."),
    .init("proc.nchilds", .uint64, "Threads of the process besides the first."),
    .init("proc.nthreads", .uint64, "Threads of the process."),
    .init(
      "proc.pidns_init_start_ts", .uint64, "Start of the first process in the pid namespace, in nanoseconds since 1970."
    ),
    .init("proc.stderr.name", .string, "Name of descriptor 2."),
    .init("proc.stderr.type", .string, "Type of descriptor 2."),
    .init("proc.stdin.name", .string, "Name of descriptor 0."),
    .init("proc.stdin.type", .string, "Type of descriptor 0."),
    .init("proc.stdout.name", .string, "Name of descriptor 1."),
    .init("proc.stdout.type", .string, "Type of descriptor 1."),
    .init("proc.vmrss", .uint64, "Resident memory of the process, in kilobytes."),
    .init("proc.vmsize", .uint64, "Virtual memory of the process, in kilobytes."),
    .init("proc.vmswap", .uint64, "Swapped memory of the process, in kilobytes."),
    .init(
      "thread.cgroup", .string, argument: .word,
      "Path of the thread's cgroup of one controller: `thread.cgroup.cpuacct`."),
    .init("thread.cgroups", .string, "All cgroups of the thread."),
    .init("thread.cpu", .double, "Share of a processor that the thread used."),
    .init("thread.cpu.system", .double, "The part of thread.cpu inside the kernel."),
    .init("thread.cpu.user", .double, "The part of thread.cpu outside of the kernel."),
    .init("thread.exectime", .relativeTime, "Nanoseconds that the thread ran when it was last scheduled."),
    .init("thread.nametid", .string, "Process name and thread id, joined."),
    .init("thread.pfmajor", .uint64, "Page faults of the thread that had to wait for a disk."),
    .init("thread.pfminor", .uint64, "Page faults of the thread that had not."),
    .init("thread.totexectime", .relativeTime, "Nanoseconds that the thread has run."),
    .init("thread.vmrss", .uint64, "Resident memory of the process, for its first thread, in kilobytes."),
    .init("thread.vmrss.b", .uint64, "thread.vmrss in bytes."),
    .init("thread.vmsize", .uint64, "Virtual memory of the process, for its first thread, in kilobytes."),
    .init("thread.vmsize.b", .uint64, "thread.vmsize in bytes."),
    .init("thread.vtid", .int64, "Id of the acting thread in the innermost pid namespace."),
    .init("user.homedir", .string, "Home directory of the user."),
    .init("user.loginname", .string, "Name of the user who logged in."),
    .init("user.name", .string, "Name of the user."),
    .init("user.shell", .string, "Login shell of the user."),
  ]

  static let uncapturedDescriptorFields: [FieldDescription] = [
    .init(
      "fd.cip.name", .string, takesTransformers: false, takesOtherSide: false,
      "Whether a name resolves to the client's address."),
    .init("fd.containerdirectory", .string, "Container id and directory of the file, joined."),
    .init("fd.containername", .string, "Container id and name of the descriptor, joined."),
    .init("fd.cproto", .string, "Name of the service at the client's port."),
    .init(
      "fd.lip.name", .string, takesTransformers: false, takesOtherSide: false,
      "Whether a name resolves to the local address."),
    .init("fd.lproto", .string, "Name of the service at the local port."),
    .init("fd.proto", .port, multiplicity: .bothEnds, isFilterOnly: true, "Name of the service at either port."),
    .init(
      "fd.rip.name", .string, takesTransformers: false, takesOtherSide: false,
      "Whether a name resolves to the remote address."),
    .init("fd.rproto", .string, "Name of the service at the remote port."),
    .init(
      "fd.sip.name", .string, takesTransformers: false, takesOtherSide: false,
      "Whether a name resolves to the server's address."),
    .init("fd.sproto", .string, "Name of the service at the server's port."),
    .init(
      "fd.types", .string, argument: .optionalIndex, multiplicity: .list, takesOtherSide: false,
      "Types of all descriptors that the process has open."),
    .init("fd.uid", .string, "Thread id and descriptor, joined: names a descriptor on the node."),
    .init("fdlist.cips", .string, "Client addresses of the polled descriptors."),
    .init("fdlist.cports", .string, "Client ports of the polled descriptors."),
    .init("fdlist.names", .string, "Names of the polled descriptors."),
    .init("fdlist.nums", .string, "Numbers of the polled descriptors."),
    .init("fdlist.sips", .string, "Server addresses of the polled descriptors."),
    .init("fdlist.sports", .string, "Server ports of the polled descriptors."),
    .init("fs.path.source", .string, "The path that a call takes from: of renames, links and copies."),
    .init("fs.path.sourceraw", .string, "fs.path.source as it was passed."),
    .init("fs.path.target", .string, "The path that a call makes: of renames and links."),
    .init("fs.path.targetraw", .string, "fs.path.target as it was passed."),
  ]
}
