// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents
import MartletSignatures

/// What is known of which file, which files wait to be read, and for whom.
///
/// A value without threads or files: records and replies come in, reports, jobs and questions go out. Its owner locks it.
struct VerdictDesk {
  /// A file, as the kernel numbers it.
  struct FileKey: Hashable {
    var device: UInt32
    var inode: UInt64
  }

  /// A process that waits for a verdict: what is said to it, but for the verdict.
  struct Waiting {
    var report: ModelEvent
    /// The file when it was opened.
    var stamp: FileTimes
    var teller: UInt64
  }

  /// A file to be read.
  struct Job {
    var key: FileKey
    var request: HashRequest
    /// The same by others who opened it, for when this one leads nowhere any more.
    var otherWays: [HashRequest] = []
    var cgroup: [UInt64]
    var byteCount: UInt64
    var isImmutable: Bool
    /// Nobody waits: a download that ended.
    var isEarly: Bool
    var waiting: [Waiting] = []
    var readyAt: UInt64
    var attemptCount = 0
    var isRunning = false
    var isWatched = false
    /// Something became of the file while it was read.
    var isDisturbed = false
  }

  /// A file that was read. Nothing is known of its bytes once something became of them.
  struct KnownFile {
    var file: HashedFile?
    var guarantee = Verdict.Guarantee.bestEffort
    /// It did not begin like a model, in this state.
    var isOther = false
    var otherStamp: FileTimes?
    /// Who has been told, by this generation of what is trusted.
    var told: Set<UInt64> = []
    var generation: UInt64 = 0
    /// Who may have it in use.
    var openers: [ModelEvent] = []
    var lastUse: UInt64 = 0

    mutating func note(opener: ModelEvent) {
      if openers.count >= VerdictDesk.openersMax { openers.removeFirst() }
      openers.append(opener)
    }
  }

  /// Whether a process holds a changed file, and what to say if it does.
  struct Question {
    var request: HashRequest
    var report: ModelEvent
  }

  enum Next {
    case job(Job)
    /// In so many nanoseconds.
    case later(UInt64)
    case none
  }

  let patterns: ModelPatterns
  let limits: ModelVerdicts.Limits
  let watcher: ModelVerdicts.Watcher
  var reports: [ModelEvent] = []
  var statistics = ModelStatistics()
  var known: [FileKey: KnownFile] = [:]
  var jobs: [FileKey: Job] = [:]
  /// Keys of jobs, in the order in which they came.
  var order: [FileKey] = []
  var questions: [Question] = []
  /// Files to be watched anew, and no more: only the thread that takes records may say so.
  private var watchWishes: [FileKey] = []
  private var unwatchWishes: [FileKey] = []
  var hasNewJob = false
  var hasNewQuestion = false
  var useCount: UInt64 = 0
  var lastCgroup: [UInt64] = []
  /// Who has been told of files that are not read.
  private var toldOfSkips: Set<UInt64> = []
  /// What devices hold, by opens of files on them.
  var fileSystems: [UInt32: FileSystemKind] = [:]
  /// What cgroups are called, by id, of either hierarchy.
  private var cgroupNames = AgingTable<UInt64, [UInt8]>(countMax: cgroupNamesMax)

  static let waitingMax = 256
  static let waysMax = 8
  static let openersMax = 16
  static let questionsMax = 256
  static let reportsMax = 4096
  private static let toldMax = 256
  private static let toldOfSkipsMax = 4096
  private static let fileSystemsMax = 256
  private static let cgroupNamesMax = 16_384
  /// A download that ended is mostly renamed right after.
  static let earlyDelay: UInt64 = 250_000_000

  init(patterns: ModelPatterns, limits: ModelVerdicts.Limits, watcher: ModelVerdicts.Watcher) {
    self.patterns = patterns
    self.limits = limits
    self.watcher = watcher
  }

  /// Whether there is something new to read, and somebody new to look for; asked once.
  mutating func takeWork() -> (reads: Bool, looks: Bool) {
    defer { (hasNewJob, hasNewQuestion) = (false, false) }
    return (hasNewJob, hasNewQuestion)
  }

  /// Whether the thread that takes records has something to fetch.
  var hasForWatch: Bool { !reports.isEmpty || !watchWishes.isEmpty || !unwatchWishes.isEmpty }

  mutating func wishWatch(_ key: FileKey) { watchWishes.append(key) }
  mutating func wishUnwatch(_ key: FileKey) { unwatchWishes.append(key) }

  /// By the thread that takes records.
  mutating func performWishes() {
    for key in watchWishes where jobs[key] != nil {
      let isWatched = watch(key)
      jobs[key]?.isWatched = isWatched
    }
    for key in unwatchWishes where jobs[key] == nil && known[key] == nil { watcher.unwatch(key.device, key.inode) }
    (watchWishes, unwatchWishes) = ([], [])
  }

