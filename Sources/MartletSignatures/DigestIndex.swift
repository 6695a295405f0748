// SPDX-License-Identifier: Apache-2.0

/// Which digests trusted signers published: what a file's bytes are looked up in once they are hashed.
///
/// A value without files or clocks. It holds what was configured and verified, never a bundle that merely lies beside a
/// file: whoever can write the model can write that too.
public struct DigestIndex: Sendable {
  /// Where a digest comes from.
  public struct Entry: Hashable, Sendable {
    /// Who published it.
    public let signer: Signer
    /// How.
    public let method: VerifiedBundle.Method
    /// What the signer calls the model.
    public let modelName: ExactText
    /// The digest of the whole model; none for lists and single files.
    public let rootDigest: Digest256?
    /// The file's name in the model; `.` where it has none.
    public let resource: ExactText
  }

  /// What is known about a file's bytes.
  public struct Verdict: Hashable, Sendable {
    /// Verified, unsigned, digest mismatch or revoked.
    public let state: ModelState
    /// Whose they are, where they are known.
    public let entry: Entry?
    /// Whether the file is called as the signer called it; nothing where it is not verified or has no name.
    public let resourceMatches: Bool?
  }

  /// Files; more are dropped and counted.
  public static let entriesMax = 1_000_000
  /// Of one digest: licences and empty files are the same everywhere.
  public static let entriesPerDigestMax = 16

  /// How many entries found no room.
  public private(set) var droppedCount = 0
  /// How many are held.
  public private(set) var count = 0
  private let revocations: Revocations
  private var entries: [Digest256: [Entry]] = [:]
  /// Of files in signatures that are not trusted, why not.
  private var refused: [Digest256: ModelState] = [:]
  /// Last components of names.
  private var names: Set<ExactText> = []

  /// An empty index that knows what has been revoked.
  public init(revocations: Revocations = Revocations()) { self.revocations = revocations }

  /// Takes in what a signer published. Files in shards have no digest of their own and are not found by one.
  public mutating func add(_ bundle: VerifiedBundle) {
    for (digest, name) in bundle.model.wholeDigests {
      let entry = Entry(
        signer: bundle.signer, method: bundle.method, modelName: bundle.model.name, rootDigest: bundle.model.rootDigest,
        resource: name)
      let known = entries[digest, default: []]
      guard !known.contains(entry) else { continue }
      guard count < Self.entriesMax, known.count < Self.entriesPerDigestMax else {
        droppedCount += 1
        continue
      }
      entries[digest, default: []].append(entry)
      count += 1
      if let last = Self.last(name) { names.insert(last) }
    }
  }

  /// Takes in what an operator's signature says that is not trusted: `state` is then the answer for its files, unless
  /// somebody else vouches for them.
  public mutating func addRefused(_ model: SignedModel, _ state: ModelState) {
    for (digest, _) in model.wholeDigests {
      guard refused.count < Self.entriesMax else {
        droppedCount += 1
        continue
      }
      refused[digest] = state
    }
  }

  /// What is known about bytes with this digest, in a file of this path.
  public func verdict(on digest: Digest256, path: ExactText) -> Verdict {
    let name = Self.last(path)
    guard !revocations.digests.contains(digest) else {
      return Verdict(state: .revoked, entry: entries[digest]?.first, resourceMatches: nil)
    }
    guard let known = entries[digest] else {
      if let state = refused[digest] { return Verdict(state: state, entry: nil, resourceMatches: nil) }
      let isNamed = name.map(names.contains) ?? false
      return Verdict(state: isNamed ? .digestMismatch : .unsigned, entry: nil, resourceMatches: nil)
    }
    let trusted = known.filter { !isRevoked($0) }
    guard let first = trusted.first else {
      return Verdict(state: .revoked, entry: known.first, resourceMatches: nil)
    }
    if let called = trusted.first(where: { Self.last($0.resource) == name }) {
      return Verdict(state: .verified, entry: called, resourceMatches: true)
    }
    let nameless = trusted.first { Self.last($0.resource) == nil }
    return Verdict(state: .verified, entry: nameless ?? first, resourceMatches: nameless == nil ? false : nil)
  }

  private func isRevoked(_ entry: Entry) -> Bool {
    revocations.contains(entry.signer) || entry.rootDigest.map(revocations.digests.contains) ?? false
  }

  private static func last(_ path: ExactText) -> ExactText? {
    path == "." ? nil : path.bytes.split(separator: UInt8(ascii: "/")).last.map { ExactText($0) }
  }
}
