// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import MartletEvents

/// A place in the container table.
struct ContainerIndex: Hashable {
  var rawValue: Int32

  /// Not in a container.
  static let host = ContainerIndex(rawValue: 0)
  /// In some container that could not be told apart: its cgroup was not announced, or the table was full.
  static let unknown = ContainerIndex(rawValue: 1)
}

/// What others than the kernel say about a container, and its events may wait for.
public struct AwaitedNames: OptionSet, Sendable {
  public let rawValue: UInt8

  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// What its runtime says.
  public static let container = AwaitedNames(rawValue: 1 << 0)
  /// What its users and groups are called.
  public static let users = AwaitedNames(rawValue: 1 << 1)
}

/// A container as rules see it: trivial, so that the hot path reads it in place.
struct Container {
  static let idByteCountMax = ContainerIdentity.nameByteCountMax
  static let uidByteCountMax = 36
  /// Of a cgroup's path the end is kept, with the container's name in it.
  static let cgroupByteCountMax = 384

  /// Texts lie in the table's own storage for as long as the table lives.
  var id: ByteView
  var shortID: ByteView
  var type: ByteView?
  var podUID: ByteView?
  /// Paths of its cgroups, on the unified hierarchy and on the one of version 1 that is in use, once they were announced.
  var unifiedCgroup: ByteView?
  var legacyCgroup: ByteView?
  /// What a runtime says about it, for as long as that is remembered.
  var report: EventRecord?
  /// What its users and groups are called, likewise.
  var accounts: EventRecord?
  /// The first process in its pid namespace; where it has none of its own, the first that was seen in it.
  var initial = ProcessReference.none
  /// What is asked for, is not known, and nobody said that there is nothing to be known; and up to when all of that is
  /// waited for. One time for all, so that no event need wait for longer than one that comes after it.
  var awaited: AwaitedNames = []
  var awaitedUntilNanoseconds: UInt64 = 0
  /// Tells this container from an earlier one in the same place.
  var generation: UInt32 = 0
  /// Since when it has had no process, as far as ticks tell; 0 while it has one.
  var emptyNanoseconds: UInt64 = 0

  /// Whether, at this time, any of these may still be said about it.
  func awaits(_ names: AwaitedNames, at time: UInt64) -> Bool {
    !awaited.isDisjoint(with: names) && time < awaitedUntilNanoseconds
  }

  /// Shows what others than the kernel say about a container: not part of an event that was taken out of the state, but
  /// looked up when that is decided.
  mutating func showFacts(of known: Container?) {
    report = known?.report
    accounts = known?.accounts
  }
}

/// Which container a cgroup belongs to, for every cgroup that the kernel side announced.
///
/// A cgroup id is announced once, before the first event that carries it, and ids are not used again while the
/// machine runs. A container that has had no process for a few seconds is forgotten, and its cgroups with it. When full,
/// cgroups without processes make room, the oldest first, and a container without processes for a new container;
/// processes keep the container that they were given.
struct ContainerTable: ~Copyable {
  private struct CgroupKey: Hashable {
    var hierarchy: UInt32
    var id: UInt64
  }

  /// A container that a cgroup led to, which occupant of the place is meant, and when that was announced.
  private struct Reference {
    var index: ContainerIndex
    var generation: UInt32
    var announcement: UInt64
  }

  /// Whoever may make cgroups can name one after a container of somebody else: it stays apart from that by its pod.
  private struct ContainerKey: Hashable {
    var id: String
    var podUID: String?
  }

  let containers: UnsafeMutablePointer<Container>
  private let texts: UnsafeMutablePointer<UInt8>
  private let containerCountMax: Int
  private let cgroupCountMax: Int
  private var cgroups: [CgroupKey: Reference] = [:]
  private var announcementCount: UInt64 = 0
  private var indices: [ContainerKey: ContainerIndex] = [:]
  private(set) var reports: ContainerRecords
  private(set) var accounts: ContainerRecords
  /// What is asked for about each container, since when, and for how long an answer is waited for.
  private var inquiry: (names: AwaitedNames, beginNanoseconds: UInt64, waitNanoseconds: UInt64) = ([], 0, 0)
  /// Places that nobody has any more, and how many were ever taken.
  private var free: [Int] = []
  private var usedCount = 0
  /// Containers that were forgotten since their cgroups were.
  private var staleCount = 0
  /// Where to look next for a container without processes.
  private var hand = 0
  private var nextGeneration: UInt32 = 0
  private(set) var forgottenContainerCount: UInt64 = 0
  private(set) var evictedCgroupCount: UInt64 = 0
  private(set) var refusedContainerCount: UInt64 = 0

