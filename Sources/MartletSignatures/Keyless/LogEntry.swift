// SPDX-License-Identifier: Apache-2.0

import Crypto

/// An entry of Rekor, version 1: what the log keeps, when it took it in, and the proof that it keeps it.
struct LogEntry: Sendable {
  /// A tree of 2^63 entries has no longer path.
  static let proofHashesMax = 63

  let logIdentifier: [UInt8]
  let integratedTime: Int64
  let isVersion2: Bool
  private let index: Int64
  private let kind: ExactText
  private let body: [UInt8]
  private let promise: [UInt8]?
  private let proof: InclusionProof?

  private struct InclusionProof: Sendable {
    let index: Int64
    let treeSize: Int64
    let root: [UInt8]
    let hashes: [[UInt8]]
    let checkpoint: ExactText
  }

  init(_ json: JSONValue) throws(Refusal) {
    guard let kind = json["kindVersion"]?["kind"]?.text, let version = json["kindVersion"]?["version"]?.text else {
      throw Refusal(.fieldMissing, "tlogEntries.kindVersion")
    }
    self.kind = kind
    isVersion2 = version == "0.0.2" && (kind == "hashedrekord" || kind == "dsse")
    guard isVersion2 || version == "0.0.1" && (kind == "hashedrekord" || kind == "dsse") else {
      throw Refusal(.logEntryKind, "'\(kind)' '\(version)'")
    }
    logIdentifier = try json["logId"].bytes("keyId")
    body = try Optional(json).bytes("canonicalizedBody")
    // Version 2 has neither.
    integratedTime = json["integratedTime"]?.integer ?? 0
    promise = json["inclusionPromise"] == nil ? nil : try json["inclusionPromise"].bytes("signedEntryTimestamp")
    guard let index = json["logIndex"] == nil ? 0 : json["logIndex"]?.integer else {
      throw Refusal(.fieldMissing, "tlogEntries.logIndex")
    }
    self.index = index
    proof = try json["inclusionProof"].map { json throws(Refusal) in try Self.proof(json) }
  }

  private static func proof(_ json: JSONValue) throws(Refusal) -> InclusionProof {
    guard let index = json["logIndex"] == nil ? 0 : json["logIndex"]?.integer, let size = json["treeSize"]?.integer,
      let checkpoint = json["checkpoint"]?["envelope"]?.text
    else { throw Refusal(.logProofMissing) }
    let elements = json["hashes"]?.elements ?? []
    guard elements.count <= proofHashesMax else { throw Refusal(.logProofInvalid, "\(elements.count) hashes") }
    let hashes = try elements.map { element throws(Refusal) in
      guard let hash = element.text.flatMap({ Base64.decode($0.bytes) }), hash.count == SHA256.byteCount else {
        throw Refusal(.base64Malformed, "hashes")
      }
      return hash
    }
    return InclusionProof(
      index: index, treeSize: size, root: try Optional(json).bytes("rootHash"), hashes: hashes, checkpoint: checkpoint)
  }

  /// The log signed that it took the entry in at ``integratedTime``.
  func checkPromise(_ key: VerificationKey) throws(Refusal) {
    guard let promise, integratedTime > 0 else { throw Refusal(.logPromiseMissing) }
    // Canonical JSON: keys in order, no spaces.
    let signed =
      "{\"body\":\"\(Base64.encode(body))\",\"integratedTime\":\(integratedTime),"
      + "\"logID\":\"\(Hexadecimal.text(logIdentifier))\",\"logIndex\":\(index)}"
    guard key.isValidWithSHA256(promise, for: Array(signed.utf8)) else { throw Refusal(.logPromiseInvalid) }
  }

  /// The entry is in the tree whose root the log signed.
  func checkInclusion(_ identifier: [UInt8], _ key: VerificationKey) throws(Refusal) {
    guard let proof else { throw Refusal(.logProofMissing) }
    let leaf = Array(SHA256.hash(data: [0] + body))
    let root = MerklePath.root(leaf: leaf, index: proof.index, treeSize: proof.treeSize, hashes: proof.hashes)
    guard root == proof.root else { throw Refusal(.logProofInvalid) }
    let checkpoint = try Checkpoint(proof.checkpoint)
    guard checkpoint.treeSize == proof.treeSize, checkpoint.root == proof.root,
      checkpoint.isSigned(by: key, identifier)
    else { throw Refusal(.checkpointInvalid) }
  }

