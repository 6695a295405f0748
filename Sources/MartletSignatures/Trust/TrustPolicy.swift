// SPDX-License-Identifier: Apache-2.0

/// Whom the operator trusts. Nothing is trusted that is not named here: not the system's authorities, and no key or
/// certificate because a bundle brings it.
public struct TrustPolicy: Sendable {
  /// Keys that sign by themselves.
  public var keys: [VerificationKey]
  /// Authorities whose certificates sign.
  public var authorities: AuthorityTrust?
  /// Sigstore's way: short-lived certificates and a log.
  public var keyless: KeylessTrust?
  /// What is not trusted any more, whoever signed it.
  public var revocations: Revocations

  /// A policy of these parts.
  public init(
    keys: [VerificationKey] = [], authorities: AuthorityTrust? = nil, keyless: KeylessTrust? = nil,
    revocations: Revocations = Revocations()
  ) {
    self.keys = keys
    self.authorities = authorities
    self.keyless = keyless
    self.revocations = revocations
  }
}

/// Trust in certificates below an authority of one's own.
public struct AuthorityTrust: Sendable {
  /// When certificates have to be valid.
  public enum ValidityTime: Hashable, Sendable {
    /// When the signer's certificate began, as model-signing has it: a signature never expires. Such bundles carry no
    /// time that anyone vouches for: a key that leaks later can back-date. Revocation is the remedy.
    case signing
    /// At this time, in seconds since 1970: the specification's words.
    case at(Int64)
  }

  /// The authorities; each is trusted as it is, whoever issued it.
  public var anchors: [SignerCertificate]
  /// Who of those below the authorities is meant. Empty means all of them, which is seldom what one wants.
  public var identities: [ExactText]
  /// When the certificates have to be valid.
  public var time: ValidityTime

  /// Trust in these anchors. An identity is a subject alternative name (mail address, URI or host), the whole subject as
  /// RFC 4514 writes it, or `sha256:` and the digest of the signer's SubjectPublicKeyInfo.
  public init(anchors: [SignerCertificate], identities: [ExactText], time: ValidityTime = .signing) {
    self.anchors = anchors
    self.identities = identities
    self.time = time
  }
}

/// Trust in Sigstore's keyless signatures.
public struct KeylessTrust: Sendable {
  /// Authorities and logs.
  public var root: TrustedRoot
  /// Mail addresses or URIs of signers; one of them must be the certificate's. Compared whole.
  public var identities: [ExactText]
  /// Who vouched for the identity: the URL of an OpenID Connect issuer. Compared whole.
  public var issuer: ExactText

  /// Trust in these identities of this issuer.
  public init(root: TrustedRoot, identities: [ExactText], issuer: ExactText) {
    self.root = root
    self.identities = identities
    self.issuer = issuer
  }
}

/// Who signed.
public struct Signer: Hashable, Sendable {
  /// `key:<hint>`, `cert:<identity>#<issuer>`, `sigstore:<identity>#<issuer>`, or `allowlist:<name>` for a list of
  /// checksums that the operator keeps.
  public let name: ExactText
  /// SHA-256 of the SubjectPublicKeyInfo; none for a list that nobody signed.
  public let keyFingerprint: Digest256?
  /// The last second since 1970 at which the signer's certificate is valid; none for bare keys, which never expire.
  public let validUntil: Int64?
  /// Seconds since 1970 at which a log saw the signature; none where nobody vouches for a time.
  public let signedAt: Int64?

  init(name: ExactText, keyFingerprint: Digest256?, validUntil: Int64? = nil, signedAt: Int64? = nil) {
    self.name = name
    self.keyFingerprint = keyFingerprint
    self.validUntil = validUntil
    self.signedAt = signedAt
  }

  /// Whether the certificate is over at a time, in seconds since 1970: `model.signer_expired`.
  public func isExpired(at time: Int64) -> Bool { validUntil.map { $0 < time } ?? false }
}
