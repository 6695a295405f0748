// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import CMartletBPF
import Glibc
public import MartletEvents

/// What happens on this node, as batches of records: first the host and the processes that are there, then what they do.
///
/// In: the kernel's rings, its iterator over processes, the clocks. Out: `EventBatch`es in stream order, with a tick
/// about every second. Refuses to know: what a record means. What order is promised, and why it holds, is in
/// `CMartletBPF/probe_drain.c`.
///
/// One thread at a time uses a source; `interrupt()` and `prepare(_:)` may be called from others, which is why it is
/// sendable.
public final class KernelSource: @unchecked Sendable {
  /// The most records in one batch that come through the rings.
  public static let batchRecordsMax = 4096
  /// Holds the longest record.
  private static let seedBytes = 256 << 10

  /// Changes with `adopt(_:)`.
  var configuration: CaptureConfiguration
  let cgroups: CgroupLayout
  let cgroup: OpenCgroup
  let probe: OpaquePointer
  /// What the kernel has taken; its later generations are made from the same.
  private(set) var object = ProbeObject.helperLoads
  var canaries: CanaryWatch?
  /// Processes of the agent's own, whose acts are no events but for their beginning and their end.
  public let helpers = HelperProcesses()
  private var tamper = TamperWatch()
  private var findings: [String] = []
  private let kernelFilter: UnsafeMutablePointer<martlet_filter>?
  private let modelNames: UnsafeMutablePointer<martlet_model_names>?
  private let spans = UnsafeMutablePointer<martlet_span>.allocate(capacity: batchRecordsMax)
  /// A batch's records: those from the rings, a host record, whether runtimes are asked, a list of resolvers, a tick,
  /// notices and answers.
  private let records = UnsafeMutablePointer<UnsafeRawBufferPointer>.allocate(capacity: recordsMax)
  private static let recordsMax = batchRecordsMax + 4 + NoticeRecords.countMax + AnswerRecords.countMax
  private var recordCount = 0
  private let made: MadeRecords
  private let notices = NoticeRecords()
  private let answers = AnswerRecords()
  private var losses = LossLedger()
  private var pacer = Pacer()
  private var seed: (any Seed)?
  /// The stamp of every seed record: from before the hooks were attached.
  private var seedTime: UInt64 = 0
  private var seedBuffer: UnsafeMutableRawBufferPointer?
  private var cutter = SeedCutter()
  private var isStarted = false
  private var isLent = false
  private var wasFull = false
  /// The stream has been delivered up to here.
  private var streamTime: UInt64 = 0
  private var nextTick: UInt64 = 0
  private var counts = CaptureStatistics()

  public init(configuration: CaptureConfiguration = CaptureConfiguration()) throws(CaptureError) {
    self.configuration = configuration
    modelNames = try configuration.models.map { (names) throws(CaptureError) in try .init(encoding: names) }
    made = MadeRecords(hostname: configuration.hostname, resolvers: configuration.resolvers)
    cgroups = CgroupLayout.current()
    cgroup = OpenCgroup(
      configuration.cgroup, mounts: Procfs.text("/proc/mounts") ?? "", status: Procfs.text("/proc/self/status") ?? "")
    let filter = configuration.filter.map { UnsafeMutablePointer<martlet_filter>(encoding: $0) }
    kernelFilter = filter
    var options = martlet_probe_options(
      configuration, cgroups: cgroups, cgroup: cgroup, filter: filter, models: modelNames)
    var created: OpaquePointer?
    var error = martlet_probe_error()
    guard martlet_probe_create(&options, &created, &error) == 0, let created else {
      filter?.deallocate()
      modelNames?.deallocate()
      if case .open(let descriptor) = cgroup { close(descriptor) }
      throw CaptureError(error, code: .configuration)
    }
    probe = created
  }

  deinit {
    martlet_probe_destroy(probe)
    if case .open(let descriptor) = cgroup { close(descriptor) }
    kernelFilter?.deallocate()
    modelNames?.deallocate()
    spans.deallocate()
    records.deallocate()
    seedBuffer?.deallocate()
  }

