// SPDX-License-Identifier: Apache-2.0

import CMartletFiles
import Glibc
public import Logging
public import MartletSignatures
import Synchronization

/// What the operator trusts: signatures in files and folders of his own, and by whom they must be. Both are looked at again
/// and again, so that a signature that is put there counts a few seconds later, and one that is taken away no more.
public final class TrustedModels: Sendable {
  /// Which digests are whose, at one moment.
  public struct Snapshot: Sendable {
    public let index: DigestIndex
    /// Another one for other contents.
    public let generation: UInt64
    /// Files that were read, and those of them that say nothing that is trusted.
    public let fileCount: Int
    public let refusedCount: Int
  }

  private let paths: [String]
  private let policy: @Sendable () throws(Refusal) -> TrustPolicy
  private let policyPaths: [String]
  private let logger: Logger
  private let state: Mutex<Snapshot>
  /// Of what was read last.
  private let loaded = Mutex<[Trace]>([])

  static let filesMax = 4096
  private static let depthMax = 16
  private static let lookEvery = Duration.seconds(2)

  /// `paths`: files, and folders with all that lies below. `policy`: whom to trust, read anew with them; `policyPaths`:
  /// files that it depends on.
  public init(
    paths: [String], policyPaths: [String] = [], logger: Logger,
    policy: @escaping @Sendable () throws(Refusal) -> TrustPolicy
  ) {
    self.paths = paths
    self.policyPaths = policyPaths
    self.logger = logger
    self.policy = policy
    state = Mutex(Snapshot(index: DigestIndex(), generation: 0, fileCount: 0, refusedCount: 0))
  }

  public var snapshot: Snapshot { state.withLock { $0 } }

  /// Reads all there is. Throws where it is not known whom to trust; what is wrong with a signature is a line of the log.
  public func load() async throws(Refusal) {
    let found = traces()
    loaded.withLock { $0 = found }
    let policy = try policy()
    var reading = Reading(policy: policy, index: DigestIndex(revocations: policy.revocations))
    for file in files() { await reading.read(file, logger) }
    let (index, fileCount, refusedCount) = (reading.index, reading.fileCount, reading.refusedCount)
    let generation = state.withLock { state in
      state = Snapshot(
        index: index, generation: state.generation + 1, fileCount: fileCount, refusedCount: refusedCount)
      return state.generation
    }
    // Without a digest every model is unsigned: nobody wants that, and a path that was misspelled looks the same.
    logger.log(
      level: index.count == 0 ? .warning : .info,
      """
      models are verified by \(index.count) digests of \(fileCount) files, \(refusedCount) refused \
      (generation \(generation))
      """)
  }

  /// Looks for changes until the task is cancelled. What changed is read once it was found the same twice: not while
  /// somebody writes it.
  public func follow() async {
    var last: [Trace] = []
    while (try? await Task.sleep(for: Self.lookEvery)) != nil {
      let now = traces()
      if now == last, now != loaded.withLock({ $0 }) {
        do throws(Refusal) { try await load() } catch {
          logger.error("trust in models was not read again: \(error); what was trusted before still is")
        }
      }
      last = now
    }
  }

  // MARK: - Files

  /// What tells whether a file is still the one it was.
  private struct Trace: Equatable {
    let path: String
    let numbers: [UInt64]
  }

  private func traces() -> [Trace] {
    (files() + policyPaths).compactMap { path in
      var status = martlet_file_status()
      guard martlet_files_status_of(path, &status) == 0 else { return nil }
      return Trace(
        path: path,
        numbers: [status.device, status.inode, status.size_bytes, status.modified_ns, status.changed_ns])
    }
  }

  /// Those that are named, and all below folders, sorted; hidden ones are left out. Links to files are followed, as a
  /// ConfigMap has nothing else.
  private func files() -> [String] {
    var found: [String] = []
    var waiting = paths.map { (path: $0, depth: 0) }
    while let (path, depth) = waiting.popLast(), found.count < Self.filesMax {
      var status = martlet_file_status()
      guard martlet_files_status_of(path, &status) == 0 else { continue }
      if status.isRegular { found.append(path) }
      guard status.isFolder, depth < Self.depthMax else { continue }
      for name in Self.names(in: path) where !name.hasPrefix(".") {
        waiting.append((path.hasSuffix("/") ? path + name : path + "/" + name, depth + 1))
      }
    }
    return found.sorted()
  }

  private static func names(in folder: String) -> [String] {
    guard let listing = opendir(folder) else { return [] }
    defer { closedir(listing) }
    var names: [String] = []
    while let entry = readdir(listing), names.count < filesMax {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        })
    }
    return names
  }
}

/// One reading of all files.
private struct Reading {
  let policy: TrustPolicy
  var index: DigestIndex
  var fileCount = 0
  var refusedCount = 0

  /// Endings of a list's name, behind which its signature lies.
  private static let signatureEndings = [".sig", ".sigstore.json"]

  mutating func read(_ path: String, _ logger: Logger) async {
    // It is read with its list.
    guard !Self.signatureEndings.contains(where: { path.hasSuffix($0) && isList(String(path.dropLast($0.count))) })
    else { return }
    fileCount += 1
    do throws(Refusal) {
      let bytes = try InputFile.read(path, bytesMax: SignatureBundle.bytesMax, tooLarge: .bundleTooLarge)
      if SignatureBundle.isLikely(bytes) {
        try await add(try SignatureBundle(bytes))
      } else {
        index.add(try await list(bytes, path))
      }
    } catch {
      refusedCount += 1
      logger.warning("'\(path)' vouches for no model: \(error)")
    }
  }

  /// A signature that is not trusted says why its files are not verified, and nothing else.
  private mutating func add(_ bundle: SignatureBundle) async throws(Refusal) {
    do throws(Refusal) {
      index.add(try await bundle.verify(trusting: policy))
    } catch {
      if let claim = bundle.claim { index.addRefused(claim, error.state) }
      throw error
    }
  }

  private func isList(_ path: String) -> Bool {
    var status = martlet_file_status()
    return martlet_files_status_of(path, &status) == 0 && status.isRegular
  }

  /// The operator's own list, unless a signature lies beside it, which must hold then.
  private func list(_ bytes: [UInt8], _ path: String) async throws(Refusal) -> VerifiedBundle {
    let list = try ChecksumList(bytes, name: path)
    for ending in Self.signatureEndings where isList(path + ending) {
      let signature = try InputFile.read(
        path + ending, bytesMax: SignatureBundle.bytesMax, tooLarge: .bundleTooLarge)
      let verified =
        SignatureBundle.isLikely(signature)
        ? try await SignatureBundle(signature).verify(trusting: policy)
        : try DetachedSignature(signature).verify(list.digest, trusting: policy)
      return try list.signed(verified, policy: policy)
    }
    return try list.trusted(by: policy)
  }
}
