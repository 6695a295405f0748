// SPDX-License-Identifier: Apache-2.0

import CMartletABI
public import MartletEvents

/// Something that the agent found out about itself, to go into the stream, and from there into an alert.
public struct CaptureNotice: Sendable {
  public var subject: NoticeSubject
  /// Of how many events.
  public var count: UInt64
  public var hook: HookName?
  /// A few words for people; cut to `detailBytesMax`.
  public var detail: String
  /// Ids of the cgroup that it is about, as in records; 0 for none.
  public var cgroupID: UInt64 = 0
  public var cgroupV1ID: UInt64 = 0
  /// The process that it is about; both 0 for none.
  public var processID: UInt32 = 0
  public var processStartNanoseconds: UInt64 = 0
  /// The name of that process, as in records.
  var comm = martlet_record().comm

  public static let detailBytesMax = 256

  public init(_ subject: NoticeSubject, count: UInt64 = 0, hook: HookName? = nil, detail: String = "") {
    self.subject = subject
    self.count = count
    self.hook = hook
    self.detail = detail
  }
}

/// Notices on their way into a batch. Each batch takes as many as there is room for; the others are counted.
final class NoticeRecords {
  static let countMax = 64
  private static let recordBytes = MemoryLayout<martlet_notice>.size + CaptureNotice.detailBytesMax
  private let memory = UnsafeMutableRawPointer.allocate(
    byteCount: countMax * recordBytes, alignment: MemoryLayout<UInt64>.alignment)
  private var pending: [CaptureNotice] = []

  init() { pending.reserveCapacity(Self.countMax) }

  deinit { memory.deallocate() }

  /// False when there is no room before the next batch.
  func add(_ notice: CaptureNotice) -> Bool {
    guard pending.count < Self.countMax else { return false }
    pending.append(notice)
    return true
  }

  /// The records of what was added, which hold until the next call.
  func take(at time: UInt64, _ body: (UnsafeRawBufferPointer) -> Void) {
    for (place, notice) in pending.enumerated() {
      body(write(notice, at: time, to: memory + place * Self.recordBytes))
    }
    pending.removeAll(keepingCapacity: true)
  }

  private func write(_ notice: CaptureNotice, at time: UInt64, to start: UnsafeMutableRawPointer)
    -> UnsafeRawBufferPointer
  {
    let fixed = MemoryLayout<martlet_notice>.size
    let detail = Array(notice.detail.utf8.prefix(CaptureNotice.detailBytesMax))
    var part = martlet_notice()
    part.record.length_bytes = UInt32((fixed + detail.count + 7) & ~7)
    part.record.kind = UInt16(MARTLET_KIND_NOTICE.rawValue)
    part.record.time_ns = time
    part.record.process_id = notice.processID
    part.record.thread_id = notice.processID
    part.record.process_start_ns = notice.processStartNanoseconds
    part.record.comm = notice.comm
    part.record.cgroup_id = notice.cgroupID
    part.record.cgroup_v1_id = notice.cgroupV1ID
    part.count = notice.count
    part.subject = notice.subject.rawValue
    part.hook = notice.hook?.rawValue ?? UInt32(MARTLET_HOOK_NONE.rawValue)
    part.detail = martlet_text(offset_bytes: UInt32(fixed), length_bytes: UInt32(detail.count))
    let bytes = UnsafeMutableRawBufferPointer(start: start, count: Int(part.record.length_bytes))
    bytes.initializeMemory(as: UInt8.self, repeating: 0)
    bytes.storeBytes(of: part, as: martlet_notice.self)
    UnsafeMutableRawBufferPointer(rebasing: bytes[fixed...]).copyBytes(from: detail)
    return UnsafeRawBufferPointer(bytes)
  }
}
