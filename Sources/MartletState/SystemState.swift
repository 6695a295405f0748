// SPDX-License-Identifier: Apache-2.0

import CMartletABI
public import MartletEvents

/// What Martlet knows of the node: processes, their lineage, the containers they are in, the node's name and clock.
///
/// Comes in: records, in stream order, through `apply`. Goes out: an `EventContext` per event, which answers what a
/// rule asks about it. Refuses to know: rules, alerts, the file system, the time of day (the stream brings it).
/// Nothing changes but through `apply`, so the same stream gives the same state.
public struct SystemState: ~Copyable {
  private var processes: ProcessTable
  private var containers: ContainerTable
  private var names: ResolvedNames
  private var modelOpens: ModelOpens
  private let limits: StateLimits
  /// What contexts read.
  private let content: UnsafeMutablePointer<StateContent>
  private let hostname: UnsafeMutablePointer<UInt8>
  private var hasIdentity = false
  private var counters = StateStatistics()

  /// Longest chain of ancestors that rules see.
  public static let lineageDepthMax = 128
  private static let hostnameByteCountMax = 256
  /// The first of the kernel's own threads. They stay where the machine began, and nobody else can have this number.
  private static let kernelThreadID: UInt32 = 2

  public init(limits: StateLimits = StateLimits()) {
    self.limits = limits
    processes = ProcessTable(limits: limits)
    containers = ContainerTable(limits: limits)
    names = ResolvedNames(limits: limits)
    modelOpens = ModelOpens(limits: limits)
    hostname = .allocate(capacity: Self.hostnameByteCountMax)
    content = .allocate(capacity: 1)
    content.initialize(
      to: StateContent(
        processes: processes.lookup, containers: containers.containers, names: names.lookup,
        modelOpens: modelOpens.lookup, hostname: ByteView(start: hostname, count: 0), scratch: ContextScratch()))
  }

  deinit {
    content.pointee.scratch.deallocate()
    content.deallocate()
    hostname.deallocate()
  }

  public var statistics: StateStatistics {
    var result = counters
    result.processCount = processes.count
    result.exitedProcessCount = processes.exitedCount
    result.evictedProcessCount = processes.evictedCount
    result.imageByteCount = processes.imageByteCount
    result.shortenedImageCount += processes.shortenedImageCount
    result.cgroupCount = containers.cgroupCount
    result.containerCount = containers.containerCount
    result.forgottenContainerCount = containers.forgottenContainerCount
    result.evictedCgroupCount = containers.evictedCgroupCount
    result.refusedContainerCount = containers.refusedContainerCount
    result.containerReportCount = containers.reports.count
    result.containerReportByteCount = containers.reports.byteCount
    result.evictedContainerReportCount = containers.reports.evictedCount
    result.forgottenContainerReportCount = containers.reports.forgottenCount
    result.accountListCount = containers.accounts.count
    result.accountListByteCount = containers.accounts.byteCount
    result.evictedAccountListCount = containers.accounts.evictedCount
    result.forgottenAccountListCount = containers.accounts.forgottenCount
    result.evictedModelOpenCount = modelOpens.evictedCount
    result.nameCount = names.count
    result.evictedNameCount = names.evictedCount
    result.untrustedAnswerCount = names.untrustedCount
    result.malformedAnswerCount = names.malformedCount
    return result
  }

