// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents
import MartletSignatures

/// What becomes of files, and what that means for what is known of them.
extension VerdictDesk {
  mutating func noteChange(_ record: EventRecord, at now: UInt64) {
    let part = record.file.pointee
    let key = FileKey(device: part.device, inode: part.inode)
    switch martlet_change(rawValue: part.change) {
    case MARTLET_CHANGE_TOUCHED: change(key, "written", by: part.record.process_id)
    case MARTLET_CHANGE_TRUNCATED: change(key, "truncated", by: part.record.process_id)
    case MARTLET_CHANGE_CLOSED where part.state.changed_ns == 0:
      // It has gone, and its number may be another file's soon.
      disturb(key)
    case MARTLET_CHANGE_CLOSED where !record.has(flag: MARTLET_FLAG_PATH_UNREACHABLE):
      addEarly(record, key, record.bytes(part.path).array, at: now)
    case MARTLET_CHANGE_RENAMED, MARTLET_CHANGE_LINKED:
      addEarly(record, key, Self.absolute(record.bytes(part.name), below: record.bytes(part.directory)), at: now)
    default: break
    }
  }

  /// Whatever is known of the bytes may be wrong from now on.
  mutating func disturb(_ key: FileKey) {
    jobs[key]?.isDisturbed = true
    known[key]?.file = nil
    known[key]?.told = []
    known[key]?.otherStamp = nil
  }

  private mutating func change(_ key: FileKey, _ what: String, by process: UInt32) {
    let openers = known[key]?.openers ?? []
    let digest = known[key]?.file?.digest
    disturb(key)
    known[key]?.openers = []
    for opener in openers {
      guard questions.count < Self.questionsMax else {
        statistics.dropped += 1
        continue
      }
      var report = opener
      report.type = .modelChanged
      report.state = Array("changed".utf8)
      report.isVerified = false
      report.digest = digest.map { Array($0.description.utf8) } ?? []
      report.change = Array(what.utf8)
      report.changerID = process
      questions.append(
        Question(
          request: HashRequest(
            kind: .isHeld, processID: opener.opener.process_id, device: key.device, inode: key.inode), report: report))
      hasNewQuestion = true
    }
  }

  /// A download has ended: mostly somebody opens it soon. `path` is what the file is called by now.
  private mutating func addEarly(_ record: EventRecord, _ key: FileKey, _ path: [UInt8], at now: UInt64) {
    let part = record.file.pointee
    let kind = fileSystems[key.device] ?? .other
    let isRegular = part.inode_mode & UInt32(S_IFMT) == UInt32(S_IFREG)
    guard jobs[key] == nil, kind != .other, isRegular, part.state.size_bytes <= limits.fileByteCountMax,
      refusal(of: record, part.state.size_bytes) == nil
    else { return }
    let likelihood = path.withUnsafeBufferPointer { bytes in
      guard let start = bytes.baseAddress else { return ModelPatterns.Likelihood.no }
      let view = ByteView(start: start, count: bytes.count)
      return patterns.likelihood(path: view, name: view, comm: record.comm)
    }
    if case .no = likelihood { return }
    var request = request(by: record, key, path)
    if case .byItsBytes = likelihood { request.needsMagic = true }
    add(
      Job(
        key: key, request: request, cgroup: Self.cgroup(record), byteCount: part.state.size_bytes,
        isImmutable: kind == .immutable, isEarly: true, readyAt: now + Self.earlyDelay))
  }

  mutating func add(_ job: Job) {
    var job = job
    job.isWatched = watch(job.key)
    jobs[job.key] = job
    order.append(job.key)
    hasNewJob = true
  }
}
