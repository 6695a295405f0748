// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc

/// The processes there are, as /proc tells: for kernels without the iterator, and as its simple twin in tests.
///
/// Slower by a factor of ten and less exact: start times come in ticks of 10 ms, and a process may end, or run something
/// else, while it is read.
final class ProcfsSeed: Seed {
  /// A process's records take at most this much, so that each one fits whole.
  static let recordsBytesMax = Int(MARTLET_RECORD_BYTES_MAX) + (16 << 10)

  private let time: UInt64
  private let includesEnvironment: Bool
  private let cgroups: ProcfsCgroups
  /// Nil when /proc itself cannot be listed.
  private var pending: [pid_t]?

  init(time: UInt64, cgroups layout: CgroupLayout, includesEnvironment: Bool) {
    self.time = time
    self.includesEnvironment = includesEnvironment
    cgroups = ProcfsCgroups(layout: layout)
    pending = Procfs.numbers(in: "/proc")?.reversed()
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
    guard pending != nil else { return nil }
    var writer = RecordWriter(buffer: buffer)
    while buffer.count - writer.length >= Self.recordsBytesMax, let process = pending?.popLast() {
      guard let snapshot = ProcfsProcess(process) else { continue }
      append(snapshot, to: &writer)
    }
    return writer.length
  }

  private func append(_ process: ProcfsProcess, to writer: inout RecordWriter) {
    var common = martlet_record()
    common.time_ns = time
    common.process_id = UInt32(process.id)
    common.thread_id = UInt32(process.thread)
    common.process_start_ns = process.startNanoseconds
    common.user_id = process.userIDs[1]
    common.group_id = process.groupIDs[1]
    withUnsafeMutableBytes(of: &common.comm) { $0.copyBytes(from: process.comm.prefix($0.count - 1)) }
    let (v2, v1) = cgroups.cgroups(of: process.id)
    common.cgroup_id = v2?.id ?? 0
    common.cgroup_v1_id = v1?.id ?? 0
    for (hierarchy, cgroup) in [v2, v1].enumerated() {
      guard let cgroup else { continue }
      var part = martlet_cgroup()
      part.record = common
      part.record.kind = UInt16(MARTLET_KIND_CGROUP.rawValue)
      part.id = cgroup.id
      part.hierarchy = UInt32(hierarchy)
      writer.begin(part)
      writer.append(cgroup.path, at: \martlet_cgroup.path)
      writer.end()
    }
    var part = process.record
    part.record = common
    part.record.kind = UInt16(MARTLET_KIND_PROCESS.rawValue)
    if process.hasMoreArguments { part.record.flags |= UInt32(MARTLET_FLAG_ARGUMENTS_TRUNCATED) }
    guard includesEnvironment else {
      writer.begin(part)
      append(process, at: \martlet_process.self, to: &writer)
      return writer.end()
    }
    let limit = Int(MARTLET_ENVIRONMENT_BYTES_MAX)
    let environment = Procfs.bytes("/proc/\(process.id)/task/\(process.thread)/environ", limit: limit + 1) ?? []
    part.record.flags |= UInt32(MARTLET_FLAG_ENVIRONMENT)
    if environment.count > limit { part.record.flags |= UInt32(MARTLET_FLAG_ENVIRONMENT_TRUNCATED) }
    writer.begin(martlet_process_environment(process: part, environment: martlet_text()))
    append(process, at: \martlet_process_environment.process, to: &writer)
    writer.append(environment, at: \martlet_process_environment.environment, limit: limit)
    writer.end()
  }

  private func append<Part>(
    _ process: ProcfsProcess, at place: WritableKeyPath<Part, martlet_process>, to writer: inout RecordWriter
  ) {
    writer.append(process.exePath, at: place.appending(path: \.exe_path))
    writer.append(process.directory, at: place.appending(path: \.directory))
    writer.append(
      process.arguments, at: place.appending(path: \.arguments), limit: Int(MARTLET_ARGUMENTS_BYTES_MAX))
  }
}

/// Writes records one after the other into a buffer, as the kernel side lays them out.
struct RecordWriter {
  private let buffer: UnsafeMutableRawBufferPointer
  private(set) var length = 0
  private var start = 0

  init(buffer: UnsafeMutableRawBufferPointer) { self.buffer = buffer }

  /// Starts a record with its fixed part; its length is filled in at the end.
  mutating func begin<Part>(_ part: Part) {
    start = length
    buffer.storeBytes(of: part, toByteOffset: start, as: Part.self)
    length += MemoryLayout<Part>.size
  }

  /// Appends a text, cut to what a record takes, and notes its place in the fixed part.
  mutating func append<Part>(
    _ text: [UInt8], at place: WritableKeyPath<Part, martlet_text>, limit: Int = Int(MARTLET_PATH_BYTES_MAX)
  ) {
    let bytes = text.prefix(limit)
    guard let base = buffer.baseAddress, !bytes.isEmpty else { return }
    let part = (base + start).assumingMemoryBound(to: Part.self)
    part.pointee[keyPath: place] = martlet_text(
      offset_bytes: UInt32(length - start), length_bytes: UInt32(bytes.count))
    memset(base + length, 0, (bytes.count + 7) & ~7)
    UnsafeMutableRawBufferPointer(rebasing: buffer[length...]).copyBytes(from: bytes)
    length += (bytes.count + 7) & ~7
  }

  mutating func end() {
    buffer.storeBytes(of: UInt32(length - start), toByteOffset: start, as: UInt32.self)
  }
}