  mutating func watch(_ key: FileKey) -> Bool {
    let isWatched = watcher.watch(key.device, key.inode)
    if !isWatched { statistics.unwatchedFiles += 1 }
    return isWatched
  }

  mutating func noteCgroup(_ record: EventRecord) {
    let path = record.bytes(record.cgroup.pointee.path)
    let name = Array(path.array.split(separator: UInt8(ascii: "/")).last ?? [])
    cgroupNames.note(name, for: record.cgroup.pointee.id)
  }

  // MARK: - Opens

  mutating func noteOpen(_ record: EventRecord, _ trust: TrustedModels.Snapshot, at now: UInt64) {
    guard let state = record.fileState, record.open.pointee.result >= 0 else { return }
    let part = record.open.pointee
    let key = FileKey(device: part.device, inode: part.inode)
    let kind = FileSystemKind(magic: part.filesystem_magic)
    if fileSystems.count >= Self.fileSystemsMax { fileSystems = [:] }
    fileSystems[part.device] = kind
    let (reads, writes) = (part.file_mode & 1 != 0, part.file_mode & 2 != 0)
    // Whoever may write is no loader; what he writes through a mapping nobody sees.
    guard !writes else { return disturb(key) }
    guard reads else { return }
    let stamp = FileTimes(size: state.size_bytes, modified: state.modified_ns, changed: state.changed_ns)
    guard let needsMagic = needsMagic(record, key, stamp) else { return }
    statistics.opens += 1
    let report = Self.report(of: record, key, stamp)
    let waiting = Waiting(report: report, stamp: stamp, teller: Self.teller(record))
    guard kind != .other else { return skip(.filesystem, waiting, trust) }
    guard stamp.size <= limits.fileByteCountMax else { return skip(.size, waiting, trust) }
    if state.writers <= 0, let file = known[key]?.file, file.stamp == stamp {
      return tellKnown(key, file, waiting, trust)
    }
    var request = request(by: record, key, report.path)
    request.descriptor = Int32(truncatingIfNeeded: part.result)
    request.needsMagic = needsMagic
    if jobs[key] != nil { return join(key, waiting, request) }
    if let refusal = refusal(of: record, stamp.size) { return skip(refusal, waiting, trust) }
    add(
      Job(
        key: key, request: request, cgroup: Self.cgroup(record), byteCount: stamp.size, isImmutable: kind == .immutable,
        isEarly: false, waiting: [waiting], readyAt: now))
  }

  /// Nil for what is no model.
  private func needsMagic(_ record: EventRecord, _ key: FileKey, _ stamp: FileTimes) -> Bool? {
    if let file = known[key] {
      if file.isOther { return file.otherStamp == stamp ? nil : true }
      // It was one under another name.
      return false
    }
    let part = record.open.pointee
    switch patterns.likelihood(path: record.bytes(part.path), name: record.bytes(part.name), comm: record.comm) {
    case .yes: return false
    case .byItsBytes: return true
    case .no: return jobs[key] == nil ? nil : false
    }
  }

  private static func report(of record: EventRecord, _ key: FileKey, _ stamp: FileTimes) -> ModelEvent {
    let part = record.open.pointee
    var report = ModelEvent(opener: part.record)
    report.device = key.device
    report.inode = key.inode
    report.sizeBytes = stamp.size
    let (path, name) = (record.bytes(part.path), record.bytes(part.name))
    report.path = path.array
    report.openedAs = Self.absolute(name, below: record.bytes(part.directory))
    report.claimedDigest = ClaimedDigest.digits(in: path)?.array ?? []
    report.format = ModelFormat(path: path) ?? ModelFormat(path: name)
    report.isPickleCapable = report.format?.isPickleCapable ?? false
    let source =
      part.file_flags & UInt32(MARTLET_FILE_LOWER_LAYER) != 0
      ? "image" : part.file_flags & UInt32(MARTLET_FILE_UPPER_LAYER) != 0 ? "container" : "volume"
    report.source = Array(source.utf8)
    return report
  }

  static func absolute(_ name: ByteView, below directory: ByteView) -> [UInt8] {
    guard !name.isEmpty, name[0] != UInt8(ascii: "/"), !directory.isEmpty else { return name.array }
    let slash = directory[directory.count - 1] == UInt8(ascii: "/") ? [] : [UInt8(ascii: "/")]
    return directory.array + slash + name.array
  }

