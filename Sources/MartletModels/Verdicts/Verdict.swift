// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletSignatures

/// What is said about one file to one process that opened it.
enum Verdict {
  /// Its bytes are known.
  case bytes(HashedFile, Guarantee)
  case unstable
  case skipped(Skip)
  case failed(HashFailure)

  /// What a digest stands on.
  enum Guarantee: String {
    case immutable, stable
    case bestEffort = "best_effort"
  }

  /// Why a file was not read.
  enum Skip: String {
    case filesystem, size, sparse, budget, queue, stalled
    case notRegular = "not_regular"
  }

  init(_ failure: HashFailure) {
    switch failure {
    case .tooLarge: self = .skipped(.size)
    case .sparse: self = .skipped(.sparse)
    case .notRegular: self = .skipped(.notRegular)
    case .stalled: self = .skipped(.stalled)
    case .changed, .writers: self = .unstable
    case .gone, .unreadable, .noReader, .notAModel: self = .failed(failure)
    }
  }

  /// Writes what is known into a report that says who opened what. `now`: seconds since 1970.
  func complete(_ report: inout ModelEvent, _ trust: TrustedModels.Snapshot, now: Int64) {
    switch self {
    case .bytes(let file, let guarantee):
      report.guarantee = Array(guarantee.rawValue.utf8)
      report.hashNanoseconds = file.nanoseconds
      complete(&report, file, trust.index, now: now)
    case .unstable: report.state = Array("unstable".utf8)
    case .skipped(let skip): report.state = Array("skipped:\(skip.rawValue)".utf8)
    case .failed(let failure): report.state = Array("error:\(failure)".utf8)
    }
  }

  private func complete(_ report: inout ModelEvent, _ file: HashedFile, _ index: DigestIndex, now: Int64) {
    let digits = Array(file.digest.description.utf8)
    let found = Self.look(up: file.digest, for: report, in: index)
    report.digest = digits
    report.sizeBytes = file.stamp.size
    let named = report.format
    report.format = ModelFormat.of(named, ModelFormat(magic: file.magic))
    report.isPickleCapable = report.format?.isPickleCapable ?? false
    var state = found.state.description
    // Nobody vouches for it, and it is not even what it is called.
    let isClaimFalse = !report.claimedDigest.isEmpty && report.claimedDigest != digits
    if isClaimFalse, found.state == .unsigned || found.state == .digestMismatch { state = "claimed_mismatch" }
    report.state = Array(state.utf8)
    switch found.state {
    case .verified: report.isVerified = true
    case .unstable, .unsupported, .error: report.isVerified = nil
    default: report.isVerified = false
    }
    guard let entry = found.entry else { return }
    report.signer = entry.signer.name.bytes
    report.isSignerExpired = entry.signer.isExpired(at: now)
    report.method = Array(entry.method.rawValue.utf8)
    report.modelName = entry.modelName.bytes
    report.rootDigest = entry.rootDigest.map { Array($0.description.utf8) } ?? []
    report.resource = entry.resource == "." ? [] : entry.resource.bytes
    report.isNameMatching = found.resourceMatches
  }

  /// By the name that the program used, which is the one that people gave, and by the one it leads to.
  private static func look(up digest: Digest256, for report: ModelEvent, in index: DigestIndex) -> DigestIndex.Verdict {
    let spelled = index.verdict(on: digest, path: ExactText(report.openedAs))
    guard spelled.state != .digestMismatch, spelled.resourceMatches != true else { return spelled }
    let resolved = index.verdict(on: digest, path: ExactText(report.path))
    if resolved.state == .digestMismatch || resolved.resourceMatches == true { return resolved }
    return spelled
  }
}