  var cgroupCount: Int { cgroups.count }
  var containerCount: Int { indices.count }

  /// How long a container without processes is known: one that ended is told of a moment later.
  static let restNanoseconds: UInt64 = 5_000_000_000
  private static let staleCountMax = 512

  static let reservedCount = 2
  private static let textByteCount =
    Container.idByteCountMax + Container.uidByteCountMax + 2 * Container.cgroupByteCountMax
  static let shortIDByteCount = 12

  init(limits: StateLimits) {
    containerCountMax = limits.containerCountMax
    cgroupCountMax = max(limits.cgroupCountMax, 1)
    reports = ContainerRecords(
      \.report, countMax: limits.containerReportCountMax, byteCountMax: limits.containerReportByteCountMax)
    accounts = ContainerRecords(
      \.accounts, countMax: limits.accountListCountMax, byteCountMax: limits.accountListByteCountMax)
    containers = .allocate(capacity: containerCountMax + Self.reservedCount)
    texts = .allocate(capacity: containerCountMax * Self.textByteCount)
    let host = ByteView("host")
    (containers + 0).initialize(to: Container(id: host, shortID: host, type: host, podUID: nil))
    let unknown = ByteView("unknown")
    (containers + 1).initialize(to: Container(id: unknown, shortID: unknown, type: nil, podUID: nil))
  }

  deinit {
    containers.deallocate()
    texts.deallocate()
  }

  /// Whether there is no room for another cgroup.
  var isFull: Bool { cgroups.count >= cgroupCountMax }

  /// Makes room: forgets the older half of the cgroups that `isInUse` does not say yes to, which gets hierarchy and id.
  ///
  /// The newer half stays, because the kernel side announces a cgroup again only when it has forgotten it itself, and
  /// it remembers fewer than that.
  mutating func forgetUnused(isInUse: (UInt32, UInt64) -> Bool) {
    let unused = cgroups.filter { !isInUse($0.key.hierarchy, $0.key.id) }
      .sorted { $0.value.announcement < $1.value.announcement }
    // All in use: then one has to go all the same, and it is the oldest.
    let oldest = cgroups.min { $0.value.announcement < $1.value.announcement }.map { [$0] } ?? []
    let evicted = unused.isEmpty ? oldest : Array(unused.prefix((unused.count + 1) / 2))
    for (key, _) in evicted { cgroups[key] = nil }
    evictedCgroupCount += UInt64(evicted.count)
  }

  /// Learns the path of a cgroup. `processCounts` has the number of processes in each container, by index.
  ///
  /// A path that is not whole lacks its beginning, where the container's name may have been: whoever may nest cgroups
  /// deep enough must not become a process of the host.
  mutating func announce(
    hierarchy: UInt32, id: UInt64, path: ByteView, isWhole: Bool = true, at time: UInt64,
    processCounts: UnsafeMutablePointer<Int32>
  ) {
    var index = isWhole ? ContainerIndex.host : .unknown
    if let identity = ContainerIdentity(cgroupPath: path) {
      index = self.index(of: identity, at: time, processCounts: processCounts)
      keep(cgroup: path.slice(from: 0, to: identity.pathByteCount), hierarchy: hierarchy, of: index)
    }
    announcementCount += 1
    cgroups[CgroupKey(hierarchy: hierarchy, id: id)] = Reference(
      index: index, generation: containers[Int(index.rawValue)].generation, announcement: announcementCount)
  }