  /// Attaches the hooks and prepares the seed. Attached first, so that no process falls between the two; who is in both
  /// is the same process twice.
  public func start() throws(CaptureError) {
    precondition(!isStarted, "a source starts once")
    let time = Clock.bootTime()
    try load()
    isStarted = true
    canaries = configuration.canary.map {
      CanaryWatch(
        probe: probe, program: $0, hookCount: hooks.count,
        intervalNanoseconds: Self.nanoseconds(configuration.canaryMilliseconds))
    }
    streamTime = time
    seedTime = time
    nextTick = time + tickNanoseconds
    seed = try makeSeed(at: time)
    seedBuffer = .allocate(byteCount: Self.seedBytes, alignment: MemoryLayout<UInt64>.alignment)
    append(made.host(at: time))
    // By now, as nobody was asked while the programs were being loaded.
    for record in made.inquiries(configuration.inquiries, at: Clock.bootTime()) { append(record) }
    if configuration.includesNames { append(made.resolvers(at: time)) }
    answers.take(at: time, addMade)
  }

  /// Whether a kernel takes typed loads is found out by loading them.
  private func load() throws(CaptureError) {
    var error = martlet_probe_error()
    for candidate in configuration.usesTypedLoads ? [.typedLoads, .helperLoads] : [ProbeObject.helperLoads] {
      object = candidate
      if candidate.withImage({ martlet_probe_start(probe, $0, &error) }) == 0 { return }
    }
    throw CaptureError(error, code: .refused)
  }

  /// The next records, or the empty batch when `timeoutMilliseconds` went by or someone called `interrupt()`.
  ///
  /// The batch before it must have been released. Costs no allocation.
  public func nextBatch(timeoutMilliseconds: Int) -> EventBatch {
    precondition(isStarted && !isLent, "a batch is asked for before the source started or the last one was released")
    readSeed()
    watchSelf()
    let deadline = Clock.bootTime() + Self.nanoseconds(timeoutMilliseconds)
    var isOver = recordCount > 0
    if !isOver && pacer.isBusy && !wasFull {
      // Draining at once would find a handful of records and fight the producers for their rings.
      isOver = martlet_probe_wait(probe, Pacer.napMilliseconds, false)
    }
    while true {
      drain()
      let now = Clock.bootTime()
      if recordCount > 0 || isOver || now >= deadline { break }
      let end = min(deadline, max(nextTick, now))
      isOver = martlet_probe_wait(probe, Int32((end - now) / 1_000_000) + 1, true)
    }
    return lend()
  }

  /// Gives the batch's memory back to the kernel. Its records are gone.
  public func release(_ batch: EventBatch) {
    precondition(isLent && batch.records.baseAddress == UnsafePointer(records), "released what was not lent")
    isLent = false
    recordCount = 0
    answers.free()
    martlet_probe_release(probe)
  }

  /// Whether the probe wants to know the host's cgroups: for its filter, or to tell what containers do.
  public var asksForHostCgroups: Bool { configuration.filter != nil || martlet_probe_misses_rings(probe) }

  /// Says that a cgroup is no container's: what happens in it can be dropped where rules ask for containers only.
  /// `hierarchy`: 0 for v2, 1 for v1.
  public func noteHostCgroup(id: UInt64, hierarchy: UInt32) {
    guard asksForHostCgroups else { return }
    _ = martlet_probe_note_host_cgroup(probe, id, hierarchy)
  }

  /// Tells from now on what becomes of a file, each kind of change once, and each once more when it is watched again.
  /// Opens of it are told with its state, but for reads by those whose models nobody asks about (`ModelNames.readers`).
  /// `device` and `inode` as an open of it says. After the start, and only with `CaptureConfiguration.models`.
  ///
  /// False when there is no room among `watchedFilesMax`: nothing is told of it. `CaptureStatistics` counts these.
  public func watch(device: UInt32, inode: UInt64) -> Bool {
    precondition(isStarted && configuration.models != nil, "a file is watched by a source that watches none")
    var error = martlet_probe_error()
    if martlet_probe_watch_file(probe, device, inode, &error) == 0 { return true }
    counts.unwatchedFiles += 1
    return false
  }

  /// Forgets a file. One that is not watched is no error.
  public func unwatch(device: UInt32, inode: UInt64) { martlet_probe_unwatch_file(probe, device, inode) }

  /// How many files can be watched at once.
  public static let watchedFilesMax = Int(MARTLET_WATCHED_FILES)

  /// Puts a notice into the stream: it comes with the next batch, behind what happened before it. Notices that find no
  /// room are counted.
  public func raise(_ notice: CaptureNotice) {
    if !notices.add(notice) { counts.droppedNotices += 1 }
  }

  /// Whether the batch that is lent tells of what was there at the start, and of nothing that happened since.
  public var isTellingStart: Bool { isLent && seed != nil }

