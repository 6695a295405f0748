// SPDX-License-Identifier: Apache-2.0

import SwiftASN1

/// The checks of a keyless signature, without any network: the certificate lived ten minutes, so a log must say that the
/// signature was made in them.
extension KeylessTrust {
  /// Who signed the bundle with this certificate, as its one log entry proves.
  func signer(
    of bundle: SignatureBundle, _ leaf: SignerCertificate, _ entries: [JSONValue]
  ) async throws(Refusal) -> Signer {
    guard entries.count == 1 else { throw Refusal(.logEntryCount, "\(entries.count)") }
    let entry = try LogEntry(entries[0])
    guard !entry.isVersion2 else { throw Refusal(.rekorV2) }
    guard let log = root.signatureLog(entry.logIdentifier) else {
      throw Refusal(.logUnknown, Base64.encode(entry.logIdentifier))
    }
    guard let logKey = log.key else { throw Refusal(.rekorV2) }

    try entry.checkPromise(logKey)
    guard leaf.isValid(at: entry.integratedTime), log.validity.contains(entry.integratedTime) else {
      throw Refusal(.logTimeOutside, "\(entry.integratedTime)")
    }
    let issuing = try await issuer(of: leaf, at: entry.integratedTime)
    guard CertificateChain.maySign(leaf, isKeyless: true) else { throw Refusal(.certificateUsage) }
    try CertificateTimestamp.check(leaf, issuerKey: issuing, root.certificateLogs)
    let identity = try identity(of: leaf)
    try entry.checkInclusion(log.identifier, logKey)

    let key = try leaf.key
    guard bundle.isSigned(by: key) else { throw Refusal(.signatureInvalid) }
    try entry.checkBody(of: bundle, leaf)
    return Signer(
      name: ExactText("sigstore:\(identity)#\(issuer)"), keyFingerprint: key.fingerprint, validUntil: leaf.notAfter,
      signedAt: entry.integratedTime)
  }

  /// The key of the authority that issued the certificate, in DER, once the way to an anchor is found.
  private func issuer(of leaf: SignerCertificate, at time: Int64) async throws(Refusal) -> [UInt8] {
    let valid = root.authorities.filter { $0.validity.contains(time) }
    let intermediates = valid.flatMap(\.intermediates)
    let chain = await CertificateChain.find(from: leaf, through: intermediates, to: valid.map(\.anchor), at: time)
    guard let chain, chain.count > 1 else { throw Refusal(.chainUntrusted, "\(leaf.issuer)") }
    return SignerCertificate.keyDER(of: chain[1])
  }

  /// Whose the certificate is: one of the identities asked for, vouched for by the issuer asked for.
  private func identity(of leaf: SignerCertificate) throws(Refusal) -> ExactText {
    let names = leaf.alternativeNames
    guard let name = names.first(where: identities.contains) else {
      throw Refusal(.identityMismatch, "'\(names.first ?? "")'")
    }
    let voucher = Self.voucher(of: leaf)
    guard voucher == issuer else { throw Refusal(.issuerMismatch, voucher.map { "'\($0)'" }) }
    return name
  }

  /// Who vouched, from Fulcio's extension: as DER, or in older certificates the bare text.
  private static func voucher(of leaf: SignerCertificate) -> ExactText? {
    if let value = leaf.value(of: [1, 3, 6, 1, 4, 1, 57264, 1, 8]) {
      return (try? ASN1UTF8String(derEncoded: value)).map { ExactText($0.bytes) }
    }
    return leaf.value(of: [1, 3, 6, 1, 4, 1, 57264, 1, 1]).map { ExactText($0) }
  }
}