  private func keep(cgroup path: ByteView, hierarchy: UInt32, of index: ContainerIndex) {
    let slot = Int(index.rawValue) - Self.reservedCount
    let known = hierarchy == 0 ? \Container.unifiedCgroup : \Container.legacyCgroup
    guard slot >= 0, containers[Int(index.rawValue)][keyPath: known] == nil else { return }
    let place = texts + slot * Self.textByteCount + Container.idByteCountMax + Container.uidByteCountMax
    let end = path.slice(from: path.count - Container.cgroupByteCountMax, to: path.count)
    containers[Int(index.rawValue)][keyPath: known] = Self.copy(
      end, to: place + (hierarchy == 0 ? 0 : Container.cgroupByteCountMax))
  }

  /// The container of a task in these two cgroups; an id of 0 stands for none. Nil when neither was announced.
  func container(cgroupID: UInt64, cgroupV1ID: UInt64) -> ContainerIndex? {
    let unified = cgroupID == 0 ? ContainerIndex.host : container(hierarchy: 0, id: cgroupID)
    if let unified, unified != .host { return unified }
    guard cgroupV1ID != 0 else { return unified }
    return container(hierarchy: 1, id: cgroupV1ID)
  }

  private func container(hierarchy: UInt32, id: UInt64) -> ContainerIndex? {
    guard let reference = cgroups[CgroupKey(hierarchy: hierarchy, id: id)],
      containers[Int(reference.index.rawValue)].generation == reference.generation
    else { return nil }
    return reference.index
  }

  /// Keeps what a runtime says about a container, whether or not its cgroup was announced.
  mutating func keep(report record: EventRecord) {
    let part = record.container.pointee
    let id = record.bytes(part.id)
    guard !id.isEmpty else { return }
    reports.keep(record, as: id.array, in: containers)
    let podUIDs = part.pod_uid.length_bytes > 0 ? [nil, record.bytes(part.pod_uid).string] : [nil]
    for podUID in podUIDs {
      guard let index = indices[ContainerKey(id: id.string, podUID: podUID)] else { continue }
      let podUID = containers[Int(index.rawValue)].podUID
      containers[Int(index.rawValue)].report = report(id.array, podUID: podUID, in: index)
    }
    settle(id)
  }

  /// Keeps what users and groups are called: those of the host, or of a container whose cgroup was announced.
  mutating func keep(accounts record: EventRecord) {
    let part = record.accounts.pointee
    let id = record.bytes(part.container_id)
    let podUID = part.pod_uid.length_bytes > 0 ? record.bytes(part.pod_uid) : nil
    let known = id.isEmpty ? .host : indices[ContainerKey(id: id.string, podUID: podUID?.string)]
    guard let index = known else { return }
    containers[Int(index.rawValue)].awaited.remove(.users)
    guard !record.has(flag: MARTLET_FLAG_NAME_MISSING) else { return }
    let key = id.isEmpty ? [] : Self.accountKey(id, podUID: podUID)
    accounts.keep(record, as: key, in: containers)
    containers[Int(index.rawValue)].accounts = accounts.show(key, in: index, of: containers)
  }

  private static func accountKey(_ id: ByteView, podUID: ByteView?) -> [UInt8] {
    id.array + [0] + (podUID?.array ?? [])
  }

  /// Nil where the runtime has it in another pod than its cgroup: whoever may make cgroups can name one after a container
  /// of somebody else.
  private mutating func report(_ id: [UInt8], podUID: ByteView?, in index: ContainerIndex) -> EventRecord? {
    reports.show(id, in: index, of: containers) { record in
      podUID == nil || podUID == record.bytes(record.container.pointee.pod_uid)
    }
  }

  /// From here on these are asked for about each container that comes to be known.
  mutating func beginInquiry(_ names: AwaitedNames, at time: UInt64, waitNanoseconds: UInt64) {
    inquiry = (inquiry.names.union(names), time, waitNanoseconds)
  }

  /// No runtime is waited for any more that might speak of the containers with this id.
  func settle(_ id: ByteView) {
    for place in Self.reservedCount..<Self.reservedCount + usedCount
    where containers[place].awaited.contains(.container) && containers[place].id == id {
      containers[place].awaited.remove(.container)
    }
  }

  /// Up to when the first answers about a container are waited for that is announced now.
  private func awaitedUntil(announced time: UInt64) -> UInt64 {
    let (end, isOver) = max(time, inquiry.beginNanoseconds).addingReportingOverflow(inquiry.waitNanoseconds)
    return isOver ? .max : end
  }

