// SPDX-License-Identifier: Apache-2.0

public import CMartletABI
public import Glibc
public import MartletEvents

/// Builders: an event reads as what happened.
public enum Event {
  public static let shadowInode: UInt64 = 4711

  /// The cgroup of a container with this id in a pod, and the record that announces it.
  public static func container(
    cgroup id: UInt64, containerID: String, podUID: String, at time: UInt64 = 0
  ) -> TestRecord {
    cgroup(id, "/kubepods/burstable/pod\(podUID)/\(containerID)", at: time)
  }

  public static func cgroup(_ id: UInt64, _ path: String, hierarchy: UInt32 = 0, at time: UInt64 = 0) -> TestRecord {
    var part = martlet_cgroup()
    part.record = common(.cgroup, TestProcess(1), at: time)
    part.id = id
    part.hierarchy = hierarchy
    var builder = RecordBuilder(part)
    builder.part.path = builder.text(path)
    return builder.build()
  }

  public static func host(
    _ name: String, nodeID: String = "", realtimeOffset: Int64 = 0, at time: UInt64 = 0
  ) -> TestRecord {
    var part = martlet_host()
    part.record = common(.host, TestProcess(0), at: time)
    part.realtime_offset_ns = realtimeOffset
    var builder = RecordBuilder(part)
    builder.part.hostname = builder.text(name)
    builder.part.node_id = builder.text(nodeID)
    return builder.build()
  }

  /// What a runtime says about a container.
  public static func report(_ report: some StreamReport, at time: UInt64 = 0) -> TestRecord {
    report.withRecord(at: time) { TestRecord(copying: $0) }
  }

  /// What the agent says of a model that `process` opened.
  public static func model(
    by process: TestProcess, at time: UInt64 = 0, _ change: (inout ModelEvent) -> Void = { _ in }
  ) -> TestRecord {
    var event = ModelEvent(opener: common(.open, process, at: time))
    change(&event)
    return event.withRecord(at: time) { TestRecord(copying: $0) }
  }

  /// What becomes of asking runtimes.
  public static func inquiry(_ step: InquiryStep, at time: UInt64 = 0) -> TestRecord {
    step.withRecord(at: time) { TestRecord(copying: $0) }
  }

  public static func tick(at time: UInt64 = 0) -> TestRecord {
    RecordBuilder(common(.tick, TestProcess(0), at: time)).build()
  }

  public static func exec(_ process: TestProcess, at time: UInt64 = 0) -> TestRecord {
    var builder = RecordBuilder(processPart(.exec, process, call: UInt16(MARTLET_CALL_EXECVE.rawValue), at: time))
    addTexts(of: process, at: \.self, to: &builder)
    return builder.build()
  }

  /// A process of the start-up snapshot.
  public static func seed(_ process: TestProcess, network: UInt32 = 0) -> TestRecord {
    var part = processPart(.process, process, call: 0, at: 0)
    part.network_namespace = network
    var builder = RecordBuilder(part)
    addTexts(of: process, at: \.self, to: &builder)
    return builder.build()
  }

  /// With the environment that it was started with.
  public static func exec(_ process: TestProcess, environment: [String]) -> TestRecord {
    var part = martlet_process_environment()
    part.process = processPart(.exec, process, call: UInt16(MARTLET_CALL_EXECVE.rawValue), at: 0)
    part.process.record.flags |= UInt32(MARTLET_FLAG_ENVIRONMENT)
    var builder = RecordBuilder(part)
    addTexts(of: process, at: \.process, to: &builder)
    builder.part.environment = builder.text(environment.flatMap { Array($0.utf8) + [0] })
    return builder.build()
  }

  private static func addTexts<Part>(
    of process: TestProcess, at place: WritableKeyPath<Part, martlet_process>, to builder: inout RecordBuilder<Part>
  ) {
    builder.part[keyPath: place].exe_path = builder.text(process.exePath)
    builder.part[keyPath: place].filename = builder.text(process.exePath)
    builder.part[keyPath: place].arguments = builder.text(process.arguments.flatMap { Array($0.utf8) + [0] })
    builder.part[keyPath: place].directory = builder.text(process.directory)
  }