  /// Folds one record in. Returns the context to match it in, or nil where rules are not tried on it. A notice, which
  /// becomes an alert without any rule, has a context as well: its type is nil.
  ///
  /// The context holds until the next `apply`. Cost: constant; an exec allocates one block, a cgroup and a name their
  /// entries, what a runtime says its copy, nothing else allocates.
  public mutating func apply(_ record: EventRecord) -> EventContext? {
    switch record.kind {
    case .exec, .process:
      let slot = applyImage(record)
      return record.kind == .exec ? context(of: record, slot: slot) : nil
    case .fork: applyFork(record)
    case .exit: applyExit(record)
    case .connect, .unix: return context(of: record, slot: actingProcess(of: record))
    case .open:
      let slot = actingProcess(of: record)
      // The flag is on few records; nothing else is looked at of the others.
      if record.has(flag: UInt32(MARTLET_FLAG_FILE_STATE)) { modelOpens.note(record, by: slot, processes) }
      return context(of: record, slot: slot)
    case .model:
      let slot = subject(of: record)
      if slot != ProcessTable.overflowSlot { modelOpens.correct(by: record, slot, processes) }
      return context(of: record, slot: slot)
    case .call:
      let slot = actingProcess(of: record)
      applyCall(record, by: slot)
      return context(of: record, slot: slot)
    case .cgroup: applyCgroup(record)
    case .dns: names.apply(answer: record)
    case .resolvers: names.apply(resolvers: record)
    case .host: applyHost(record)
    case .notice: return context(of: record, slot: subject(of: record))
    case .start: return context(of: record, slot: initialProcess(of: record))
    case .container: containers.keep(report: record)
    case .accounts: containers.keep(accounts: record)
    case .inquiry: applyInquiry(record)
    case .tick: containers.rest(at: record.timeNanoseconds, processCounts: processes.processCountByContainer)
    case .file, .end: break
    }
    return nil
  }

  private mutating func context(of record: EventRecord, slot: Int32) -> EventContext? {
    content.pointee.eventNumber += 1
    content.pointee.lineageEpoch = processes.lineageEpoch
    if record.common.pointee.flags != 0 { countFlags(of: record) }
    return EventContext(record: record, type: record.type, slot: slot, state: StateView(content: content))
  }

  private mutating func countFlags(of record: EventRecord) {
    let truncations =
      MARTLET_FLAG_PATH_TRUNCATED | MARTLET_FLAG_NAME_TRUNCATED | MARTLET_FLAG_ARGUMENTS_TRUNCATED
      | MARTLET_FLAG_DIRECTORY_TRUNCATED
    if record.has(flag: truncations) { counters.truncatedTextCount += 1 }
    if record.has(flag: MARTLET_FLAG_PATH_UNREACHABLE) { counters.unreachablePathCount += 1 }
    if record.has(flag: MARTLET_FLAG_NAME_MISSING) { counters.missingNameCount += 1 }
  }

  // MARK: - Processes

  /// The entry of the process that the record is about, made from the record where none is known.
  private mutating func actingProcess(of record: EventRecord) -> Int32 {
    let common = record.common.pointee
    var slot = processes.lookup.find(common.process_id, startNanoseconds: common.process_start_ns)
    if slot < 0 {
      counters.unknownProcessCount += 1
      slot = insert(common.process_id, startNanoseconds: common.process_start_ns)
      setComm(of: slot, from: record)
    } else if common.thread_id == common.process_id {
      setComm(of: slot, from: record)
    }
    updateContainer(of: slot, from: common)
    return slot
  }

  /// Whom a notice or a verdict is about: a process, or, where it names none or nobody knows it any more, a stand-in in the
  /// container that it means. What is known does not change.
  private mutating func subject(of notice: EventRecord) -> Int32 {
    let common = notice.common.pointee
    let known = processes.lookup.find(common.process_id, startNanoseconds: common.process_start_ns)
    return known >= 0 ? known : standIn(for: notice)
  }

  /// Whom a record is about, as far as it tells itself.
  private mutating func standIn(for record: EventRecord) -> Int32 {
    let common = record.common.pointee
    processes.clearOverflow()
    processes.slots[Int(ProcessTable.overflowSlot)].processID = common.process_id
    processes.slots[Int(ProcessTable.overflowSlot)].startNanoseconds = common.process_start_ns
    setComm(of: ProcessTable.overflowSlot, from: record)
    updateContainer(of: ProcessTable.overflowSlot, from: common)
    return ProcessTable.overflowSlot
  }

