// SPDX-License-Identifier: Apache-2.0

/// What a statement or a list says about a model: names of files and their digests.
public struct SignedModel: Hashable, Sendable {
  /// A file of the model.
  public struct Resource: Hashable, Sendable {
    /// Relative to the model, with `/`; `.` where the model is one file.
    public let name: ExactText
    /// What its bytes must be.
    public let digest: ResourceDigest
  }

  /// One digest of a file, or one for each of its ranges.
  public enum ResourceDigest: Hashable, Sendable {
    /// Of the whole file.
    case whole(Digest256)
    /// Of ranges that follow one another from the start; each ends before its last offset.
    case shards([Shard])
  }

  /// A range of a file.
  public struct Shard: Hashable, Sendable {
    /// The offset behind the last byte.
    public let end: Int64
    /// Of the bytes from the end of the shard before.
    public let digest: Digest256
  }

  /// More are refused.
  public static let resourcesMax = 100_000

  /// What the signer calls the model. Informative: nothing is decided by it.
  public let name: ExactText
  /// The digest over the digests, which stands for the whole model; none for lists of checksums.
  public let rootDigest: Digest256?
  /// In the order that the signer gave.
  public let resources: [Resource]
  /// Paths that the signer left out, relative to the model.
  public let ignoredPaths: [ExactText]
  /// Whether a name may be a symbolic link. Where not, a link is refused whatever it leads to.
  public let allowsSymbolicLinks: Bool

  /// Whether the model is one file.
  public var isSingleFile: Bool { resources.count == 1 && resources[0].name == "." }

  /// Digests of whole files, for the index.
  public var wholeDigests: [(digest: Digest256, name: ExactText)] {
    resources.compactMap { resource in
      guard case .whole(let digest) = resource.digest else { return nil }
      return (digest, resource.name)
    }
  }
}

/// Names of files as others give them.
enum ResourceName {
  static let bytesMax = 4096

  /// The name without a leading `./`, where it is a plain way down from the model: no `..`, nothing absolute or empty.
  static func plain(_ name: some Collection<UInt8>, allowsModelItself: Bool = false) -> ExactText? {
    guard (1...bytesMax).contains(name.count), !name.contains(0) else { return nil }
    if allowsModelItself, name.elementsEqual(".".utf8) { return "." }
    let parts = name.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    for part in parts where part.isEmpty || part.elementsEqual(".".utf8) || part.elementsEqual("..".utf8) { return nil }
    return ExactText(name)
  }
}
