// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftASN1
import X509

/// An X.509 certificate.
public struct SignerCertificate: Hashable, Sendable {
  /// Larger ones are refused before anything parses them.
  static let bytesMax = 64 << 10

  let certificate: Certificate
  /// As it was given: what logs quote.
  let der: [UInt8]

  init(der: [UInt8]) throws(Refusal) {
    guard der.count <= Self.bytesMax else { throw Refusal(.certificateMalformed, "larger than \(Self.bytesMax) bytes") }
    guard let certificate = try? Certificate(derEncoded: der) else { throw Refusal(.certificateMalformed) }
    self.certificate = certificate
    self.der = der
  }

  /// The certificates in a PEM file.
  public static func read(pem bytes: [UInt8]) throws(Refusal) -> [SignerCertificate] {
    var certificates: [SignerCertificate] = []
    for block in try PEMBlock.read(bytes) where block.label == "CERTIFICATE" {
      certificates.append(try SignerCertificate(der: block.der))
    }
    guard !certificates.isEmpty else { throw Refusal(.anchorMissing) }
    return certificates
  }

  var key: VerificationKey {
    get throws(Refusal) { try VerificationKey(der: keyDER) }
  }

  private var keyDER: [UInt8] { Self.keyDER(of: certificate) }

  /// A certificate's SubjectPublicKeyInfo. (`subjectPublicKeyInfoBytes` is the key alone, whatever it is called.)
  static func keyDER(of certificate: Certificate) -> [UInt8] {
    var serializer = DER.Serializer()
    // Only text that is no text fails to serialise; an empty key is nobody's.
    guard (try? serializer.serialize(certificate.publicKey)) != nil else { return [] }
    return serializer.serializedBytes
  }

  /// Seconds since 1970.
  var notBefore: Int64 { Int64(certificate.notValidBefore.timeIntervalSince1970) }
  /// Seconds since 1970; the last that is valid.
  var notAfter: Int64 { Int64(certificate.notValidAfter.timeIntervalSince1970) }

  func isValid(at time: Int64) -> Bool { notBefore <= time && time <= notAfter }

  /// The subject as RFC 4514 writes it.
  var subject: ExactText { ExactText(certificate.subject.description) }
  /// The issuer as RFC 4514 writes it.
  var issuer: ExactText { ExactText(certificate.issuer.description) }

  /// Mail addresses, URIs and hosts of the subject alternative names.
  var alternativeNames: [ExactText] {
    guard let names = try? certificate.extensions.subjectAlternativeNames else { return [] }
    return names.compactMap { name in
      switch name {
      case .rfc822Name(let text), .uniformResourceIdentifier(let text), .dnsName(let text): ExactText(text)
      default: nil
      }
    }
  }

  /// The value of an extension, without its wrapping.
  func value(of identifier: ASN1ObjectIdentifier) -> [UInt8]? {
    certificate.extensions[oid: identifier].map { Array($0.value) }
  }
}