  private static func processPart(
    _ kind: EventKind, _ process: TestProcess, call: UInt16, at time: UInt64
  ) -> martlet_process {
    var part = martlet_process()
    part.record = common(kind, process, at: time)
    part.record.call = call
    part.parent_id = process.parentID
    part.parent_start_ns = process.parentStartNanoseconds
    part.namespace_process_id = process.namespaceID
    part.session_id = process.sessionID
    part.login_user_id = process.loginUserID
    part.terminal = process.terminal
    part.exe_flags = process.exeFlags
    part.exe_inode = shadowInode
    part.exe_changed_ns = 2_000_000_003
    part.exe_modified_ns = 1_000_000_001
    part.process_group_id = process.id
    part.namespace_process_group_id = process.namespaceID
    part.capabilities_effective = 0x1ff
    part.capabilities_permitted = 0x21
    return part
  }

  public static func fork(_ child: TestProcess, by creator: TestProcess, at time: UInt64 = 0) -> TestRecord {
    var part = martlet_fork()
    part.record = common(.fork, child, at: time)
    part.creator_id = creator.id
    part.creator_start_ns = creator.startNanoseconds
    part.parent_id = child.parentID
    part.parent_start_ns = child.parentStartNanoseconds
    part.namespace_process_id = child.namespaceID
    return RecordBuilder(part).build()
  }

  public static func exit(_ process: TestProcess, at time: UInt64 = 0) -> TestRecord {
    var part = martlet_exit()
    part.record = common(.exit, process, at: time)
    return RecordBuilder(part).build()
  }

  /// An `openat`. `resolved` is the name itself unless given; nil and a negative `result` make a failed one.
  public static func open(
    _ name: String, resolved: String? = nil, below directory: String = "", by process: TestProcess,
    flags: Int32 = O_RDONLY, result: Int64 = 3, call: EventType = .openat, mode: mode_t = S_IFREG | 0o644,
    fileFlags: UInt32 = 0, createMode: UInt32 = 0o644, at time: UInt64 = 0
  ) -> TestRecord {
    var part = martlet_open()
    part.record = common(.open, process, at: time)
    part.record.call = UInt16(call.rawValue)
    part.result = result
    part.open_flags = UInt32(bitPattern: flags)
    part.create_mode = createMode
    part.directory_fd = AT_FDCWD
    if result >= 0 {
      part.inode = shadowInode
      part.inode_mode = UInt32(mode)
      part.device = 8 << 20 | 1
      part.file_flags = fileFlags
    }
    var builder = RecordBuilder(part)
    if result >= 0 { builder.part.path = builder.text(resolved ?? name) }
    builder.part.name = builder.text(name)
    builder.part.directory = builder.text(directory)
    return builder.build()
  }

  /// A change of a watched file: a rename of `path` to `name`.
  public static func change(
    of path: String, to name: String, below directory: String = "", by process: TestProcess,
    _ change: martlet_change = MARTLET_CHANGE_RENAMED, at time: UInt64 = 0
  ) -> TestRecord {
    var part = martlet_file()
    part.record = common(.file, process, at: time)
    part.change = change.rawValue
    part.inode = shadowInode
    part.device = 8 << 20 | 1
    var builder = RecordBuilder(part)
    builder.part.path = builder.text(path)
    builder.part.name = builder.text(name)
    builder.part.directory = builder.text(directory)
    return builder.build()
  }

  /// A call on an internet socket: unless told otherwise, a TCP connection that has no answer yet.
  public static func connect(
    to address: String, port: UInt16, from local: String? = nil, localPort: UInt16 = 0, by process: TestProcess,
    transport: Int = Int(IPPROTO_TCP), result: Int64 = -Int64(EINPROGRESS), call: EventType = .connect,
    fd: Int32 = -1, flags: UInt32 = 0, network: UInt32 = 0, at time: UInt64 = 0
  ) -> TestRecord {
    var part = martlet_connect()
    part.record = common(.connect, process, at: time)
    part.record.call = UInt16(call.rawValue)
    part.record.flags = flags
    part.result = result
    part.network_namespace = network
    part.`protocol` = UInt16(transport)
    part.remote_port = port
    part.local_port = localPort
    part.fd = fd
    part.family = UInt16(write(address, to: &part.remote_address))
    if let local { _ = write(local, to: &part.local_address) }
    return RecordBuilder(part).build()
  }

