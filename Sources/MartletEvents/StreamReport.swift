// SPDX-License-Identifier: Apache-2.0

import CMartletABI

/// What somebody outside of the kernel has to tell, before it becomes a record in the stream.
public protocol StreamReport: Sendable {
  /// Hands out the record that says the same; the bytes hold within `body` only. CLOCK_BOOTTIME, in nanoseconds.
  func withRecord<Result>(
    at timeNanoseconds: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result
}

/// A container has started, and what its runtime says about it has been told.
public struct ContainerStart: StreamReport, Equatable {
  /// One of its cgroups, and the hierarchy of that: 0 for v2, 1 for v1.
  public var cgroupID: UInt64
  public var hierarchy: UInt32

  public init(cgroupID: UInt64, hierarchy: UInt32) {
    self.cgroupID = cgroupID
    self.hierarchy = hierarchy
  }

  public func withRecord<Result>(
    at timeNanoseconds: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    var record = martlet_record()
    record.length_bytes = UInt32(MemoryLayout<martlet_record>.size)
    record.kind = UInt16(MARTLET_KIND_START.rawValue)
    record.call = UInt16(MARTLET_CALL_CONTAINER.rawValue)
    record.time_ns = timeNanoseconds
    if hierarchy == 0 { record.cgroup_id = cgroupID } else { record.cgroup_v1_id = cgroupID }
    // Of no processor.
    record.cpu = .max
    return try withUnsafeBytes(of: record, body)
  }
}
