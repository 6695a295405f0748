// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Checks a model on disk, a file or a folder, against what a signer said of it.
public struct ModelCheck: Sendable {
  /// A file that belongs to the signature and not to the model, though it may lie inside: the bundle.
  public struct Attachment: Hashable, Sendable {
    private let name: ExactText
    private let device: UInt64
    private let inode: UInt64

    /// The file at a path; nothing where there is none.
    public init?(path: String) {
      var status = stat()
      guard stat(path, &status) == 0, let last = path.utf8.split(separator: UInt8(ascii: "/")).last else { return nil }
      name = ExactText(Array(last))
      (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino))
    }

    func isSame(_ name: [UInt8], _ status: stat) -> Bool {
      name == self.name.bytes && UInt64(status.st_dev) == device && UInt64(status.st_ino) == inode
    }
  }

  /// What the model must be.
  public var model: SignedModel
  /// Whether files that are not signed are listed only.
  public var ignoresUnsigned: Bool
  /// Further paths below which unsigned files are listed only, relative to the model. Signed files are always checked.
  public var ignoredPaths: [ExactText]
  /// Files that are not part of the model.
  public var attachments: [Attachment]

  /// A check against `model` that passes over nothing that its signer did not leave out.
  public init(
    _ model: SignedModel, ignoresUnsigned: Bool = false, ignoredPaths: [ExactText] = [], attachments: [Attachment] = []
  ) {
    self.model = model
    self.ignoresUnsigned = ignoresUnsigned
    self.ignoredPaths = ignoredPaths
    self.attachments = attachments
  }

  /// Reads the model and compares. `progress` is told bytes read so far, and of how many.
  public func run(_ path: String, progress: (_ done: Int64, _ total: Int64) -> Void = { _, _ in }) -> ModelReport {
    var report = ModelReport(refusal: nil, findings: [], verifiedFileCount: 0, byteCount: 0, resourceMatches: nil)
    do throws(Refusal) {
      var status = stat()
      guard stat(path, &status) == 0 else { throw Refusal(.modelMissing, String(cString: strerror(errno))) }
      switch FileKind(status) {
      case .regular: try file(path, &report, progress)
      case .folder: try folder(path, &report, progress)
      default: throw Refusal(.notARegularFile)
      }
      report.refusal = Self.refusal(for: report.findings)
    } catch {
      report.refusal = error
    }
    report.findings.sort { ($0.kind.rank, $0.path) < ($1.kind.rank, $1.path) }
    return report
  }

  /// The gravest of the findings.
  private static func refusal(for findings: [ModelReport.Finding]) -> Refusal? {
    let reasons: [(Refusal.Reason, [ModelReport.Finding.Kind])] = [
      (.changed, [.changed]), (.modelUnreadable, [.unreadable]),
      (.filesDiffer, [.mismatch, .missing, .link, .special]),
      (.filesExtra, [.extra]),
    ]
    for (reason, kinds) in reasons {
      let found = findings.filter { kinds.contains($0.kind) }
      if let first = found.first { return Refusal(reason, detail(first, found.count)) }
    }
    return nil
  }

  private static func detail(_ first: ModelReport.Finding, _ count: Int) -> String {
    count == 1 ? "'\(first.path)'" : "'\(first.path)' and \(count - 1) more"
  }
}

extension ModelReport.Finding.Kind {
  fileprivate var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

// One file.
extension ModelCheck {
  /// The digest of one file, for signatures that are over nothing else, and the report where its signature holds: the
  /// file is read once.
  public static func digest(
    of path: String, progress: (_ done: Int64, _ total: Int64) -> Void = { _, _ in }
  ) throws(Refusal) -> (digest: Digest256, report: ModelReport) {
    do throws(FileProblem) {
      let file = try ModelFile.open(path: path)
      let size = file.stamp.size
      var done: Int64 = 0
      let digest = try FileDigester().whole(file) { count in
        done += Int64(count)
        progress(done, size)
      }
      let report = ModelReport(
        refusal: nil, findings: [], verifiedFileCount: 1, byteCount: done, resourceMatches: nil)
      return (digest, report)
    } catch {
      throw Refusal(error.reason)
    }
  }

  private func file(
    _ path: String, _ report: inout ModelReport, _ progress: (Int64, Int64) -> Void
  ) throws(Refusal) {
    let name = path.utf8.split(separator: UInt8(ascii: "/")).last.map { ExactText($0) } ?? "."
    let resource = sharded(named: name)
    do throws(FileProblem) {
      let file = try ModelFile.open(path: path)
      let size = file.stamp.size
      let digester = FileDigester()
      var done: Int64 = 0
      let advance = { (count: Int) in
        done += Int64(count)
        progress(done, size)
      }
      if let resource, case .shards(let shards) = resource.digest {
        try Self.compare(file, shards, digester, advance)
        report.resourceMatches = matches(resource.name, name)
      } else {
        let digest = try digester.whole(file, progress: advance)
        try judge(digest, name, &report)
      }
      report.byteCount = done
      report.verifiedFileCount = report.findings.isEmpty ? 1 : 0
    } catch {
      report.findings = [.init(kind: error.kind, path: name)]
    }
    if report.findings.first?.kind == .extra { throw Refusal(.notSigned, "'\(name)'") }
  }