  /// How many more answers find room in the next batch.
  public var answerRoom: Int { answers.room }

  /// Puts what somebody else has to tell into the stream: it comes with the next batch, behind what happened before it;
  /// what is told before the start, before everything. At most `answerRoom` times.
  public func tell(_ answer: some StreamReport) { answers.add(answer) }

  /// Sees to it that the stream has a tick at this time, or soon after it, even if nothing happens until then.
  public func tick(noLaterThan time: UInt64) { nextTick = min(nextTick, time) }

  /// What was found out about the hooks since it was asked last: lines for a log.
  public func takeFindings() -> [String] {
    defer { findings = [] }
    return findings
  }

  /// Ends a `nextBatch` that waits, or the next one if none does. From any thread.
  public func interrupt() { martlet_probe_wake(probe) }

  public func statistics() -> CaptureStatistics {
    var statistics = counts
    for name in HookName.allCases {
      var counters = martlet_hook_counters()
      let words = MemoryLayout<martlet_hook_counters>.size / MemoryLayout<UInt64>.size
      _ = withUnsafeMutableBytes(of: &counters) { bytes in
        martlet_probe_counters(probe, name.rawValue, bytes.assumingMemoryBound(to: UInt64.self).baseAddress, words)
      }
      statistics.hooks[name] = CaptureStatistics.Hook(counters)
    }
    for table in CaptureStatistics.Table.allCases {
      statistics.fullTables[table] = martlet_probe_full_table(probe, table.rawValue)
    }
    losses.read(probe, at: streamTime)
    (statistics.losses, statistics.otherLosses) = losses.largest(CaptureStatistics.lossesMax)
    statistics.late = martlet_probe_late(probe)
    statistics.recursionMisses = martlet_probe_recursion_misses(probe)
    return statistics
  }

  /// Where the kernel is watched, and by which program. Without programs before the start.
  public var hooks: [CaptureHook] {
    (0...).lazy.map { martlet_probe_hook_at(self.probe, $0) }.prefix { $0.name != nil }.enumerated().map {
      index, hook in
      CaptureHook(
        name: String(cString: hook.name), variant: hook.variant.map { String(cString: $0) },
        program: hook.program.map { String(cString: $0) }, isWanted: hook.is_wanted,
        unseen: String(cString: hook.unseen), refusal: hook.refusal,
        isOptional: hook.is_optional, proof: proof(ofHook: index, hook))
    }
  }

  private func proof(ofHook index: Int, _ hook: martlet_probe_hook) -> CaptureProof {
    guard isStarted, hook.program != nil else { return .untried }
    // The iterator is proven by what it has told.
    if hook.is_iterator { return counts.seedRecords > 0 ? .proven : .untried }
    return canaries?.proof(ofHook: index) ?? .untried
  }

  /// What is wanted and will not be seen; after the start. Hooks that would have seen the same are told together.
  public var warnings: [CaptureWarning] {
    var warnings: [CaptureWarning] = []
    for hook in hooks where hook.isWanted && !hook.isAttached {
      var cause = hook.refusal == 0 ? "" : String(cString: strerror(hook.refusal))
      if cause.isEmpty, case .missing(let reason) = cgroup { cause = reason }
      if let last = warnings.last, last.unseen == hook.unseen, last.cause == cause {
        warnings[warnings.count - 1] = CaptureWarning(
          hooks: last.hooks + [hook.name], cause: cause, unseen: hook.unseen)
      } else {
        warnings.append(CaptureWarning(hooks: [hook.name], cause: cause, unseen: hook.unseen))
      }
    }
    return warnings
  }

  /// Whether kernel memory is read by typed loads, which are faster, or through a helper.
  public var hasTypedLoads: Bool { object == .typedLoads }

  private var tickNanoseconds: UInt64 { Self.nanoseconds(max(configuration.tickMilliseconds, 1)) }

  /// At most 25 days, which no addition to a clock makes overflow.
  private static func nanoseconds(_ milliseconds: Int) -> UInt64 {
    UInt64(min(max(milliseconds, 0), Int(Int32.max))) * 1_000_000
  }

  private func makeSeed(at time: UInt64) throws(CaptureError) -> (any Seed)? {
    switch configuration.seed {
    case .none: return nil
    case .procfs: return procfsSeed(at: time)
    case .automatic, .iterator:
      var error = martlet_probe_error()
      let file = martlet_probe_open_seed(probe, &error)
      if file >= 0 { return IteratorSeed(file: file) }
      if configuration.seed == .automatic { return procfsSeed(at: time) }
      throw CaptureError(error, code: .seed)
    }
  }