  /// A new entry for this process; the stand-in when there is no room.
  private mutating func insert(_ processID: UInt32, startNanoseconds: UInt64) -> Int32 {
    // The end of an earlier process with this id was lost, or the id would not be in use again.
    let earlier = processes.lookup.find(processID)
    if earlier >= 0 { processes.exit(earlier) }
    if let slot = processes.insert(processID, startNanoseconds: startNanoseconds) { return slot }
    counters.refusedProcessCount += 1
    let overflow = processes.slots + Int(ProcessTable.overflowSlot)
    processes.clearOverflow()
    overflow.pointee.processID = processID
    overflow.pointee.startNanoseconds = startNanoseconds
    return ProcessTable.overflowSlot
  }

  private mutating func applyImage(_ record: EventRecord) -> Int32 {
    let part = record.process.pointee
    var slot = processes.lookup.find(part.record.process_id, startNanoseconds: part.record.process_start_ns)
    if slot < 0 {
      slot = insert(part.record.process_id, startNanoseconds: part.record.process_start_ns)
    }
    let process = processes.slots + Int(slot)
    process.pointee.parentID = part.parent_id
    process.pointee.parentStartNanoseconds = part.parent_start_ns
    process.pointee.namespaceProcessID = part.namespace_process_id
    process.pointee.sessionID = part.session_id
    process.pointee.processGroupID = part.process_group_id
    process.pointee.namespaceProcessGroupID = part.namespace_process_group_id
    process.pointee.capabilities = Capabilities(
      effective: part.capabilities_effective, permitted: part.capabilities_permitted,
      inheritable: part.capabilities_inheritable)
    process.pointee.userID = part.record.user_id
    process.pointee.groupID = part.record.group_id
    process.pointee.loginUserID = part.login_user_id
    process.pointee.terminal = part.terminal
    process.pointee.pidNamespace = part.pid_namespace
    process.pointee.mountNamespace = part.mount_namespace
    process.pointee.networkNamespace = part.network_namespace
    process.pointee.userNamespace = part.user_namespace
    if part.record.process_id == Self.kernelThreadID { names.nodeNetwork = part.network_namespace }
    setComm(of: slot, from: record)
    let hasRoom = processes.makeRoom(for: ProcessImage.byteCount(for: record))
    if !hasRoom { counters.shortenedImageCount += 1 }
    processes.setImage(of: slot, to: ProcessImage.make(from: record, keepsAll: hasRoom))
    link(slot, parentID: part.parent_id, startNanoseconds: part.parent_start_ns)
    processes.noteChange(of: slot)
    updateContainer(of: slot, from: part.record)
    noteInitial(slot)
    return slot
  }

  private mutating func applyFork(_ record: EventRecord) {
    let part = record.fork.pointee
    let known = processes.lookup.find(part.record.process_id, startNanoseconds: part.record.process_start_ns)
    // The start-up snapshot may already have brought the child, or an exec that came before this, with more than a fork
    // tells. A child that was only seen to act still has to be told what it inherited.
    guard known < 0 || processes.slots[Int(known)].image == nil else { return }
    let slot = known < 0 ? insert(part.record.process_id, startNanoseconds: part.record.process_start_ns) : known
    let creator = processes.lookup.find(part.creator_id, startNanoseconds: part.creator_start_ns)
    let process = processes.slots + Int(slot)
    if creator >= 0 {
      let source = (processes.slots + Int(creator)).pointee
      process.pointee.sessionID = source.sessionID
      process.pointee.processGroupID = source.processGroupID
      // In a new pid namespace the group has another number, which nobody told us.
      if source.pidNamespace == part.pid_namespace {
        process.pointee.namespaceProcessGroupID = source.namespaceProcessGroupID
      }
      process.pointee.capabilities = source.capabilities
      process.pointee.loginUserID = source.loginUserID
      process.pointee.terminal = source.terminal
      process.pointee.mountNamespace = source.mountNamespace
      process.pointee.networkNamespace = source.networkNamespace
      process.pointee.userNamespace = source.userNamespace
      process.pointee.modelOpen = source.modelOpen
      if known < 0 {
        process.pointee.cgroupID = source.cgroupID
        process.pointee.cgroupV1ID = source.cgroupV1ID
        processes.setContainer(of: slot, to: source.container)
      }
      processes.shareImage(from: creator, with: slot)
    }
    process.pointee.parentID = part.parent_id
    process.pointee.parentStartNanoseconds = part.parent_start_ns
    process.pointee.namespaceProcessID = part.namespace_process_id
    process.pointee.pidNamespace = part.pid_namespace
    link(slot, parentID: part.parent_id, startNanoseconds: part.parent_start_ns)
    processes.noteChange(of: slot)
    // What it did later says better what it is called and where it runs.
    guard known < 0 else { return }
    setComm(of: slot, from: record)
    updateContainer(of: slot, from: part.record)
  }

