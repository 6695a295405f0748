// SPDX-License-Identifier: Apache-2.0

/// A signature in a file of its own, over SHA-256 of a file: what `cosign sign-blob` and `openssl dgst -sign` write.
public struct DetachedSignature: Sendable {
  /// Larger files hold something else.
  public static let bytesMax = 4096

  private let signature: [UInt8]

  /// Base 64 of a DER signature, or the signature itself.
  public init(_ bytes: [UInt8]) throws(Refusal) {
    guard bytes.count <= Self.bytesMax else { throw Refusal(.bundleTooLarge, "no detached signature") }
    if bytes.first == 0x30 {
      signature = bytes
    } else {
      let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
      let text = bytes.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
      guard let decoded = Base64.decode(Array(text)), decoded.first == 0x30 else { throw Refusal(.base64Malformed) }
      signature = decoded
    }
  }

  /// Checks the signature over a file with this digest. Only keys sign so.
  public func verify(_ digest: Digest256, trusting policy: TrustPolicy) throws(Refusal) -> VerifiedBundle {
    guard !policy.keys.isEmpty else { throw Refusal(.methodNotTrusted, "a key") }
    guard let key = policy.keys.first(where: { $0.isValid(signature, for: digest) }) else {
      throw Refusal(.signatureInvalid)
    }
    let signer = Signer(key: key)
    guard !policy.revocations.contains(signer) else { throw Refusal(.signerRevoked, "\(signer.name)") }
    let model = SignedModel(file: digest)
    try policy.revocations.check(model)
    return VerifiedBundle(signer: signer, method: .cosign, model: model)
  }
}
