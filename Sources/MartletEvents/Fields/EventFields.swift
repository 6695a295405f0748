// SPDX-License-Identifier: Apache-2.0

extension FieldRegistry {
  static let eventFields: [FieldDescription] = [
    .init(.eventNumber, "evt.num", .uint64, "Running number of the event, from 1. Counts what reached the matcher."),
    .init(.eventTime, "evt.time", .string, "Time of day of the event in UTC, `HH:MM:SS.nnnnnnnnn`."),
    .init(.eventTimeSeconds, "evt.time.s", .string, "Time of day of the event in UTC, `HH:MM:SS`."),
    .init(
      .eventTimeISO, "evt.time.iso8601", .string,
      "Date and time of the event in UTC, `YYYY-MM-DDTHH:MM:SS.nnnnnnnnn+0000`."),
    .init(
      .eventDateTime, "evt.datetime", .string, "Date and time of the event in UTC, `YYYY-MM-DD HH:MM:SS.nnnnnnnnn`."),
    .init(
      .eventDateTimeSeconds, "evt.datetime.s", .string, "Date and time of the event in UTC, `YYYY-MM-DD HH:MM:SS`."),
    .init(.eventRawTime, "evt.rawtime", .absoluteTime, "Time of the event, in nanoseconds since 1970."),
    .init(.eventRawTimeSeconds, "evt.rawtime.s", .absoluteTime, "Whole seconds of evt.rawtime."),
    .init(
      .eventRawTimeFraction, "evt.rawtime.ns", .absoluteTime, "Nanoseconds of evt.rawtime beyond the whole second."),
    .init(.eventSource, "evt.source", .string, "Where the event comes from: always `syscall`."),
    .init(.eventIsAsync, "evt.is_async", .boolean, "Whether a plugin made the event on its own: always false."),
    .init(.eventHostname, "evt.hostname", .string, "Name of the node."),
    .init(.eventDirection, "evt.dir", .string, "Always `<`: rules see calls when they return."),
    .init(
      .eventType, "evt.type", .string,
      "The call the event came from: execve, openat, connect, ptrace and so on. Of calls that move datagrams (sendto, sendmsg, sendmmsg, recvfrom, recvmsg, recvmmsg), the first with each peer of a socket."
    ),
    .init(
      .eventTypeIs, "evt.type.is", .uint32, argument: .eventName,
      "1 where the event is of that type, otherwise 0: `evt.type.is.open`."),
    .init(.systemCallType, "syscall.type", .string, "The same as evt.type."),
    .init(
      .eventCategory, "evt.category", .string,
      "What the call is about: process, file, net, user, signal, system or IO-other."),
    .init(.eventCPU, "evt.cpu", .int16, "Number of the processor that ran the call."),
  ]

  static let callFields: [FieldDescription] = [
    .init(
      .eventArguments, "evt.args", .string,
      "All parameters of the event that are known: `name=value`, and in parentheses what the value stands for."),
    .init(.eventInfo, "evt.info", .string, "The same as evt.args."),
    .init(
      .eventArgument, "evt.arg", .string, argument: .parameter,
      "A parameter of the event as text, by name or by number: `evt.arg.flags`, `evt.arg[0]`. Missing where the event has none such."
    ),
    .init(
      .eventRawArgument, "evt.rawarg", .dynamic, argument: .parameterName,
      "A parameter of the event in its own type, by name: `evt.rawarg.res`."),
    .init(
      .eventAbsolutePath, "evt.abspath", .string, argument: .pathSide, on: [.open],
      "The path of openat, openat2 and open_by_handle_at, made absolute."),
    .init(.eventResult, "evt.res", .string, "Result as text: `SUCCESS`, or the errno's name such as `ENOENT`."),
    .init(.eventRawResult, "evt.rawres", .int64, "Result of the call: a descriptor or 0, or a negated errno."),
    .init(.eventFailed, "evt.failed", .boolean, "Whether the call failed."),
    .init(.eventCount, "evt.count", .uint32, "Always 1, so that events can be counted."),
    .init(.eventCountError, "evt.count.error", .uint32, "1 where the call failed, otherwise 0."),
    .init(.eventCountExit, "evt.count.exit", .uint32, "Always 1: rules see calls when they return."),
    .init(.eventIsIO, "evt.is_io", .boolean, "Whether the call moves data: false on what is captured."),
    .init(.eventIsIORead, "evt.is_io_read", .boolean, "Whether the call reads data: false on what is captured."),
    .init(.eventIsIOWrite, "evt.is_io_write", .boolean, "Whether the call writes data: false on what is captured."),
    .init(.eventIsWait, "evt.is_wait", .boolean, "Whether the call waits for something: false on what is captured."),
    .init(
      .eventIsSyslog, "evt.is_syslog", .boolean,
      "Whether the call writes to the system's log: false on what is captured."),
    .init(
      .eventIsOpenRead, "evt.is_open_read", .boolean,
      "The call asked to read: open, openat, openat2 or open_by_handle_at with O_RDONLY or O_RDWR. False on other events."
    ),
    .init(
      .eventIsOpenWrite, "evt.is_open_write", .boolean,
      "The call asked to write: open, openat, openat2 or open_by_handle_at with O_WRONLY or O_RDWR. False on other events."
    ),
    .init(
      .eventIsOpenExec, "evt.is_open_exec", .boolean,
      "The call may create a file that can be executed: creat, or one of the open family with O_CREAT or O_TMPFILE, with an execute bit in its mode. False on other events."
    ),
    .init(
      .eventIsOpenCreate, "evt.is_open_create", .boolean,
      "The call made the file. False on other events, and where it was there before."),
    .init(
      .eventIsIOURing, "evt.is_io_uring", .boolean,
      "The program asked through io_uring, by no system call of its own. Martlet's own; false on other events."),
  ]
}
