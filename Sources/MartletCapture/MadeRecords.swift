// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents

/// The records that the source makes itself: time that went by, the host's name and clock, whose names it believes.
///
/// They lie in memory of this object and are overwritten by the next of their kind, so at most one of each is in a
/// batch.
final class MadeRecords {
  /// A realtime clock that moved less than this against the boot clock has not been set, only disciplined.
  static let offsetToleranceNanoseconds: Int64 = 1_000_000

  private let tickRecord = UnsafeMutablePointer<martlet_record>.allocate(capacity: 1)
  private var inquiryRecords: [UnsafeMutableRawBufferPointer] = []
  private let hostRecord: UnsafeMutableRawPointer
  private static let hostnameBytesMax = 256
  private static let nodeIDBytesMax = 64
  private static let hostBytesMax = MemoryLayout<martlet_host>.size + hostnameBytesMax + nodeIDBytesMax
  /// Of the node for as long as it is installed. Not there in a minimal image; the host name has to do then.
  private let nodeID = Array(
    (Procfs.text("/etc/machine-id") ?? "").prefix { !$0.isWhitespace }.utf8.prefix(nodeIDBytesMax))
  private let hostname: [UInt8]?
  private var offset: Int64?

  private let resolverList: ResolverList
  private let resolversRecord: UnsafeMutableRawPointer
  private var resolvers: [UInt8]?

  /// `hostname` in place of the machine's own, cut to the length that such a name may have. `resolvers`: those that are
  /// configured.
  init(hostname: String? = nil, resolvers: [IPAddress] = []) {
    resolverList = ResolverList(configured: resolvers)
    resolversRecord = .allocate(
      byteCount: MemoryLayout<martlet_resolvers>.size + ResolverList.byteCountMax,
      alignment: MemoryLayout<UInt64>.alignment)
    self.hostname = hostname.map { Array($0.utf8.prefix(Self.hostnameBytesMax - 1)) }
    hostRecord = .allocate(byteCount: Self.hostBytesMax, alignment: MemoryLayout<UInt64>.alignment)
  }

  deinit {
    tickRecord.deallocate()
    for record in inquiryRecords { record.deallocate() }
    hostRecord.deallocate()
    resolversRecord.deallocate()
  }

  func tick(at time: UInt64) -> UnsafeRawBufferPointer {
    var record = martlet_record()
    record.length_bytes = UInt32(MemoryLayout<martlet_record>.size)
    record.kind = UInt16(MARTLET_KIND_TICK.rawValue)
    record.time_ns = time
    tickRecord.initialize(to: record)
    return UnsafeRawBufferPointer(start: tickRecord, count: MemoryLayout<martlet_record>.size)
  }

  /// What is asked from now on; once.
  func inquiries(_ steps: [InquiryStep], at time: UInt64) -> [UnsafeRawBufferPointer] {
    for step in steps {
      inquiryRecords.append(
        step.withRecord(at: time) { record in
          let copy = UnsafeMutableRawBufferPointer.allocate(
            byteCount: record.count, alignment: MemoryLayout<UInt64>.alignment)
          copy.copyMemory(from: record)
          return copy
        })
    }
    return inquiryRecords.map { UnsafeRawBufferPointer($0) }
  }

  /// Who is to be believed about names, when it is not the same as last time; else nil.
  func resolvers(at time: UInt64) -> UnsafeRawBufferPointer? {
    let addresses = resolverList.read()
    guard addresses != resolvers else { return nil }
    resolvers = addresses
    let fixed = MemoryLayout<martlet_resolvers>.size
    var part = martlet_resolvers()
    part.record.length_bytes = UInt32(fixed + addresses.count)
    part.record.kind = UInt16(MARTLET_KIND_RESOLVERS.rawValue)
    part.record.time_ns = time
    part.addresses = martlet_text(offset_bytes: UInt32(fixed), length_bytes: UInt32(addresses.count))
    resolversRecord.assumingMemoryBound(to: martlet_resolvers.self).initialize(to: part)
    (resolversRecord + fixed).copyMemory(from: addresses, byteCount: addresses.count)
    return UnsafeRawBufferPointer(start: resolversRecord, count: fixed + addresses.count)
  }

  /// A host record when there has been none or the clock was set since; else nil.
  func host(at time: UInt64) -> UnsafeRawBufferPointer? {
    let now = Clock.realtimeOffset()
    if let offset, abs(now - offset) <= Self.offsetToleranceNanoseconds { return nil }
    offset = now
    let fixed = MemoryLayout<martlet_host>.size
    memset(hostRecord, 0, Self.hostBytesMax)
    let name = (hostRecord + fixed).assumingMemoryBound(to: CChar.self)
    if let hostname {
      UnsafeMutableRawPointer(name).copyMemory(from: hostname, byteCount: hostname.count)
    } else {
      gethostname(name, Self.hostnameBytesMax - 1)
    }
    let nameLength = strlen(name)
    (hostRecord + fixed + nameLength).copyMemory(from: nodeID, byteCount: nodeID.count)
    var part = martlet_host()
    part.record.length_bytes = UInt32((fixed + nameLength + nodeID.count + 7) & ~7)
    part.record.kind = UInt16(MARTLET_KIND_HOST.rawValue)
    part.record.time_ns = time
    part.realtime_offset_ns = now
    part.hostname = martlet_text(offset_bytes: UInt32(fixed), length_bytes: UInt32(nameLength))
    part.node_id = martlet_text(offset_bytes: UInt32(fixed + nameLength), length_bytes: UInt32(nodeID.count))
    hostRecord.assumingMemoryBound(to: martlet_host.self).initialize(to: part)
    return UnsafeRawBufferPointer(start: hostRecord, count: Int(part.record.length_bytes))
  }
}