  /// As time goes by.
  mutating func rest(at time: UInt64, processCounts: UnsafeMutablePointer<Int32>) {
    reports.rest(at: time, in: containers, processCounts: processCounts)
    accounts.rest(at: time, in: containers, processCounts: processCounts)
    for slot in 0..<usedCount {
      let container = containers + slot + Self.reservedCount
      guard container.pointee.generation != 0, processCounts[slot + Self.reservedCount] == 0 else {
        container.pointee.emptyNanoseconds = 0
        continue
      }
      if container.pointee.emptyNanoseconds == 0 {
        container.pointee.emptyNanoseconds = max(time, 1)
      } else if time > container.pointee.emptyNanoseconds,
        time - container.pointee.emptyNanoseconds >= Self.restNanoseconds
      {
        forget(slot)
        free.append(slot)
        forgottenContainerCount += 1
      }
    }
    guard staleCount >= Self.staleCountMax else { return }
    staleCount = 0
    cgroups = cgroups.filter { containers[Int($0.value.index.rawValue)].generation == $0.value.generation }
  }

  /// Voids what leads to a place. Its texts stay until somebody takes it: nobody is in it.
  private mutating func forget(_ slot: Int) {
    let container = containers + slot + Self.reservedCount
    indices[ContainerKey(id: container.pointee.id.string, podUID: container.pointee.podUID?.string)] = nil
    container.pointee.generation = 0
    container.pointee.report = nil
    container.pointee.accounts = nil
    container.pointee.awaited = []
    staleCount += 1
  }

  private mutating func index(
    of identity: ContainerIdentity, at time: UInt64, processCounts: UnsafeMutablePointer<Int32>
  ) -> ContainerIndex {
    let key = ContainerKey(id: identity.id, podUID: identity.podUID)
    if let known = indices[key] { return known }
    guard let slot = takeSlot(processCounts: processCounts) else {
      refusedContainerCount += 1
      return .unknown
    }
    let place = texts + slot * Self.textByteCount
    let id = Self.copy(identity.id, to: place, countMax: Container.idByteCountMax)
    let uid = identity.podUID.map {
      Self.copy($0, to: place + Container.idByteCountMax, countMax: Container.uidByteCountMax)
    }
    let index = ContainerIndex(rawValue: Int32(slot + Self.reservedCount))
    let users = accounts.show(Self.accountKey(id, podUID: uid), in: index, of: containers)
    var awaited = inquiry.names
    if reports.knows(id.array) { awaited.remove(.container) }
    if users != nil { awaited.remove(.users) }
    nextGeneration &+= 1
    (containers + Int(index.rawValue)).initialize(
      to: Container(
        id: id, shortID: id.slice(from: 0, to: Self.shortIDByteCount), type: identity.type.map { ByteView($0.name) },
        podUID: uid, report: report(id.array, podUID: uid, in: index),
        accounts: users, awaited: awaited, awaitedUntilNanoseconds: awaitedUntil(announced: time),
        generation: nextGeneration))
    indices[key] = index
    return index
  }

  /// A place that nobody has, one never used, or that of a container whose processes are all gone.
  private mutating func takeSlot(processCounts: UnsafeMutablePointer<Int32>) -> Int? {
    if let slot = free.popLast() { return slot }
    if usedCount < containerCountMax {
      usedCount += 1
      return usedCount - 1
    }
    for _ in 0..<containerCountMax {
      let slot = hand
      hand = (hand + 1) % containerCountMax
      if processCounts[slot + Self.reservedCount] == 0 {
        forget(slot)
        return slot
      }
    }
    return nil
  }

  private static func copy(_ text: String, to place: UnsafeMutablePointer<UInt8>, countMax: Int) -> ByteView {
    let bytes = Array(text.utf8.prefix(countMax))
    place.update(from: bytes, count: bytes.count)
    return ByteView(start: place, count: bytes.count)
  }

  private static func copy(_ text: ByteView, to place: UnsafeMutablePointer<UInt8>) -> ByteView {
    place.update(from: text.start, count: text.count)
    return ByteView(start: place, count: text.count)
  }
}