  /// A call on a Unix socket. A name that begins with NUL is abstract.
  public static func unix(
    _ call: EventType = .connect, name: String = "", peer: String = "", path: String = "", by process: TestProcess,
    result: Int64 = 0, fd: Int32 = 3, cookies: (own: UInt64, peer: UInt64) = (0, 0)
  ) -> TestRecord {
    var part = martlet_unix()
    part.record = common(.unix, process, at: 0)
    part.record.call = UInt16(call.rawValue)
    part.result = result
    part.fd = fd
    part.socket_type = UInt32(SOCK_STREAM.rawValue)
    (part.socket_cookie, part.peer_cookie) = cookies
    var builder = RecordBuilder(part)
    builder.part.name = builder.text(name)
    builder.part.peer_name = builder.text(peer)
    builder.part.path = builder.text(path)
    return builder.build()
  }

  /// A call without a kind of its own. `path` is that of the file behind `fd`, or the new working directory.
  public static func call(
    _ type: EventType, by process: TestProcess, result: Int64 = 0, arguments: [UInt64] = [], names: [String] = [],
    below directories: [String] = [], fd: Int32 = -1, path: String = "", mode: mode_t = 0, ends: martlet_ends? = nil,
    at time: UInt64 = 0
  ) -> TestRecord {
    var part = martlet_syscall()
    part.record = common(.call, process, at: time)
    part.record.call = UInt16(type.rawValue)
    part.result = result
    part.fd = fd
    part.inode_mode = UInt32(mode)
    if let ends { part.ends = ends }
    withUnsafeMutableBytes(of: &part.arguments) { bytes in
      for (index, value) in arguments.enumerated() { bytes.bindMemory(to: UInt64.self)[index] = value }
    }
    var builder = RecordBuilder(part)
    builder.part.path = builder.text(path)
    let texts = names.map { builder.text($0) }
    withUnsafeMutableBytes(of: &builder.part.names) { bytes in
      for (index, text) in texts.enumerated() { bytes.bindMemory(to: martlet_text.self)[index] = text }
    }
    let starts = directories.map { builder.text($0) }
    withUnsafeMutableBytes(of: &builder.part.directories) { bytes in
      for (index, text) in starts.enumerated() { bytes.bindMemory(to: martlet_text.self)[index] = text }
    }
    return builder.build()
  }

  /// Without a process, or about the one that is given.
  public static func notice(
    _ subject: NoticeSubject, count: UInt64 = 0, hook: HookName? = nil, detail: String = "", cgroup: UInt64 = 0,
    about process: TestProcess? = nil, at time: UInt64 = 0
  ) -> TestRecord {
    var part = martlet_notice()
    part.record = common(.notice, process ?? TestProcess(0), at: time)
    if process == nil {
      part.record.process_start_ns = 0
      part.record.cgroup_id = cgroup
    }
    part.count = count
    part.subject = subject.rawValue
    part.hook = hook?.rawValue ?? UInt32(MARTLET_HOOK_NONE.rawValue)
    var builder = RecordBuilder(part)
    builder.part.detail = builder.text(detail)
    return builder.build()
  }

  // MARK: - Parts

  static func common(_ kind: EventKind, _ process: TestProcess, at time: UInt64) -> martlet_record {
    var record = martlet_record()
    record.kind = kind.rawValue
    record.time_ns = time
    record.process_id = process.id
    record.thread_id = process.threadID
    record.process_start_ns = process.startNanoseconds
    record.user_id = process.userID
    record.cgroup_id = process.cgroupID
    record.cgroup_v1_id = process.cgroupV1ID
    withUnsafeMutableBytes(of: &record.comm) { $0.copyBytes(from: process.comm.utf8.prefix(15)) }
    return record
  }

  /// Writes the address in network order; returns its family.
  static func write<Bytes>(_ address: String, to bytes: inout Bytes) -> Int32 {
    withUnsafeMutableBytes(of: &bytes) { buffer in
      let isV6 = address.contains(":")
      let family = isV6 ? AF_INET6 : AF_INET
      precondition(inet_pton(family, address, buffer.baseAddress) == 1, "not an address: \(address)")
      return family
    }
  }
}
