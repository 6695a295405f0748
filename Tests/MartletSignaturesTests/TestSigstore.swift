// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import SwiftASN1
import X509

@testable import MartletSignatures

/// All of Sigstore in a test: an authority, a log of certificates and a log of signatures, and what they say about one
/// signature. Each part may be changed before the bundle is written.
struct TestSigstore {
  static let mail = "signer@example.org"
  static let issuer = "https://accounts.example.org"

  let root: TestAuthority
  let fulcio: TestAuthority
  let certificateLog = TestKey.new()
  let log = TestKey.new()
  var certificateLogSigner: TestKey
  var logSigner: TestKey
  var signer: TestAuthority
  var time = TestAuthority.time
  var otherLeaves = 3
  var statement = TestStatement()
  /// Instead of the statement, a file with this content.
  var file: [UInt8]?
  /// Changes the entry's body before it is logged.
  var changeBody: (String) -> String = { $0 }
  /// Changes the entry after it is logged.
  var changeEntry: (String) -> String = { $0 }
  var hasTimestamp = true

  init(mail: String? = Self.mail, usage: ExtendedKeyUsage.Usage = .codeSigning) throws {
    root = try TestAuthority.root("fulcio", curve: "P-384")
    fulcio = try root.issue(
      "fulcio-intermediate", curve: "P-384", days: -900...3000, TestAuthority.authorityExtensions())
    certificateLogSigner = certificateLog
    logSigner = log
    signer = fulcio
    signer = try leaf(mail: mail, usage: usage)
  }