  /// The entry is about this very signature: without this, any entry would do.
  func checkBody(of bundle: SignatureBundle, _ leaf: SignerCertificate) throws(Refusal) {
    let json = try JSONReader.read(body)
    guard json["kind"]?.text == kind, json["apiVersion"]?.text == "0.0.1", let spec = json["spec"] else {
      throw Refusal(.logEntryMismatch, "kind")
    }
    let hash: JSONValue?
    let digest: Digest256
    let signature: (logged: ExactText?, given: [UInt8])
    let verifier: ExactText?
    switch (kind, bundle.content) {
    case ("dsse", .envelope(let envelope)):
      guard let signatures = spec["signatures"]?.elements, signatures.count == 1 else {
        throw Refusal(.logEntryMismatch, "signatures")
      }
      hash = spec["payloadHash"]
      digest = Digest256(of: envelope.payload)
      signature = (signatures[0]["signature"]?.text, envelope.signature)
      verifier = signatures[0]["verifier"]?.text
    case ("hashedrekord", .message(let message, let given)):
      hash = spec["data"]?["hash"]
      digest = message
      signature = (spec["signature"]?["content"]?.text, given)
      verifier = spec["signature"]?["publicKey"]?["content"]?.text
    default: throw Refusal(.logEntryMismatch, "kind")
    }
    guard hash?["algorithm"]?.text == "sha256",
      hash?["value"]?.text.flatMap({ Digest256(hexadecimal: $0.bytes) }) == digest
    else { throw Refusal(.logEntryMismatch, "digest") }
    guard signature.logged.flatMap({ Base64.decode($0.bytes) }) == signature.given else {
      throw Refusal(.logEntryMismatch, "signature")
    }
    let pem = verifier.flatMap { Base64.decode($0.bytes) }.flatMap { try? PEMBlock.read($0) }
    guard let pem, pem.count == 1, pem[0].der == leaf.der else { throw Refusal(.logEntryMismatch, "certificate") }
  }
}

/// The root of a tree of hashes as the path from one leaf gives it (RFC 9162, section 2.1.3.2).
enum MerklePath {
  /// Nothing where the path does not fit the tree's size.
  static func root(leaf: [UInt8], index: Int64, treeSize: Int64, hashes: [[UInt8]]) -> [UInt8]? {
    guard index >= 0, index < treeSize else { return nil }
    var node = leaf
    var (position, last) = (index, treeSize - 1)
    for hash in hashes {
      guard last > 0 else { return nil }
      if position & 1 == 1 || position == last {
        node = Array(SHA256.hash(data: [1] + hash + node))
        while position & 1 == 0 && position != 0 { (position, last) = (position >> 1, last >> 1) }
      } else {
        node = Array(SHA256.hash(data: [1] + node + hash))
      }
      (position, last) = (position >> 1, last >> 1)
    }
    return last == 0 ? node : nil
  }
}

/// What a log signs about itself: a note of its name, its size and its root.
struct Checkpoint: Sendable {
  static let signaturesMax = 16

  let treeSize: Int64
  let root: [UInt8]
  private let note: [UInt8]
  private let signatures: [[UInt8]]

  init(_ text: ExactText) throws(Refusal) {
    let lines = text.bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
    // The note ends with an empty line; signatures follow, and the last line ends too.
    guard let end = lines.firstIndex(where: \.isEmpty), end >= 3, lines.last?.isEmpty == true,
      let treeSize = Decimal.integer(lines[1]), let root = Base64.decode(lines[2])
    else { throw Refusal(.checkpointInvalid, "not a note") }
    self.treeSize = treeSize
    self.root = root
    note = Array(text.bytes[..<lines[end].startIndex])
    let signed = lines[(end + 1)...].dropLast()
    guard (1...Self.signaturesMax).contains(signed.count) else { throw Refusal(.checkpointInvalid, "not signed") }
    signatures = signed.compactMap { line in
      guard line.starts(with: "\u{2014} ".utf8), let blank = line.lastIndex(of: 0x20) else { return nil }
      return Base64.decode(line[(blank + 1)...])
    }
  }

  /// Whether one of the signatures is the log's: they begin with the first four bytes of its name.
  func isSigned(by key: VerificationKey, _ identifier: [UInt8]) -> Bool {
    signatures.contains {
      $0.starts(with: identifier.prefix(4)) && key.isValidWithSHA256(Array($0.dropFirst(4)), for: note)
    }
  }
}
