// SPDX-License-Identifier: Apache-2.0

/// A Sigstore bundle as it was read: nothing in it is believed yet.
public struct SignatureBundle: Sendable {
  /// Larger files are refused unread.
  public static let bytesMax = 16 << 20
  static let mediaType: ExactText = "application/vnd.dev.sigstore.bundle.v0.3+json"

  /// What is signed.
  enum Content: Sendable {
    /// A statement, in an envelope.
    case envelope(Envelope)
    /// A file, by its digest.
    case message(digest: Digest256, signature: [UInt8])
  }

  /// Who says to have signed it.
  enum Material: Sendable {
    case key(hint: ExactText?)
    /// The signer's certificate, then those above it.
    case chain([SignerCertificate])
    case keyless(SignerCertificate, [JSONValue])
  }

  let content: Content
  let material: Material

  /// The bundle that `bytes` spell.
  public init(_ bytes: [UInt8]) throws(Refusal) {
    guard bytes.count <= Self.bytesMax else { throw Refusal(.bundleTooLarge) }
    let json = try JSONReader.read(bytes)
    guard let mediaType = json["mediaType"]?.text else { throw Refusal(.fieldMissing, "mediaType") }
    guard mediaType == Self.mediaType else { throw Refusal(.mediaType, "'\(mediaType)'") }
    content = try Self.content(json)
    material = try Self.material(json)
  }

  /// Whether a signature file is meant to be a bundle: it begins as JSON does.
  public static func isLikely(_ bytes: [UInt8]) -> Bool {
    bytes.first { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 } == UInt8(ascii: "{")
  }

  private static func content(_ json: JSONValue) throws(Refusal) -> Content {
    switch (json["dsseEnvelope"], json["messageSignature"]) {
    case (let envelope?, nil): return .envelope(try Envelope(envelope))
    case (nil, let message?):
      let digest = message["messageDigest"]
      guard let algorithm = digest?["algorithm"]?.text else {
        throw Refusal(.fieldMissing, "messageSignature.messageDigest.algorithm")
      }
      guard algorithm == "SHA2_256" else { throw Refusal(.hashAlgorithm, "'\(algorithm)'") }
      guard let value = Digest256(try digest.bytes("digest")) else { throw Refusal(.fieldMissing, "digest") }
      return .message(digest: value, signature: try Optional(message).bytes("signature"))
    default: throw Refusal(.contentAmbiguous)
    }
  }

  private static func material(_ json: JSONValue) throws(Refusal) -> Material {
    guard let material = json["verificationMaterial"] else { throw Refusal(.fieldMissing, "verificationMaterial") }
    switch (material["publicKey"], material["x509CertificateChain"], material["certificate"]) {
    case (let key?, nil, nil):
      guard key.isObject else { throw Refusal(.fieldMissing, "publicKey") }
      guard let hint = key["hint"] else { return .key(hint: nil) }
      guard let text = hint.text else { throw Refusal(.fieldMissing, "publicKey.hint") }
      // Protocol buffers cannot tell an empty text from none.
      return .key(hint: text.bytes.isEmpty ? nil : text)
    case (nil, let chain?, nil):
      guard let certificates = chain["certificates"]?.elements else { throw Refusal(.fieldMissing, "certificates") }
      guard (1...(1 + CertificateChain.intermediatesMax)).contains(certificates.count) else {
        throw Refusal(.certificateCount, "\(certificates.count)")
      }
      return .chain(try certificates.map { json throws(Refusal) in try certificate(json) })
    case (nil, nil, let leaf?):
      let entries = material["tlogEntries"]
      guard let elements = entries == nil ? [] : entries?.elements else { throw Refusal(.fieldMissing, "tlogEntries") }
      return .keyless(try certificate(leaf), elements)
    default: throw Refusal(.methodAmbiguous)
    }
  }

  private static func certificate(_ json: JSONValue) throws(Refusal) -> SignerCertificate {
    try SignerCertificate(der: try Optional(json).bytes("rawBytes"))
  }
}

/// A DSSE envelope with its one signature.
struct Envelope: Sendable {
  static let payloadType: ExactText = "application/vnd.in-toto+json"

  /// The bytes that were signed, never written anew.
  let payload: [UInt8]
  let signature: [UInt8]

  fileprivate init(_ json: JSONValue) throws(Refusal) {
    guard let type = json["payloadType"]?.text else { throw Refusal(.fieldMissing, "payloadType") }
    guard type == Self.payloadType else { throw Refusal(.payloadType, "'\(type)'") }
    guard let signatures = json["signatures"]?.elements else { throw Refusal(.fieldMissing, "signatures") }
    guard signatures.count == 1 else { throw Refusal(.signatureCount, "\(signatures.count)") }
    payload = try Optional(json).bytes("payload")
    signature = try signatures.first.bytes("sig")
  }

  /// What is signed: type and payload with their lengths, so that neither can run into the other.
  var preAuthenticationEncoding: [UInt8] {
    let type = Self.payloadType
    return Array("DSSEv1 \(type.bytes.count) \(type) \(payload.count) ".utf8) + payload
  }
}

extension Optional where Wrapped == JSONValue {
  /// A member that is base 64.
  func bytes(_ key: ExactText) throws(Refusal) -> [UInt8] {
    guard let text = self?[key]?.text else { throw Refusal(.fieldMissing, "\(key)") }
    guard let bytes = Base64.decode(text.bytes) else { throw Refusal(.base64Malformed, "\(key)") }
    return bytes
  }
}
