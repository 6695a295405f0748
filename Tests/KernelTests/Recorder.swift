// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletCapture
import MartletEvents
import Testing

/// Why a test that needs the kernel cannot run here, if it cannot.
enum KernelAccess {
  static let missing = CaptureRequirements.check()
  static let isThere = missing.isEmpty
  static let reason = Comment(rawValue: "needs the kernel's BPF: \(missing.map(\.description).joined(separator: "; "))")
}

/// After this long something hangs: a busy machine takes many times as long as an idle one.
let secondsUntilHung = 120

extension KernelSource {
  /// The counters at a moment when no other CPU is between two of them, if there is one.
  func settledStatistics() -> CaptureStatistics {
    var statistics = statistics()
    for _ in 0..<1000 where !statistics.isBalanced { statistics = self.statistics() }
    return statistics
  }
}

/// A running source, and copies of the records that came from it.
final class Recorder {
  let source: KernelSource
  private(set) var records: [EventRecord] = []
  private var copies: [UnsafeMutableRawPointer] = []
  private(set) var malformed = 0

  init(_ configuration: CaptureConfiguration = .withoutSeed) throws {
    source = try KernelSource(configuration: configuration)
    try source.start()
  }

  deinit { copies.forEach { $0.deallocate() } }

  /// Takes batches until a record satisfies `isLast`; fails the test when none does.
  @discardableResult
  func record(
    until what: Comment, at location: SourceLocation = #_sourceLocation, _ isLast: (EventRecord) -> Bool
  ) -> Bool {
    let deadline = time(nil) + secondsUntilHung
    while time(nil) <= deadline {
      if take(timeoutMilliseconds: 100).contains(where: isLast) { return true }
    }
    Issue.record("did not see: \(what)", sourceLocation: location)
    return false
  }

  /// Takes everything up to the end of a process, which must end by itself.
  @discardableResult
  func record(untilEndOf process: pid_t, at location: SourceLocation = #_sourceLocation) -> Bool {
    record(until: "the end of the child", at: location) {
      $0.kind == .exit && $0.common.pointee.process_id == UInt32(process)
    }
  }

  /// One batch; returns its records, copied.
  @discardableResult
  func take(timeoutMilliseconds: Int) -> ArraySlice<EventRecord> {
    let batch = source.nextBatch(timeoutMilliseconds: timeoutMilliseconds)
    let first = records.count
    for bytes in batch.records {
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
      copy.copyMemory(from: bytes)
      if let start = copy.baseAddress { copies.append(start) }
      if let record = EventRecord(UnsafeRawBufferPointer(copy)) { records.append(record) } else { malformed += 1 }
    }
    source.release(batch)
    return records[first...]
  }

  /// Takes everything up to the end of an actor, which is told to end once it waits, and keeps none of it.
  func look(untilEndOf actor: Actor, at location: SourceLocation = #_sourceLocation, _ body: (EventRecord) -> Void) {
    let deadline = time(nil) + secondsUntilHung
    while time(nil) <= deadline {
      if actor.isWaiting { actor.finish() }
      var hasEnded = false
      let batch = source.nextBatch(timeoutMilliseconds: 100)
      for record in batch.records.lazy.compactMap({ EventRecord($0) }) {
        body(record)
        hasEnded = hasEnded || record.kind == .exit && record.common.pointee.process_id == UInt32(actor.process)
      }
      source.release(batch)
      if hasEnded { return }
    }
    Issue.record("did not see the end of the child", sourceLocation: location)
  }

  func records(of kind: EventKind, by process: pid_t) -> [EventRecord] {
    records.filter { $0.kind == kind && $0.common.pointee.process_id == UInt32(process) }
  }

  /// The one open by `process` of a file that it called `name`.
  func open(named name: String, by process: pid_t) throws -> OpenedFile {
    let found = records(of: .open, by: process).filter { $0.bytes($0.open.pointee.name).string == name }
    try #require(found.count == 1, "opens of '\(name)': \(found.count)")
    return OpenedFile(found[0])
  }
}

extension CaptureConfiguration {
  static var withoutSeed: CaptureConfiguration {
    var configuration = CaptureConfiguration()
    configuration.seed = .none
    return configuration
  }
}

/// An open record as values, for comparisons that print well.
struct OpenedFile {
  let part: martlet_open
  let type: EventType?
  let path: String
  let directory: String

  init(_ record: EventRecord) {
    part = record.open.pointee
    type = record.type
    path = record.bytes(part.path).string
    directory = record.bytes(part.directory).string
  }

  func has(_ flag: UInt32) -> Bool { part.record.flags & flag != 0 }

  func has(fileFlag flag: UInt32) -> Bool { part.file_flags & flag != 0 }
}