  private mutating func applyExit(_ record: EventRecord) {
    let common = record.common.pointee
    let slot = processes.lookup.find(common.process_id, startNanoseconds: common.process_start_ns)
    if slot >= 0 { processes.exit(slot) }
  }

  /// What a call changed about the process that made it. Ids and comm are in every record.
  private mutating func applyCall(_ record: EventRecord, by slot: Int32) {
    let part = record.call.pointee
    let capabilities = Capabilities(
      effective: part.capabilities_effective, permitted: part.capabilities_permitted,
      inheritable: part.capabilities_inheritable)
    if capabilities != processes.slots[Int(slot)].capabilities {
      processes.slots[Int(slot)].capabilities = capabilities
      processes.noteChange(of: slot)
    }
    guard part.result >= 0, record.type == .chdir || record.type == .fchdir, part.path.length_bytes > 0,
      let image = processes.slots[Int(slot)].image
    else { return }
    let directory = record.bytes(part.path)
    // Making room could take this one.
    guard processes.imageByteCount + image.pointee.byteCount + directory.count <= limits.imageByteCountMax else {
      counters.shortenedImageCount += 1
      return
    }
    if let moved = ProcessImage.make(from: image, directory: directory) {
      processes.setImage(of: slot, to: moved)
      processes.noteChange(of: slot)
    }
  }

  private mutating func link(_ slot: Int32, parentID: UInt32, startNanoseconds: UInt64) {
    guard slot != ProcessTable.overflowSlot else { return }
    let parent = processes.lookup.find(parentID, startNanoseconds: startNanoseconds)
    guard parent != slot else { return }
    processes.setParent(of: slot, to: parent)
    guard parent >= 0 else { return }
    let depth = processes.slots[Int(parent)].depth &+ 1
    processes.slots[Int(slot)].depth = depth
    if depth > Self.lineageDepthMax {
      counters.cutLineageCount += 1
      processes.cutLineage(of: slot, behind: Self.lineageDepthMax)
    }
  }

  private mutating func setComm(of slot: Int32, from record: EventRecord) {
    let comm = withUnsafeBytes(of: record.common.pointee.comm) { $0.loadUnaligned(as: (UInt64, UInt64).self) }
    guard comm != processes.slots[Int(slot)].comm else { return }
    processes.slots[Int(slot)].comm = comm
    processes.noteChange(of: slot)
  }

  // MARK: - Events that were taken out

  /// Whether, as far as this state knows, any of these may still be said about the event's container.
  public func awaits(_ names: AwaitedNames, for event: CapturedEvent) -> Bool {
    let container = containers.containers[Int(event.container.rawValue)]
    return container.generation == event.containerGeneration && container.awaits(names, at: 0)
  }

  /// The event as it was, in a container of which is known what is known now, and nothing is waited for any more. The
  /// context holds until the next `apply`; whoever calls keeps `event` alive as long.
  public func context(of event: CapturedEvent) -> EventContext {
    let container = containers.containers[Int(event.container.rawValue)]
    return event.context(showing: container.generation == event.containerGeneration ? container : nil)
  }

  // MARK: - Containers, host

  /// The container of a task in these two cgroups, as rules see its id; nil when neither was announced.
  public func containerID(cgroupID: UInt64, cgroupV1ID: UInt64) -> String? {
    containers.container(cgroupID: cgroupID, cgroupV1ID: cgroupV1ID).map {
      containers.containers[Int($0.rawValue)].shortID.string
    }
  }

