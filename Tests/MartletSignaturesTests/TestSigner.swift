// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import X509

@testable import MartletSignatures

/// A private key of a test, of one of the three curves.
enum TestKey {
  case p256(P256.Signing.PrivateKey)
  case p384(P384.Signing.PrivateKey)
  case p521(P521.Signing.PrivateKey)

  static func new(_ curve: String = "P-256") -> TestKey {
    switch curve {
    case "P-384": .p384(P384.Signing.PrivateKey())
    case "P-521": .p521(P521.Signing.PrivateKey())
    default: .p256(P256.Signing.PrivateKey())
    }
  }

  /// With the hash of the curve.
  func sign(_ message: [UInt8]) throws -> [UInt8] {
    switch self {
    case .p256(let key): Array(try key.signature(for: message).derRepresentation)
    case .p384(let key): Array(try key.signature(for: message).derRepresentation)
    case .p521(let key): Array(try key.signature(for: message).derRepresentation)
    }
  }

  var pem: String {
    switch self {
    case .p256(let key): key.publicKey.pemRepresentation
    case .p384(let key): key.publicKey.pemRepresentation
    case .p521(let key): key.publicKey.pemRepresentation
    }
  }

  var publicKey: VerificationKey { get throws { try VerificationKey.read(pem: Array(pem.utf8))[0] } }

  var certificateKey: Certificate.PrivateKey {
    switch self {
    case .p256(let key): Certificate.PrivateKey(key)
    case .p384(let key): Certificate.PrivateKey(key)
    case .p521(let key): Certificate.PrivateKey(key)
    }
  }
}

/// What a statement says; the parts that a test changes.
struct TestStatement {
  var type = "https://in-toto.io/Statement/v1"
  var predicateType = "https://model_signing/signature/v1.0"
  var subjects = 1
  var root: String?
  var serialization = #"{"method":"files","hash_type":"sha256","allow_symlinks":false,"ignore_paths":[".git"]}"#
  /// Name, digest in hexadecimal, algorithm.
  var resources: [(name: String, digest: String, algorithm: String)]

  /// A statement about files with these contents.
  init(_ files: [(String, String)] = [("config.json", "{}"), ("sub/weights.bin", "weights")]) {
    resources = files.map { ($0.0, Digest256(of: $0.1.utf8).description, "sha256") }
  }

  var json: String {
    let bytes = resources.flatMap { Digest256(hexadecimal: $0.digest.utf8)?.bytes ?? [] }
    let root = root ?? Digest256(of: bytes).description
    let subject = #"{"name":"model","digest":{"sha256":"\#(root)"}}"#
    let list = resources.map { #"{"name":"\#($0.name)","digest":"\#($0.digest)","algorithm":"\#($0.algorithm)"}"# }
    return """
      {"_type":"\(type)","subject":[\(Array(repeating: subject, count: subjects).joined(separator: ","))],
       "predicateType":"\(predicateType)",
       "predicate":{"serialization":\(serialization),"resources":[\(list.joined(separator: ","))]}}
      """
  }
}

/// A bundle's text; the parts that a test changes.
struct TestBundle {
  var mediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"
  var payloadType = "application/vnd.in-toto+json"
  var payload: [UInt8]
  var signatures: [[UInt8]]
  var material: String
  /// Instead of the envelope.
  var content: String?
  var more = ""

  /// An envelope that `key` signed, with this material or the key's hint.
  init(_ statement: TestStatement, _ key: TestKey, material: String? = nil) throws {
    payload = Array(statement.json.utf8)
    signatures = [try key.sign(Self.encoding(payload))]
    self.material = try material ?? #""publicKey":{"hint":"\#(key.publicKey.hint)"},"tlogEntries":[]"#
  }

  static func encoding(_ payload: [UInt8], type: String = "application/vnd.in-toto+json") -> [UInt8] {
    Array("DSSEv1 \(type.utf8.count) \(type) \(payload.count) ".utf8) + payload
  }

  var bytes: [UInt8] {
    let list = signatures.map { #"{"sig":"\#(Base64.encode($0))","keyid":""}"# }.joined(separator: ",")
    let envelope =
      #""dsseEnvelope":{"payload":"\#(Base64.encode(payload))","payloadType":"\#(payloadType)","signatures":[\#(list)]}"#
    return Array(
      #"{"mediaType":"\#(mediaType)","verificationMaterial":{\#(material)},\#(content ?? envelope)\#(more)}"#.utf8)
  }

  /// Why the bundle is refused; nothing where it is verified.
  func refusal(_ policy: TrustPolicy) async -> Refusal.Reason? {
    await Self.refusal(bytes, policy)
  }

  static func refusal(_ bytes: [UInt8], _ policy: TrustPolicy) async -> Refusal.Reason? {
    do throws(Refusal) {
      _ = try await SignatureBundle(bytes).verify(trusting: policy)
      return nil
    } catch {
      return error.reason
    }
  }
}
