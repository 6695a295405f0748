// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// Which file is read next, and what comes of it.
extension VerdictDesk {
  static let attemptsMax = 5
  private static let retryDelay: UInt64 = 250_000_000

  /// The oldest that may be read, but of another container than the last one, if there is one.
  mutating func nextJob(at now: UInt64) -> Next {
    var first: Int?
    var soonest = UInt64.max
    for (place, key) in order.enumerated() {
      guard let job = jobs[key] else { continue }
      guard job.readyAt <= now else {
        soonest = min(soonest, job.readyAt - now)
        continue
      }
      if first == nil { first = place }
      guard job.cgroup != lastCgroup else { continue }
      first = place
      break
    }
    guard let first, var job = jobs[order[first]] else { return soonest == .max ? .none : .later(soonest) }
    order.remove(at: first)
    lastCgroup = job.cgroup
    job.isRunning = true
    job.isDisturbed = false
    jobs[job.key] = job
    return .job(job)
  }

  mutating func nextQuestion() -> Question? { questions.isEmpty ? nil : questions.removeFirst() }

  /// Somebody holds a file that changed.
  mutating func tellChange(_ question: Question) {
    guard reports.count < Self.reportsMax else {
      statistics.dropped += 1
      return
    }
    statistics.changes += 1
    reports.append(question.report)
  }

  /// `job`: as it was when it was read; others may have come to wait for it since.
  mutating func finish(_ asked: Job, _ reply: HashReply, _ trust: TrustedModels.Snapshot, at now: UInt64) {
    guard var job = jobs.removeValue(forKey: asked.key) else { return }
    job.isRunning = false
    switch reply {
    case .digest(let file) where !job.isDisturbed: finish(job, file, trust)
    case .digest, .failed(.changed), .failed(.writers):
      statistics.unstable += 1
      tryAgain(&job, trust, at: now)
    case .failed(.gone) where !job.otherWays.isEmpty:
      job.request = job.otherWays.removeFirst()
      job.readyAt = now
      jobs[job.key] = job
      order.append(job.key)
    case .failed(.notAModel):
      statistics.otherFiles += 1
      keep(job.key, KnownFile(isOther: true, otherStamp: job.waiting.first?.stamp))
    case .failed(let failure):
      if failure == .stalled { statistics.stalled += 1 }
      giveUp(job, Verdict(failure), trust)
    case .progress, .held: giveUp(job, .failed(.noReader), trust)
    }
  }

  private mutating func finish(_ job: Job, _ file: HashedFile, _ trust: TrustedModels.Snapshot) {
    statistics.hashedFiles += 1
    statistics.hashedBytes += file.stamp.size
    if job.isEarly { statistics.earlyFiles += 1 }
    let guarantee: Verdict.Guarantee =
      job.isImmutable ? .immutable : file.hadNoWriters && job.isWatched ? .stable : .bestEffort
    keep(job.key, KnownFile(file: file, guarantee: guarantee))
    for waiting in job.waiting {
      if waiting.stamp == file.stamp {
        if noteTold(job.key, waiting, trust) { tell(waiting.report, .bytes(file, guarantee), trust) }
      } else {
        // What was opened may have been other bytes than those that were read: of these nothing is told with it.
        statistics.unstable += 1
        noteOpener(job.key, waiting)
        tell(waiting.report, .unstable, trust)
      }
    }
  }

  private mutating func tryAgain(_ job: inout Job, _ trust: TrustedModels.Snapshot, at now: UInt64) {
    job.attemptCount += 1
    // When the last writer goes, that is told, and the file is read then.
    guard !job.waiting.isEmpty, job.attemptCount < Self.attemptsMax else { return giveUp(job, .unstable, trust) }
    job.readyAt = now + Self.retryDelay << UInt64(job.attemptCount - 1)
    // What was told of a file is not told again before.
    job.isWatched = false
    wishWatch(job.key)
    jobs[job.key] = job
    order.append(job.key)
  }

  private mutating func giveUp(_ job: Job, _ verdict: Verdict, _ trust: TrustedModels.Snapshot) {
    if known[job.key] == nil { wishUnwatch(job.key) }
    for waiting in job.waiting { tell(waiting.report, verdict, trust) }
  }

  /// The file that was used least lately makes room.
  private mutating func keep(_ key: FileKey, _ file: KnownFile) {
    if known[key] == nil, known.count >= limits.fileCountMax,
      let oldest = known.min(by: { $0.value.lastUse < $1.value.lastUse })?.key
    {
      known[oldest] = nil
      wishUnwatch(oldest)
      statistics.evictedFiles += 1
    }
    useCount += 1
    var file = file
    file.lastUse = useCount
    file.openers = known[key]?.openers ?? []
    known[key] = file
    statistics.knownFiles = UInt64(known.count)
  }
}