  private func procfsSeed(at time: UInt64) -> ProcfsSeed {
    ProcfsSeed(time: time, cgroups: cgroups, includesEnvironment: configuration.includesEnvironment)
  }

  /// The next part of the seed, if there still is one.
  private func readSeed() {
    guard let seed, let seedBuffer else { return }
    guard let count = seed.read(into: seedBuffer) else {
      counts.seedFailures += 1
      let hasTwin = configuration.seed == .automatic && seed is IteratorSeed
      // From its start: a process told twice is the same process.
      self.seed = hasTwin ? procfsSeed(at: seedTime) : nil
      return
    }
    if count == 0 {
      self.seed = nil
      self.seedBuffer = nil
      seedBuffer.deallocate()
      return
    }
    let before = recordCount
    let rest = cutter.cut(UnsafeRawBufferPointer(rebasing: seedBuffer[..<count])) { append($0) }
    if rest > 0 { counts.malformed += 1 }
    counts.seedRecords += UInt64(recordCount - before)
  }

  /// Proves the hooks, and tells what is wrong with them or was done to them.
  private func watchSelf() {
    guard seed == nil else { return }
    for change in canaries?.step(streamTime: streamTime) ?? [] {
      let hook = hooks[change.hook]
      var notice = CaptureNotice(.unproven, count: 1)
      notice.detail = "\(hook.name) \(change.works ? "works again" : "does not answer; not seen: \(hook.unseen)")"
      findings.append(notice.detail)
      raise(notice)
    }
    for notice in tamper.summary(at: streamTime) { raise(notice) }
  }

  /// A record that is no event: an answer to a canary, or something done to the agent.
  private func isForSource(_ span: martlet_span) -> Bool {
    let record = span.start.assumingMemoryBound(to: martlet_record.self)
    if helpers.made(record) {
      counts.sourceRecords += 1
      return true
    }
    if let canaries, canaries.takes(record) {
      counts.sourceRecords += 1
      return true
    }
    guard record.pointee.kind == MARTLET_KIND_TAMPER.rawValue, span.length >= MemoryLayout<martlet_tamper>.size else {
      return false
    }
    counts.sourceRecords += 1
    if let notice = tamper.note(span.start.assumingMemoryBound(to: martlet_tamper.self)) { raise(notice) }
    return true
  }

  /// What the rings hold, and a tick if one is due: behind all that happened before it. Not while there is a seed, which
  /// comes first.
  private func drain() {
    guard seed == nil else { return }
    let count = martlet_probe_drain(probe, spans, Self.batchRecordsMax - recordCount, &streamTime)
    for index in 0..<count where !isForSource(spans[index]) {
      append(UnsafeRawBufferPointer(start: spans[index].start, count: spans[index].length))
      counts.ringRecords += 1
    }
    wasFull = count == Self.batchRecordsMax
    pacer.note(count, at: streamTime)
    if streamTime >= nextTick {
      let before = recordCount
      nextTick = streamTime + tickNanoseconds
      append(made.host(at: streamTime))
      if configuration.includesNames { append(made.resolvers(at: streamTime)) }
      append(made.tick(at: streamTime))
      counts.madeRecords += UInt64(recordCount - before)
      tellLosses()
    }
    notices.take(at: streamTime, addMade)
    answers.take(at: streamTime, addMade)
  }

  private func addMade(_ record: UnsafeRawBufferPointer) {
    append(record)
    counts.madeRecords += 1
  }

  /// Once a second, and with nothing to do when nothing was lost.
  private func tellLosses() {
    if martlet_probe_has_losses(probe) { losses.read(probe, at: streamTime) }
    for notice in losses.takeNotices(at: streamTime) { raise(notice) }
    for key in losses.forgetResting(at: streamTime) {
      var key = martlet_loss_key(
        cgroup_id: key.cgroupID, cgroup_v1_id: key.cgroupV1ID, hook: key.hook, reserved: 0)
      martlet_probe_forget_loss(probe, &key)
    }
  }

  private func append(_ record: UnsafeRawBufferPointer?) {
    guard let record else { return }
    precondition(recordCount < Self.recordsMax, "a batch overflows its table")
    (records + recordCount).initialize(to: record)
    recordCount += 1
  }

  private func lend() -> EventBatch {
    isLent = true
    counts.batches += 1
    return EventBatch(records: UnsafeBufferPointer(start: records, count: recordCount))
  }
}
