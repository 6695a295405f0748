// SPDX-License-Identifier: Apache-2.0

/// Why something is not verified: one reason, and what it was found at.
public struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
  /// The reason, for programs.
  public let reason: Reason
  /// What the reason was found at; may hold text of whoever made the signature, so it is escaped before it is shown.
  public let detail: String?

  static let detailCountMax = 240

  init(_ reason: Reason, _ detail: String? = nil) {
    self.reason = reason
    self.detail = detail.map { String($0.prefix(Self.detailCountMax)) }
  }

  /// One line for people.
  public var description: String { detail.map { "\(reason.explanation): \($0)" } ?? reason.explanation }

  /// What `model.state` says.
  public var state: ModelState { reason.state }
}

/// What is known about a model: `model.state`.
public enum ModelState: Hashable, Sendable, CustomStringConvertible {
  /// These bytes are the ones that a trusted signer published.
  case verified
  /// No signature that is trusted names it.
  case unsigned
  /// A signature names it, with other bytes; or files of the model are missing.
  case digestMismatch
  /// The signature may be right, but nobody whom the configuration trusts made it.
  case untrustedSigner
  /// The signature, or what proves who made it, is wrong.
  case badSignature
  /// The signer's certificate is not valid at the time that the policy asks for.
  case expired
  /// The signer or the digest has been revoked.
  case revoked
  /// It changed while it was being looked at.
  case unstable
  /// Well known, and not supported.
  case unsupported(Refusal.Reason)
  /// Not readable: neither good nor bad.
  case error(Refusal.Reason)

  /// As rules and JSON spell it: `unsupported:rekor-v2`.
  public var description: String {
    switch self {
    case .verified: "verified"
    case .unsigned: "unsigned"
    case .digestMismatch: "digest_mismatch"
    case .untrustedSigner: "untrusted_signer"
    case .badSignature: "bad_signature"
    case .expired: "expired"
    case .revoked: "revoked"
    case .unstable: "unstable"
    case .unsupported(let reason): "unsupported:\(reason.rawValue)"
    case .error(let reason): "error:\(reason.rawValue)"
    }
  }
}
