// SPDX-License-Identifier: Apache-2.0

/// Reads the statement that a bundle's envelope carries, once its signature holds: in-toto around OpenSSF Model Signing.
enum StatementReader {
  static let statementType: ExactText = "https://in-toto.io/Statement/v1"
  static let predicateType: ExactText = "https://model_signing/signature/v1.0"
  static let legacyPredicateType: ExactText = "https://model_signing/Digests/v0.1"

  static func read(_ payload: [UInt8]) throws(Refusal) -> SignedModel {
    let json = try JSONReader.read(payload)
    guard let type = json["_type"]?.text else { throw Refusal(.fieldMissing, "_type") }
    guard type == statementType else { throw Refusal(.statementType, "'\(type)'") }
    guard let predicateType = json["predicateType"]?.text else { throw Refusal(.fieldMissing, "predicateType") }
    guard predicateType != legacyPredicateType else { throw Refusal(.legacyStatement) }
    guard predicateType == Self.predicateType else { throw Refusal(.predicateType, "'\(predicateType)'") }
    guard let predicate = json["predicate"], let subjects = json["subject"]?.elements else {
      throw Refusal(.fieldMissing, "predicate or subject")
    }
    guard subjects.count == 1 else { throw Refusal(.subjectCount, "\(subjects.count)") }
    guard let rootText = subjects[0]["digest"]?["sha256"]?.text, let root = Digest256(hexadecimal: rootText.bytes)
    else {
      throw Refusal(.fieldMissing, "subject.digest.sha256")
    }
    return try model(predicate, name: subjects[0]["name"]?.text ?? "", root: root)
  }

  private static func model(_ json: JSONValue, name: ExactText, root: Digest256) throws(Refusal) -> SignedModel {
    let serialization = try Serialization(json["serialization"])
    guard let resources = json["resources"]?.elements else { throw Refusal(.fieldMissing, "resources") }
    guard (1...SignedModel.resourcesMax).contains(resources.count) else {
      throw Refusal(.resourceCount, "\(resources.count)")
    }
    let named = try resources.map { json throws(Refusal) in try NamedDigest(json) }
    // In the order given: implementations sort names differently, and the order is signed.
    guard Digest256(of: named.flatMap(\.digest.bytes)) == root else { throw Refusal(.rootDigestMismatch) }
    return SignedModel(
      name: name, rootDigest: root,
      resources: serialization.isSharded ? try ShardJoiner.join(named) : try whole(named),
      ignoredPaths: serialization.ignoredPaths, allowsSymbolicLinks: serialization.allowsSymbolicLinks)
  }

  private static func whole(_ named: [NamedDigest]) throws(Refusal) -> [SignedModel.Resource] {
    var seen: Set<ExactText> = []
    return try named.map { resource throws(Refusal) in
      guard let name = ResourceName.plain(resource.name.bytes, allowsModelItself: named.count == 1) else {
        throw Refusal(.resourceName, "'\(resource.name)'")
      }
      guard seen.insert(name).inserted else { throw Refusal(.resourceDuplicate, "'\(name)'") }
      return SignedModel.Resource(name: name, digest: .whole(resource.digest))
    }
  }
}

/// How the signer read the model.
private struct Serialization {
  static let ignoredPathsMax = 10_000

  let isSharded: Bool
  let allowsSymbolicLinks: Bool
  let ignoredPaths: [ExactText]

  init(_ json: JSONValue?) throws(Refusal) {
    guard let json, let method = json["method"]?.text else {
      throw Refusal(.serializationMalformed, "no method")
    }
    switch method {
    case "files": isSharded = false
    case "shards":
      isSharded = true
      guard let size = json["shard_size"]?.integer, size > 0 else {
        throw Refusal(.serializationMalformed, "no size of shards")
      }
    default: throw Refusal(.serialization, "'\(method)'")
    }
    guard let hash = json["hash_type"]?.text else { throw Refusal(.serializationMalformed, "no hash_type") }
    guard hash == "sha256" else { throw Refusal(.hashAlgorithm, "'\(hash)'") }
    switch json["allow_symlinks"] {
    case nil: allowsSymbolicLinks = false
    case .boolean(let value)?: allowsSymbolicLinks = value
    default: throw Refusal(.serializationMalformed, "allow_symlinks")
    }
    switch json["ignore_paths"] {
    case nil: ignoredPaths = []
    case .array(let paths)? where paths.count <= Self.ignoredPathsMax:
      var plain: [ExactText] = []
      for path in paths {
        guard let text = path.text else { throw Refusal(.serializationMalformed, "ignore_paths") }
        // A path that leads out of the model ignores nothing in it.
        if let path = ResourceName.plain(text.bytes) { plain.append(path) }
      }
      ignoredPaths = plain
    default: throw Refusal(.serializationMalformed, "ignore_paths")
    }
  }
}

/// A resource as it is spelled.
private struct NamedDigest {
  let name: ExactText
  let digest: Digest256

  init(_ json: JSONValue) throws(Refusal) {
    guard let name = json["name"]?.text else { throw Refusal(.fieldMissing, "a resource's name") }
    guard let algorithm = json["algorithm"]?.text else { throw Refusal(.fieldMissing, "a resource's algorithm") }
    // model-signing writes `sha256-sharded-10000` where the specification has `sha256`.
    guard algorithm == "sha256" || algorithm.bytes.starts(with: "sha256-sharded-".utf8) else {
      throw Refusal(.hashAlgorithm, "'\(algorithm)'")
    }
    guard let digest = json["digest"]?.text.flatMap({ Digest256(hexadecimal: $0.bytes) }) else {
      throw Refusal(.resourceDigest, "'\(name)'")
    }
    self.name = name
    self.digest = digest
  }
}

/// Makes files of shards, which are named `path:start:end`.
private enum ShardJoiner {
  private struct Piece {
    let path: ExactText
    let start: Int64
    let shard: SignedModel.Shard

    init(_ resource: NamedDigest) throws(Refusal) {
      // The path itself may hold colons.
      let parts = resource.name.bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
      guard parts.count >= 3, let start = Decimal.integer(parts[parts.count - 2]),
        let end = Decimal.integer(parts[parts.count - 1]), start < end
      else { throw Refusal(.shardRange, "'\(resource.name)'") }
      let suffixCount = parts[parts.count - 2].count + parts[parts.count - 1].count + 2
      guard let path = ResourceName.plain(resource.name.bytes.dropLast(suffixCount), allowsModelItself: true) else {
        throw Refusal(.resourceName, "'\(resource.name)'")
      }
      self.path = path
      self.start = start
      shard = SignedModel.Shard(end: end, digest: resource.digest)
    }
  }

  static func join(_ named: [NamedDigest]) throws(Refusal) -> [SignedModel.Resource] {
    var order: [ExactText] = []
    var pieces: [ExactText: [Piece]] = [:]
    for resource in named {
      let piece = try Piece(resource)
      if pieces[piece.path] == nil { order.append(piece.path) }
      pieces[piece.path, default: []].append(piece)
    }
    guard order.count == 1 || pieces["."] == nil else { throw Refusal(.resourceName, "'.'") }
    return try order.map { path throws(Refusal) in
      let sorted = (pieces[path] ?? []).sorted { $0.start < $1.start }
      var end: Int64 = 0
      for piece in sorted {
        guard piece.start == end else { throw Refusal(.shardRange, "'\(path)' at \(piece.start)") }
        end = piece.shard.end
      }
      return SignedModel.Resource(name: path, digest: .shards(sorted.map(\.shard)))
    }
  }
}
