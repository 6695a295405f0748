// SPDX-License-Identifier: Apache-2.0

import CMartletABI

/// What becomes of asking runtimes about containers, before it becomes a record.
public enum InquiryStep: Equatable, Sendable {
  /// From here on each container is asked for when its cgroup is announced. Its events may wait for the answer, until this
  /// long after the announcement.
  case begun(waitNanoseconds: UInt64)
  /// From here on the files in which users and groups have their names are read in each container whose cgroup is
  /// announced. Its events may wait for that likewise.
  case usersBegun(waitNanoseconds: UInt64)
  /// Nobody who was asked for the container with this id knows it, as far as can be told now.
  case unanswered(id: [UInt8])

  /// Nil for other records, and for steps that nobody knows here.
  public init?(_ record: EventRecord) {
    guard record.kind == .inquiry else { return nil }
    let part = record.inquiry.pointee
    switch part.step {
    case UInt32(MARTLET_INQUIRY_BEGUN.rawValue): self = .begun(waitNanoseconds: part.wait_ns)
    case UInt32(MARTLET_INQUIRY_USERS_BEGUN.rawValue): self = .usersBegun(waitNanoseconds: part.wait_ns)
    case UInt32(MARTLET_INQUIRY_UNANSWERED.rawValue): self = .unanswered(id: record.bytes(part.id).array)
    default: return nil
    }
  }

  /// Hands out the record that says the same; the bytes hold within `body` only. An id is cut as that of a
  /// `ContainerReport` is.
  public func withRecord<Result>(
    at timeNanoseconds: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    let fixed = MemoryLayout<martlet_inquiry>.size
    var part = martlet_inquiry()
    var id: ArraySlice<UInt8> = []
    switch self {
    case .begun(let waitNanoseconds):
      part.step = UInt32(MARTLET_INQUIRY_BEGUN.rawValue)
      part.wait_ns = waitNanoseconds
    case .usersBegun(let waitNanoseconds):
      part.step = UInt32(MARTLET_INQUIRY_USERS_BEGUN.rawValue)
      part.wait_ns = waitNanoseconds
    case .unanswered(let wanted):
      part.step = UInt32(MARTLET_INQUIRY_UNANSWERED.rawValue)
      id = wanted.prefix(ContainerReport.textByteCountMax)
    }
    let byteCount = (fixed + id.count + 7) & ~7
    part.record.length_bytes = UInt32(byteCount)
    part.record.kind = UInt16(MARTLET_KIND_INQUIRY.rawValue)
    part.record.time_ns = timeNanoseconds
    part.id = martlet_text(offset_bytes: UInt32(fixed), length_bytes: UInt32(id.count))
    return try withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: MemoryLayout<UInt64>.alignment) { bytes in
      bytes.initializeMemory(as: UInt8.self, repeating: 0)
      bytes.storeBytes(of: part, as: martlet_inquiry.self)
      UnsafeMutableRawBufferPointer(rebasing: bytes[fixed...]).copyBytes(from: id)
      return try body(UnsafeRawBufferPointer(bytes))
    }
  }
}