  private mutating func updateContainer(of slot: Int32, from common: martlet_record) {
    let process = processes.slots + Int(slot)
    let isSame = process.pointee.cgroupID == common.cgroup_id && process.pointee.cgroupV1ID == common.cgroup_v1_id
    if isSame && process.pointee.container != .unknown { return }
    process.pointee.cgroupID = common.cgroup_id
    process.pointee.cgroupV1ID = common.cgroup_v1_id
    let found = containers.container(cgroupID: common.cgroup_id, cgroupV1ID: common.cgroup_v1_id)
    if found == nil { counters.unknownCgroupCount += 1 }
    processes.setContainer(of: slot, to: found ?? .unknown)
    processes.noteChange(of: slot)
  }

  /// The process that a container was started with, or a stand-in for it.
  private mutating func initialProcess(of start: EventRecord) -> Int32 {
    let common = start.common.pointee
    guard let index = containers.container(cgroupID: common.cgroup_id, cgroupV1ID: common.cgroup_v1_id),
      case let initial = containers.containers[Int(index.rawValue)].initial, isCurrent(initial)
    else { return standIn(for: start) }
    return initial.slot
  }

  private func isCurrent(_ reference: ProcessReference) -> Bool {
    reference.slot >= 0 && processes.slots[Int(reference.slot)].generation == reference.generation
  }

  private mutating func noteInitial(_ slot: Int32) {
    let process = (processes.slots + Int(slot)).pointee
    guard process.container.rawValue >= ContainerTable.reservedCount, slot != ProcessTable.overflowSlot else { return }
    let container = containers.containers + Int(process.container.rawValue)
    if isCurrent(container.pointee.initial) {
      let known = (processes.slots + Int(container.pointee.initial.slot)).pointee
      guard known.isExited || known.namespaceProcessID != 1 && process.namespaceProcessID == 1 else { return }
    }
    container.pointee.initial = ProcessReference(slot: slot, generation: process.generation)
  }

  private mutating func applyCgroup(_ record: EventRecord) {
    let part = record.cgroup.pointee
    if containers.isFull {
      let inUse = processes.cgroupsInUse()
      containers.forgetUnused { hierarchy, id in (hierarchy == 0 ? inUse.unified : inUse.legacy).contains(id) }
    }
    containers.announce(
      hierarchy: part.hierarchy, id: part.id, path: record.bytes(part.path),
      isWhole: !record.has(flag: MARTLET_FLAG_PATH_TRUNCATED), at: record.timeNanoseconds,
      processCounts: processes.processCountByContainer)
  }

  private mutating func applyInquiry(_ record: EventRecord) {
    switch InquiryStep(record) {
    case .begun(let waitNanoseconds):
      containers.beginInquiry(.container, at: record.timeNanoseconds, waitNanoseconds: waitNanoseconds)
      content.pointee.asked.insert(.container)
    case .usersBegun(let waitNanoseconds):
      containers.beginInquiry(.users, at: record.timeNanoseconds, waitNanoseconds: waitNanoseconds)
      content.pointee.asked.insert(.users)
    case .unanswered: containers.settle(record.bytes(record.inquiry.pointee.id))
    case nil: break
    }
  }

  private mutating func applyHost(_ record: EventRecord) {
    let part = record.host.pointee
    let name = record.bytes(part.hostname)
    let hostnameByteCount = min(name.count, Self.hostnameByteCountMax)
    hostname.update(from: name.start, count: hostnameByteCount)
    content.pointee.hostname = ByteView(start: hostname, count: hostnameByteCount)
    content.pointee.realtimeOffsetNanoseconds = part.realtime_offset_ns
    // Which node, and which of its streams: told once, at the stream's beginning.
    guard !hasIdentity else { return }
    hasIdentity = true
    var identity = StableHash()
    identity.combine(part.node_id.length_bytes > 0 ? record.bytes(part.node_id) : name)
    identity.combine(UInt64(bitPattern: part.realtime_offset_ns) &+ part.record.time_ns)
    content.pointee.streamIdentity = identity
  }
}