  /// A certificate of ten days, in which the log's word about it stands.
  func leaf(mail: String?, usage: ExtendedKeyUsage.Usage, hasTimestamp: Bool = true) throws -> TestAuthority {
    let key = TestKey.new()
    var extensions = try TestAuthority.leafExtensions(KeyUsage(digitalSignature: true), usage, mail: mail)
    let voucher: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 57264, 1, 8]
    var text = DER.Serializer()
    try text.serialize(ASN1UTF8String(Self.issuer))
    try extensions.append(Certificate.Extension(oid: voucher, critical: false, value: text.serializedBytes[...]))
    let make = { (extensions: Certificate.Extensions) in
      try TestAuthority.make(
        "", key, issuer: ("fulcio-intermediate", fulcio.key), days: -1...1, extensions, serial: 4711)
    }
    guard hasTimestamp else { return TestAuthority(key: key, certificate: try make(extensions)) }
    let body = Array(try make(extensions).tbsCertificateBytes)
    let issuerKey = Digest256(of: SignerCertificate.keyDER(of: fulcio.certificate)).bytes
    let milliseconds = (0..<8).reversed().map { UInt8(truncatingIfNeeded: (TestAuthority.time * 1000) >> (8 * $0)) }
    let size = [UInt8(body.count >> 16), UInt8(body.count >> 8 & 255), UInt8(body.count & 255)]
    let signed = [0, 0] + milliseconds + [0, 1] + issuerKey + size + body + [0, 0]
    let signature = try certificateLogSigner.sign(signed)
    let entry = [0] + (try Self.identifier(certificateLog)) + milliseconds + [0, 0, 4, 3] + Self.vector(signature)
    var list = DER.Serializer()
    try list.serialize(ASN1OctetString(contentBytes: Self.vector(Self.vector(entry))[...]))
    try extensions.append(
      Certificate.Extension(
        oid: CertificateTimestamp.listIdentifier, critical: false, value: list.serializedBytes[...]))
    return TestAuthority(key: key, certificate: try make(extensions))
  }

  private static func vector(_ bytes: [UInt8]) -> [UInt8] {
    [UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes
  }

  static func identifier(_ key: TestKey) throws -> [UInt8] { try key.publicKey.fingerprint.bytes }

  /// The trusted root that names these authorities and logs.
  func trustedRoot(logValid: String = #"{"start":"2021-01-01T00:00:00.5Z"}"#) throws -> String {
    let describe = { (key: TestKey) in
      #"{"publicKey":{"rawBytes":"\#(Base64.encode(try key.publicKey.der))","keyDetails":"PKIX_ECDSA_P256_SHA_256","#
        + #""validFor":\#(logValid)},"logId":{"keyId":"\#(Base64.encode(try Self.identifier(key)))"}}"#
    }
    let chain = try [fulcio, root].map { #"{"rawBytes":"\#(Base64.encode(try $0.der))"}"# }.joined(separator: ",")
    return """
      {"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[\(try describe(log))],
       "certificateAuthorities":[{"certChain":{"certificates":[\(chain)]},"validFor":{"start":"2021-01-01T00:00:00Z"}}],
       "ctlogs":[\(try describe(certificateLog))]}
      """
  }

  func policy(
    identities: [ExactText] = [ExactText(Self.mail)], issuer: ExactText = ExactText(Self.issuer),
    logValid: String = #"{"start":"2021-01-01T00:00:00.5Z"}"#
  ) throws -> TrustPolicy {
    let root = try TrustedRoot(Array(trustedRoot(logValid: logValid).utf8))
    return TrustPolicy(keyless: KeylessTrust(root: root, identities: identities, issuer: issuer))
  }

  /// The bundle that the signer makes of all that.
  func bundle() throws -> TestBundle {
    var bundle = try TestBundle(statement, signer.key)
    var message: (digest: Digest256, signature: [UInt8])?
    if let file { message = (Digest256(of: file), try signer.key.sign(file)) }
    let pem = Base64.encode(Array(PEMBlock(label: "CERTIFICATE", der: try signer.der).text.utf8))
    var kind = "dsse"
    var body = """
      {"apiVersion":"0.0.1","kind":"dsse","spec":{"payloadHash":{"algorithm":"sha256","value":"\
      \(Digest256(of: bundle.payload))"},"signatures":[{"signature":"\(Base64.encode(bundle.signatures[0]))",\
      "verifier":"\(pem)"}]}}
      """
    if let message {
      kind = "hashedrekord"
      let signature = Base64.encode(message.signature)
      body = """
        {"apiVersion":"0.0.1","kind":"hashedrekord","spec":{"data":{"hash":{"algorithm":"sha256","value":"\
        \(message.digest)"}},"signature":{"content":"\(signature)","publicKey":{"content":"\(pem)"}}}}
        """
      bundle.content = """
        "messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":"\
        \(Base64.encode(message.digest.bytes))"},"signature":"\(signature)"}
        """
    }
    let entry = changeEntry(try self.entry(kind, Array(changeBody(body).utf8)))
    bundle.material = #""certificate":{"rawBytes":"\#(Base64.encode(try signer.der))"},"tlogEntries":[\#(entry)]"#
    return bundle
  }

  private func entry(_ kind: String, _ body: [UInt8]) throws -> String {
    let identifier = try Self.identifier(log)
    let promised = """
      {"body":"\(Base64.encode(body))","integratedTime":\(time),"logID":"\(Hexadecimal.text(identifier))","logIndex":77}
      """
    let promise = try logSigner.sign(Array(promised.utf8))
    // A tree in which the entry is the last of few.
    let leaves = (0..<otherLeaves).map { SHA256.hash(data: [0, UInt8($0)]) }.map { Array($0) }
    let tree = TestTree(leaves + [Array(SHA256.hash(data: [0] + body))])
    let size = otherLeaves + 1
    let note = "rekor.example.org - 1\n\(size)\n\(Base64.encode(tree.root))\n"
    let checkpoint = Base64.encode(identifier.prefix(4) + (try logSigner.sign(Array(note.utf8))))
    let hashes = tree.path(to: otherLeaves).map { "\"\(Base64.encode($0))\"" }.joined(separator: ",")
    let envelope = note.replacing("\n", with: "\\n") + "\\n\u{2014} rekor.example.org \(checkpoint)\\n"
    return """
      {"logIndex":"77","logId":{"keyId":"\(Base64.encode(identifier))"},\
      "kindVersion":{"kind":"\(kind)","version":"0.0.1"},"integratedTime":"\(time)",\
      "inclusionPromise":{"signedEntryTimestamp":"\(Base64.encode(promise))"},\
      "inclusionProof":{"logIndex":"\(otherLeaves)","rootHash":"\(Base64.encode(tree.root))","treeSize":"\(size)",\
      "hashes":[\(hashes)],"checkpoint":{"envelope":"\(envelope)"}},"canonicalizedBody":"\(Base64.encode(body))"}
      """
  }
}

/// A tree of hashes, by its definition (RFC 9162, section 2.1.1): slow and plain.
struct TestTree {
  let leaves: [[UInt8]]

  init(_ leaves: [[UInt8]]) { self.leaves = leaves }

  var root: [UInt8] { Self.root(leaves[...]) }

  private static func split(_ count: Int) -> Int {
    var power = 1
    while power * 2 < count { power *= 2 }
    return power
  }

  private static func root(_ leaves: ArraySlice<[UInt8]>) -> [UInt8] {
    guard leaves.count > 1, let first = leaves.indices.first else { return leaves.first ?? [] }
    let middle = first + split(leaves.count)
    return Array(SHA256.hash(data: [1] + root(leaves[..<middle]) + root(leaves[middle...])))
  }

  func path(to index: Int) -> [[UInt8]] { Self.path(to: index, leaves[...]) }

  private static func path(to index: Int, _ leaves: ArraySlice<[UInt8]>) -> [[UInt8]] {
    guard leaves.count > 1 else { return [] }
    let count = split(leaves.count)
    let middle = leaves.startIndex + count
    return index < count
      ? path(to: index, leaves[..<middle]) + [root(leaves[middle...])]
      : path(to: index - count, leaves[middle...]) + [root(leaves[..<middle])]
  }
}
