// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftASN1
@_spi(FixedExpiryValidationTime) import X509

/// The way from a signer's certificate up to an anchor.
enum CertificateChain {
  /// Certificates between the signer's and the anchor. Searching for a way takes factorial time in the worst case: with
  /// five that is 326 ways.
  static let intermediatesMax = 5

  /// The certificates from `leaf` to one of `anchors`, all valid at `time` (seconds since 1970), or nothing.
  static func find(
    from leaf: SignerCertificate, through intermediates: [SignerCertificate], to anchors: [SignerCertificate],
    at time: Int64
  ) async -> [Certificate]? {
    var verifier = Verifier(rootCertificates: CertificateStore(anchors.map(\.certificate))) {
      RFC5280Policy(fixedExpiryValidationTime: Date(timeIntervalSince1970: TimeInterval(time)))
      SigningPolicy()
    }
    let store = CertificateStore(intermediates.map(\.certificate))
    guard case .validCertificate(let chain) = await verifier.validate(leaf: leaf.certificate, intermediates: store)
    else { return nil }
    return Array(chain)
  }

  /// Whether the signer's certificate is for signatures: model-signing asks for either usage, Sigstore for the latter.
  static func maySign(_ leaf: SignerCertificate, isKeyless: Bool) -> Bool {
    let extensions = leaf.certificate.extensions
    let usage = try? extensions.keyUsage
    let extendedUsage = try? extensions.extendedKeyUsage
    let isForCode = extendedUsage?.contains(.codeSigning) ?? false
    return isKeyless ? isForCode : isForCode || usage?.digitalSignature ?? false
  }
}

/// What the policy of RFC 5280 leaves out: that authorities may issue. Whether the leaf may sign is asked before, so that
/// it has a reason of its own.
private struct SigningPolicy: VerifierPolicy {
  /// Names and usages are looked at by whoever asks for the chain.
  let verifyingCriticalExtensions: [ASN1ObjectIdentifier] = [
    .X509ExtensionID.subjectAlternativeName, .X509ExtensionID.extendedKeyUsage, .X509ExtensionID.keyUsage,
  ]

  func chainMeetsPolicyRequirements(chain: UnverifiedCertificateChain) -> PolicyEvaluationResult {
    for authority in chain.dropFirst() {
      do {
        guard let usage = try authority.extensions.keyUsage else { continue }
        guard usage.keyCertSign else { return .failsToMeetPolicy(reason: "an issuer may not issue") }
      } catch {
        return .failsToMeetPolicy(reason: "an issuer's usage cannot be read")
      }
    }
    return .meetsPolicy
  }
}
