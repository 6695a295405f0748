// SPDX-License-Identifier: Apache-2.0

/// What a bundle says, once it is known that a trusted signer said it.
public struct VerifiedBundle: Sendable {
  /// The kinds of signatures.
  public enum Method: String, Sendable {
    /// OpenSSF Model Signing.
    case modelSigning = "oms"
    /// A single file, signed as cosign does.
    case cosign
    /// A list of checksums.
    case manifest
  }

  /// Who signed.
  public let signer: Signer
  /// How.
  public let method: Method
  /// What.
  public let model: SignedModel

  init(signer: Signer, method: Method, model: SignedModel) {
    self.signer = signer
    self.method = method
    self.model = model
  }
}

extension SignatureBundle {
  /// Checks who signed, and reads what was signed.
  ///
  /// Nothing of the content is parsed before its signature holds. Touches no network, no file and no clock.
  public func verify(trusting policy: TrustPolicy) async throws(Refusal) -> VerifiedBundle {
    let signer = try await signer(policy)
    guard !policy.revocations.contains(signer) else { throw Refusal(.signerRevoked, "\(signer.name)") }
    let verified = try verified(by: signer)
    try policy.revocations.check(verified.model)
    return verified
  }

  /// What the bundle says, whoever made it: to tell why a file is not verified, never that it is. Nil where it says
  /// nothing that can be read.
  public var claim: SignedModel? {
    switch content {
    case .envelope(let envelope): try? StatementReader.read(envelope.payload)
    case .message(let digest, _): SignedModel(file: digest)
    }
  }

  private func signer(_ policy: TrustPolicy) async throws(Refusal) -> Signer {
    switch material {
    case .key(let hint): return try key(hint: hint, policy.keys)
    case .chain(let certificates):
      guard let authorities = policy.authorities else { throw Refusal(.methodNotTrusted, "a certificate") }
      return try await authorities.signer(of: self, certificates)
    case .keyless(let leaf, let entries):
      guard let keyless = policy.keyless else { throw Refusal(.methodNotTrusted, "keyless") }
      return try await keyless.signer(of: self, leaf, entries)
    }
  }

  private func key(hint: ExactText?, _ keys: [VerificationKey]) throws(Refusal) -> Signer {
    guard !keys.isEmpty else { throw Refusal(.methodNotTrusted, "a key") }
    let candidates = keys.filter { key in hint.map { key.isMeant(by: $0) } ?? true }
    guard !candidates.isEmpty else { throw Refusal(.keyUnknown, hint.map { "'\($0)'" }) }
    guard let key = candidates.first(where: { isSigned(by: $0) }) else { throw Refusal(.signatureInvalid) }
    return Signer(key: key)
  }

  /// Whether the signature over the content is this key's.
  func isSigned(by key: VerificationKey) -> Bool {
    switch content {
    case .envelope(let envelope): key.isValid(envelope.signature, for: envelope.preAuthenticationEncoding)
    case .message(let digest, let signature): key.isValid(signature, for: digest)
    }
  }

  private func verified(by signer: Signer) throws(Refusal) -> VerifiedBundle {
    switch content {
    case .envelope(let envelope):
      let model = try StatementReader.read(envelope.payload)
      return VerifiedBundle(signer: signer, method: .modelSigning, model: model)
    case .message(let digest, _):
      return VerifiedBundle(signer: signer, method: .cosign, model: SignedModel(file: digest))
    }
  }
}

extension Signer {
  init(key: VerificationKey) {
    self.init(name: ExactText("key:\(key.hint)"), keyFingerprint: key.fingerprint)
  }
}

extension SignedModel {
  /// One file without a name of its own.
  init(file digest: Digest256) {
    self.init(
      name: "", rootDigest: nil, resources: [Resource(name: ".", digest: .whole(digest))], ignoredPaths: [],
      allowsSymbolicLinks: false)
  }
}

extension Revocations {
  /// Refuses a model that is revoked, whole or in one of its files.
  func check(_ model: SignedModel) throws(Refusal) {
    guard !digests.isEmpty else { return }
    if let root = model.rootDigest, digests.contains(root) { throw Refusal(.digestRevoked, "\(root)") }
    for (digest, name) in model.wholeDigests where digests.contains(digest) {
      throw Refusal(.digestRevoked, "\(digest) of '\(name)'")
    }
  }
}

extension AuthorityTrust {
  /// Who signed the bundle with the first of these certificates.
  func signer(of bundle: SignatureBundle, _ certificates: [SignerCertificate]) async throws(Refusal) -> Signer {
    let leaf = certificates[0]
    let above = Array(certificates.dropFirst())
    let key = try leaf.key
    let moment: Int64 =
      switch time {
      case .signing: leaf.notBefore
      case .at(let moment): moment
      }
    if await CertificateChain.find(from: leaf, through: above, to: anchors, at: moment) == nil {
      let wasValid = await CertificateChain.find(from: leaf, through: above, to: anchors, at: leaf.notBefore) != nil
      throw Refusal(wasValid ? .certificateExpired : .chainUntrusted, "\(leaf.subject)")
    }
    guard CertificateChain.maySign(leaf, isKeyless: false) else { throw Refusal(.certificateUsage) }
    let names = leaf.alternativeNames + [leaf.subject]
    let known = names + [ExactText("sha256:\(key.fingerprint)")]
    guard identities.isEmpty || known.contains(where: identities.contains) else {
      throw Refusal(.identityMismatch, "'\(names[0])'")
    }
    guard bundle.isSigned(by: key) else { throw Refusal(.signatureInvalid) }
    let shown = known.first(where: identities.contains) ?? names[0]
    return Signer(
      name: ExactText("cert:\(shown)#\(leaf.issuer)"), keyFingerprint: key.fingerprint, validUntil: leaf.notAfter)
  }
}
