// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletCapture
import MartletEvents

/// How often each of the acts was told that an actor makes with the verb `numbers`.
final class Numbers {
  private(set) var opens: [Int: Int] = [:]
  private(set) var connects: [Int: Int] = [:]
  private(set) var execs: [Int: Int] = [:]
  /// The programs that told the opens, in the order that they came in: each run of the same once.
  private(set) var generations: [UInt16] = []
  /// The number of acts, once the actor has said so.
  private(set) var last: Int?
  private let prefix: String
  private let process: UInt32

  init(folder: String, process: pid_t) {
    prefix = folder + "/"
    self.process = UInt32(process)
  }

  /// What it has to come to.
  static func once(upTo last: Int, every step: Int = 1) -> [Int: Int] {
    Dictionary(uniqueKeysWithValues: stride(from: step, through: last, by: step).map { ($0, 1) })
  }

  /// One batch.
  func take(from source: KernelSource) {
    let batch = source.nextBatch(timeoutMilliseconds: 5)
    defer { source.release(batch) }
    for bytes in batch.records {
      guard let record = EventRecord(bytes) else { continue }
      switch record.kind {
      case .open: count(record, in: &opens) { Int(record.bytes($0.open.pointee.name).string.dropFirst(prefix.count)) }
      case .connect:
        count(record, in: &connects) {
          withUnsafeBytes(of: $0.connect.pointee.remote_address) { Int($0[1]) << 16 | Int($0[2]) << 8 | Int($0[3]) }
        }
      case .exec: takeExec(record)
      default: break
      }
    }
  }

  private func count(_ record: EventRecord, in counts: inout [Int: Int], by number: (EventRecord) -> Int?) {
    guard record.common.pointee.process_id == process, let number = number(record) else { return }
    counts[number, default: 0] += 1
    let generation = record.common.pointee.generation
    if record.kind == .open && generation != generations.last { generations.append(generation) }
  }

  /// Children's, too: their verb and its number are their arguments.
  private func takeExec(_ record: EventRecord) {
    let words = record.bytes(record.process.pointee.arguments).string.split(separator: "\0")
    guard words.count == 3, let number = Int(words[2]) else { return }
    if words[1] == "number" { execs[number, default: 0] += 1 }
    if words[1] == "last-number" && record.common.pointee.process_id == process { last = number }
  }
}
