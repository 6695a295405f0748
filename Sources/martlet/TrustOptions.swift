// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import MartletSignatures

/// Whom `martlet verify` trusts: one kind of signer at a time.
struct TrustOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("A public key of the signer, as PEM. Give it again for more.", valueName: "pem"),
    completion: .file(extensions: ["pem", "pub"]))
  var key: [String] = []

  @Option(
    help: ArgumentHelp(
      "An authority whose certificates sign, as PEM; every certificate in the file is an anchor. Give it again for "
        + "more.", valueName: "pem"),
    completion: .file(extensions: ["pem", "crt"]))
  var ca: [String] = []

  @Option(
    help: ArgumentHelp("Sigstore's authorities and logs, pinned: a trusted_root.json.", valueName: "json"),
    completion: .file(extensions: ["json"]))
  var trustedRoot: String?

  @Option(
    help: ArgumentHelp(
      "Who signed: a mail address, URI or host of the certificate, with --ca also its subject or 'sha256:' and the "
        + "digest of its key. Give it again for more; without any, --ca accepts all whom the authority certified.",
      valueName: "san"))
  var identity: [String] = []

  @Option(help: ArgumentHelp("Who vouched for the identity: the URL of an OpenID Connect issuer.", valueName: "url"))
  var issuer: String?

  @Option(help: "When certificates of --ca must be valid: when they began to sign, or now.")
  var validAt: ValidAt?

  @Option(
    help: ArgumentHelp(
      "Trust this signer or digest no more: \(Revocations.forms). Digits are those of a key, a file or a model. Give it "
        + "again for more.", valueName: "name"),
    transform: TrustOptions.revocations)
  var revoked: [Revocations] = []

  enum ValidAt: String, ExpressibleByArgument, CaseIterable {
    case signing, now
  }

  /// Whether no signer is named.
  var isEmpty: Bool { key.isEmpty && ca.isEmpty && trustedRoot == nil }

  func validate() throws {
    guard [!key.isEmpty, !ca.isEmpty, trustedRoot != nil].count(where: { $0 }) <= 1 else {
      throw ValidationError("trust --key, --ca or --trusted-root: one of them")
    }
    guard trustedRoot == nil || !identity.isEmpty && issuer != nil else {
      throw ValidationError("--trusted-root needs --identity and --issuer: anybody can get a certificate there")
    }
    guard identity.isEmpty || !ca.isEmpty || trustedRoot != nil else {
      throw ValidationError("--identity goes with --ca or --trusted-root")
    }
    guard issuer == nil || trustedRoot != nil else { throw ValidationError("--issuer goes with --trusted-root") }
    guard validAt == nil || !ca.isEmpty else { throw ValidationError("--valid-at goes with --ca") }
  }

  /// What the options say, with the files that they name.
  func policy() throws(Refusal) -> TrustPolicy {
    var policy = TrustPolicy()
    for path in key {
      policy.keys += try VerificationKey.read(pem: try Self.read(path))
    }
    if !ca.isEmpty {
      var anchors: [SignerCertificate] = []
      for path in ca { anchors += try SignerCertificate.read(pem: try Self.read(path)) }
      policy.authorities = AuthorityTrust(
        anchors: anchors, identities: identity.map(ExactText.init), time: validAt == .now ? .at(Self.now) : .signing)
    }
    if let trustedRoot, let issuer {
      let root = try TrustedRoot(try Self.read(trustedRoot))
      policy.keyless = KeylessTrust(root: root, identities: identity.map(ExactText.init), issuer: ExactText(issuer))
    }
    for one in revoked { policy.revocations.formUnion(one) }
    return policy
  }

  /// What is trusted no more, by the name of a signer or a digest.
  static func revocations(_ name: String) throws -> Revocations {
    guard let revocations = Revocations(name) else { throw ValidationError("take \(Revocations.forms)") }
    return revocations
  }

  static func read(_ path: String) throws(Refusal) -> [UInt8] {
    try InputFile.read(path, bytesMax: TrustedRoot.bytesMax, tooLarge: .inputUnreadable)
  }

  /// Seconds since 1970.
  static var now: Int64 { Int64(time(nil)) }
}