  /// Who opened what by which name: told once of each state.
  private static func teller(_ record: EventRecord) -> UInt64 {
    var hasher = Hasher()
    hasher.combine(record.common.pointee.process_id)
    hasher.combine(record.common.pointee.process_start_ns)
    hasher.combine(record.open.pointee.inode)
    hasher.combine(record.open.pointee.device)
    hasher.combine(record.bytes(record.open.pointee.path).array)
    hasher.combine(record.bytes(record.open.pointee.name).array)
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }

  static func cgroup(_ record: EventRecord) -> [UInt64] {
    [record.common.pointee.cgroup_id, record.common.pointee.cgroup_v1_id]
  }

  mutating func request(by record: EventRecord, _ key: FileKey, _ path: [UInt8]) -> HashRequest {
    let common = record.common.pointee
    var request = HashRequest(processID: common.process_id, device: key.device, inode: key.inode)
    request.path = path
    request.byteCountMax = limits.fileByteCountMax
    // The last component of its path is enough, and the same in all namespaces of cgroups.
    request.cgroupName = cgroupNames.use(common.cgroup_id) ?? cgroupNames.use(common.cgroup_v1_id) ?? []
    return request
  }

  private mutating func join(_ key: FileKey, _ waiting: Waiting, _ request: HashRequest) {
    statistics.joinedOpens += 1
    guard var job = jobs.removeValue(forKey: key) else { return }
    if job.otherWays.count < Self.waysMax { job.otherWays.append(request) }
    if !request.needsMagic { job.request.needsMagic = false }
    if job.waiting.contains(where: { $0.teller == waiting.teller && $0.stamp == waiting.stamp }) {
      statistics.repeatedOpens += 1
    } else if job.waiting.count < Self.waitingMax {
      job.waiting.append(waiting)
      // Nobody waited for it before; now somebody does.
      if job.isEarly, !job.isRunning { job.readyAt = 0 }
      job.isEarly = false
      hasNewJob = true
    } else {
      statistics.dropped += 1
    }
    jobs[key] = job
  }

  /// Why there is no room for one more.
  func refusal(of record: EventRecord, _ byteCount: UInt64) -> Verdict.Skip? {
    guard jobs.count < limits.queuedCountMax else { return .queue }
    let cgroup = Self.cgroup(record)
    var (count, bytes) = (0, byteCount)
    for job in jobs.values where job.cgroup == cgroup {
      count += 1
      bytes += job.byteCount
    }
    let hasRoom = count < limits.queuedCountPerContainerMax && bytes <= limits.queuedByteCountMax
    return hasRoom ? nil : .budget
  }

  private mutating func skip(_ reason: Verdict.Skip, _ waiting: Waiting, _ trust: TrustedModels.Snapshot) {
    if toldOfSkips.count >= Self.toldOfSkipsMax { toldOfSkips = [] }
    guard toldOfSkips.insert(waiting.teller).inserted else {
      statistics.repeatedOpens += 1
      return
    }
    tell(waiting.report, .skipped(reason), trust)
  }

  private mutating func tellKnown(
    _ key: FileKey, _ file: HashedFile, _ waiting: Waiting, _ trust: TrustedModels.Snapshot
  ) {
    statistics.cachedOpens += 1
    guard let guarantee = known[key]?.guarantee, noteTold(key, waiting, trust) else {
      statistics.repeatedOpens += 1
      return
    }
    var report = waiting.report
    report.isCached = true
    tell(report, .bytes(file, guarantee), trust)
  }

  /// Whether it has not been told before.
  mutating func noteTold(_ key: FileKey, _ waiting: Waiting, _ trust: TrustedModels.Snapshot) -> Bool {
    guard var file = known.removeValue(forKey: key) else { return true }
    defer { known[key] = file }
    useCount += 1
    file.lastUse = useCount
    if file.generation != trust.generation || file.told.count >= Self.toldMax { file.told = [] }
    file.generation = trust.generation
    guard file.told.insert(waiting.teller).inserted else { return false }
    file.note(opener: waiting.report)
    return true
  }

  /// Who is told when it changes.
  mutating func noteOpener(_ key: FileKey, _ waiting: Waiting) { known[key]?.note(opener: waiting.report) }

  mutating func tell(_ report: ModelEvent, _ verdict: Verdict, _ trust: TrustedModels.Snapshot) {
    guard reports.count < Self.reportsMax else {
      statistics.dropped += 1
      return
    }
    var report = report
    verdict.complete(&report, trust, now: Int64(time(nil)))
    statistics.verdicts += 1
    if report.isVerified == true { statistics.verified += 1 }
    if case .skipped = verdict { statistics.skipped += 1 }
    reports.append(report)
  }
}

extension ByteView {
  var array: [UInt8] { Array(UnsafeBufferPointer(start: start, count: count)) }
}
