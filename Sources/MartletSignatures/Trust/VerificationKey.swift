// SPDX-License-Identifier: Apache-2.0

import Crypto
import FoundationEssentials

/// A public key that checks signatures: ECDSA on one of three curves, with the hash that belongs to the curve.
public struct VerificationKey: Hashable, Sendable {
  private enum Curve: Sendable {
    case p256(P256.Signing.PublicKey)
    case p384(P384.Signing.PublicKey)
    case p521(P521.Signing.PublicKey)
  }

  private let curve: Curve
  /// SubjectPublicKeyInfo in DER.
  let der: [UInt8]

  /// A key from its SubjectPublicKeyInfo.
  init(der: [UInt8]) throws(Refusal) {
    if let key = try? P256.Signing.PublicKey(derRepresentation: der) {
      (curve, self.der) = (.p256(key), Array(key.derRepresentation))
    } else if let key = try? P384.Signing.PublicKey(derRepresentation: der) {
      (curve, self.der) = (.p384(key), Array(key.derRepresentation))
    } else if let key = try? P521.Signing.PublicKey(derRepresentation: der) {
      (curve, self.der) = (.p521(key), Array(key.derRepresentation))
    } else {
      throw Refusal(.keyType)
    }
  }

  /// The keys in a PEM file: its blocks named `PUBLIC KEY`.
  public static func read(pem bytes: [UInt8]) throws(Refusal) -> [VerificationKey] {
    let blocks = try PEMBlock.read(bytes)
    var keys: [VerificationKey] = []
    for block in blocks where block.label == "PUBLIC KEY" { keys.append(try VerificationKey(der: block.der)) }
    guard !keys.isEmpty else {
      throw Refusal(.keyMissing, blocks.isEmpty ? nil : "it holds '\(blocks[0].label)'")
    }
    return keys
  }

  /// The key as PEM with a line feed at its end: the text whose digest names it in bundles.
  var pem: String { PEMBlock(label: "PUBLIC KEY", der: der).text }

  /// What model-signing and the signer's name call this key: SHA-256 of its PEM, in hexadecimal.
  public var hint: String { Digest256(of: pem.utf8).description }

  /// SHA-256 of the SubjectPublicKeyInfo: how logs and identities name a key.
  public var fingerprint: Digest256 { Digest256(of: der) }

  /// Whether a bundle's hint means this key: model-signing's spelling, or cosign's.
  func isMeant(by hint: ExactText) -> Bool {
    hint == ExactText(self.hint) || hint == ExactText(Base64.encode(fingerprint.bytes))
  }

  /// Whether `signature`, in DER, is this key's over `message` hashed as the curve wants it.
  func isValid(_ signature: [UInt8], for message: [UInt8]) -> Bool {
    switch curve {
    case .p256: isValid(signature, forDigest: SHA256.hash(data: message))
    case .p384: isValid(signature, forDigest: SHA384.hash(data: message))
    case .p521: isValid(signature, forDigest: SHA512.hash(data: message))
    }
  }

  /// Whether `signature`, in DER, is this key's over something with this digest.
  func isValid(_ signature: [UInt8], for digest: Digest256) -> Bool {
    isValid(signature, forDigest: GivenDigest(digest: digest))
  }

  /// Whether `signature`, in DER, is this key's over SHA-256 of `message`, as logs sign whatever their curve.
  func isValidWithSHA256(_ signature: [UInt8], for message: [UInt8]) -> Bool {
    isValid(signature, forDigest: SHA256.hash(data: message))
  }

  private func isValid(_ signature: [UInt8], forDigest digest: some Digest) -> Bool {
    switch curve {
    case .p256(let key):
      (try? P256.Signing.ECDSASignature(derRepresentation: signature)).map { key.isValidSignature($0, for: digest) }
        ?? false
    case .p384(let key):
      (try? P384.Signing.ECDSASignature(derRepresentation: signature)).map { key.isValidSignature($0, for: digest) }
        ?? false
    case .p521(let key):
      (try? P521.Signing.ECDSASignature(derRepresentation: signature)).map { key.isValidSignature($0, for: digest) }
        ?? false
    }
  }

  /// Keys are equal when their encodings are.
  public static func == (left: VerificationKey, right: VerificationKey) -> Bool { left.der == right.der }

  /// By the encoding.
  public func hash(into hasher: inout Hasher) { hasher.combine(der) }
}
