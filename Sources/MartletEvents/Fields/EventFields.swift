// SPDX-License-Identifier: Apache-2.0

extension FieldRegistry {
  static let eventFields: [FieldDescription] = [
    .init(.eventNumber, "evt.num", .uint64, "Running number of the event, from 1. Counts what reached the matcher."),
    .init(.eventTime, "evt.time", .string, "Time of day of the event in UTC, `HH:MM:SS.nnnnnnnnn`."),
    .init(.eventRawTime, "evt.rawtime", .absoluteTime, "Time of the event, in nanoseconds since 1970."),
    .init(
      .eventType, "evt.type", .string,
      "The call the event came from: execve, execveat, open, openat, openat2, creat, open_by_handle_at, connect, accept, accept4, listen, bind, and of datagrams the first with each peer: sendto, sendmsg, sendmmsg, recvfrom, recvmsg, recvmmsg."
    ),
    .init(
      .eventRawResult, "evt.rawres", .int64,
      "Result of the call: a descriptor or 0, or a negated errno."),
    .init(
      .eventResult, "evt.res", .string,
      "Result as text: `SUCCESS`, or the errno's name such as `ENOENT`."),
    .init(
      .eventIsOpenRead, "evt.is_open_read", .boolean,
      "The call asked to read: open, openat, openat2 or open_by_handle_at with O_RDONLY or O_RDWR. False on other events."
    ),
    .init(
      .eventIsOpenWrite, "evt.is_open_write", .boolean,
      "The call asked to write: open, openat, openat2 or open_by_handle_at with O_WRONLY or O_RDWR. False on other events."
    ),
    .init(
      .eventIsIOURing, "evt.is_io_uring", .boolean,
      "The program asked through io_uring, by no system call of its own. Martlet's own; false on other events."),
    .init(.eventHostname, "evt.hostname", .string, "Name of the node."),
  ]
}