  /// The file in shards that the name means; files with one digest are found by that.
  private func sharded(named name: ExactText) -> SignedModel.Resource? {
    let sharded = model.resources.filter { if case .shards = $0.digest { true } else { false } }
    return sharded.first { matches($0.name, name) ?? false } ?? (sharded.count == 1 ? sharded[0] : nil)
  }

  /// Digest before name: bytes that were signed are the signed ones whatever they are called now.
  private func judge(
    _ digest: Digest256, _ name: ExactText, _ report: inout ModelReport
  ) throws(FileProblem) {
    let same = model.resources.filter { $0.digest == .whole(digest) }
    let isNamed = model.isSingleFile || model.resources.contains { matches($0.name, name) ?? false }
    if same.isEmpty {
      report.findings = [.init(kind: isNamed ? .mismatch : .extra, path: name)]
    } else if !model.isSingleFile {
      report.resourceMatches = same.contains { matches($0.name, name) ?? false }
    }
  }

  /// Whether a file is called like a resource; unknown where the resource has no name.
  private func matches(_ resource: ExactText, _ name: ExactText) -> Bool? {
    resource == "." ? nil : resource.bytes.split(separator: UInt8(ascii: "/")).last.map { Array($0) == name.bytes }
  }
}

// A folder.
extension ModelCheck {
  private func folder(
    _ path: String, _ report: inout ModelReport, _ progress: (Int64, Int64) -> Void
  ) throws(Refusal) {
    let root = OpenFile(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
    guard root.descriptor >= 0 else { throw Refusal(.modelUnreadable, String(cString: strerror(errno))) }
    let ignoring = Set(model.ignoredPaths + ignoredPaths)
    let listing = try FolderListing(root.descriptor, ignoring: ignoring, attachments: attachments)
    let signed = Set(model.resources.map(\.name))

    var stamps: [ExactText: FileStamp] = [:]
    let digester = FileDigester()
    var done: Int64 = 0
    for resource in model.resources {
      do throws(FileProblem) {
        let stamp = try check(resource, root.descriptor, digester) { count in
          done += Int64(count)
          progress(done, max(done, listing.byteCount))
        }
        stamps[resource.name] = stamp
      } catch {
        report.findings.append(.init(kind: error.kind, path: resource.name))
      }
    }
    report.byteCount = done
    report.verifiedFileCount = stamps.count

    let extras = listing.names.subtracting(signed)
    report.findings += extras.map { .init(kind: ignoresUnsigned ? .ignored : .extra, path: $0) }
    report.findings += listing.ignored.subtracting(signed).map { .init(kind: .ignored, path: $0) }
    try checkAgain(root.descriptor, stamps, ignoresUnsigned ? nil : listing, &report)
  }

  /// The stamp of a file whose bytes are the signed ones.
  private func check(
    _ resource: SignedModel.Resource, _ root: Int32, _ digester: borrowing FileDigester, progress: (Int) -> Void
  ) throws(FileProblem) -> FileStamp {
    let file = try ModelFile.open(resource.name, below: root, followsLink: model.allowsSymbolicLinks)
    switch resource.digest {
    case .whole(let digest):
      guard try digester.whole(file, progress: progress) == digest else { throw .mismatch }
    case .shards(let shards): try Self.compare(file, shards, digester, progress)
    }
    return file.stamp
  }

  private static func compare(
    _ file: borrowing ModelFile, _ shards: [SignedModel.Shard], _ digester: borrowing FileDigester,
    _ progress: (Int) -> Void
  ) throws(FileProblem) {
    guard shards.last?.end == file.stamp.size else { throw .mismatch }
    let digests = try digester.ranges(file, ends: shards.map { $0.end }, progress: progress)
    guard digests == shards.map({ $0.digest }) else { throw .mismatch }
  }

  /// Hashing takes minutes, in which files come and go: what was read first must still be there when the last is read.
  private func checkAgain(
    _ root: Int32, _ stamps: [ExactText: FileStamp], _ listing: FolderListing?, _ report: inout ModelReport
  ) throws(Refusal) {
    for (name, stamp) in stamps {
      let now = try? ModelFile.open(name, below: root, followsLink: model.allowsSymbolicLinks).stamp
      if now != stamp { report.findings.append(.init(kind: .changed, path: name)) }
    }
    guard let listing else { return }
    let again = try FolderListing(
      root, ignoring: Set(model.ignoredPaths + ignoredPaths), attachments: attachments)
    report.findings += again.names.symmetricDifference(listing.names).map { .init(kind: .changed, path: $0) }
  }
}

extension FileProblem {
  /// For a file that is all there is.
  fileprivate var reason: Refusal.Reason {
    switch self {
    case .missing: .modelMissing
    case .link, .notRegular: .notARegularFile
    case .unreadable: .modelUnreadable
    case .changed: .changed
    case .mismatch: .filesDiffer
    }
  }

  fileprivate var kind: ModelReport.Finding.Kind {
    switch self {
    case .missing: .missing
    case .link: .link
    case .notRegular: .special
    case .unreadable: .unreadable
    case .changed: .changed
    case .mismatch: .mismatch
    }
  }
}
