// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import SwiftASN1
import X509

@testable import MartletSignatures

/// A certificate with its key, that may issue others.
struct TestAuthority {
  let key: TestKey
  let certificate: Certificate

  /// Seconds since 1970 around which everything is valid: a fixed time, long ago.
  static let time: Int64 = 1_700_000_000

  var der: [UInt8] {
    get throws {
      var serializer = DER.Serializer()
      try serializer.serialize(certificate)
      return serializer.serializedBytes
    }
  }

  var given: SignerCertificate { get throws { try SignerCertificate(der: der) } }

  static func root(_ name: String = "Root", curve: String = "P-256") throws -> TestAuthority {
    let key = TestKey.new(curve)
    return try TestAuthority(
      key: key,
      certificate: make(name, key, issuer: (name, key), days: -1000...4000, Self.authorityExtensions()))
  }

  static func authorityExtensions(_ usage: KeyUsage = KeyUsage(keyCertSign: true)) throws -> Certificate.Extensions {
    try Certificate.Extensions {
      Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
      Critical(usage)
    }
  }

  static func leafExtensions(
    _ usage: KeyUsage = KeyUsage(digitalSignature: true), _ extended: ExtendedKeyUsage.Usage? = nil,
    mail: String? = "signer@example.org"
  ) throws -> Certificate.Extensions {
    try Certificate.Extensions {
      Critical(usage)
      if let extended { try ExtendedKeyUsage([extended]) }
      if let mail { Critical(SubjectAlternativeNames([.rfc822Name(mail)])) }
    }
  }

  func issue(
    _ name: String, curve: String = "P-256", days: ClosedRange<Int64> = -10...10, _ extensions: Certificate.Extensions
  ) throws -> TestAuthority {
    let key = TestKey.new(curve)
    let issuer = certificate.subject.first?.first.map { "\($0.value)" } ?? ""
    return try TestAuthority(
      key: key, certificate: Self.make(name, key, issuer: (issuer, self.key), days: days, extensions))
  }

  static func make(
    _ name: String, _ key: TestKey, issuer: (name: String, key: TestKey), days: ClosedRange<Int64>,
    _ extensions: Certificate.Extensions, serial: Int64 = .random(in: 1...(.max))
  ) throws -> Certificate {
    let date = { (day: Int64) in Date(timeIntervalSince1970: TimeInterval(time + day * 86_400)) }
    return try Certificate(
      version: .v3, serialNumber: Certificate.SerialNumber(serial), publicKey: key.certificateKey.publicKey,
      notValidBefore: date(days.lowerBound), notValidAfter: date(days.upperBound),
      issuer: DistinguishedName { CommonName(issuer.name) },
      subject: name.isEmpty ? DistinguishedName() : DistinguishedName { CommonName(name) },
      signatureAlgorithm: issuer.key.signatureAlgorithm,
      extensions: extensions, issuerPrivateKey: issuer.key.certificateKey)
  }

  /// The material of a bundle that `chain`'s first signed.
  static func material(_ chain: [TestAuthority]) throws -> String {
    let list = try chain.map { #"{"rawBytes":"\#(Base64.encode(try $0.der))"}"# }.joined(separator: ",")
    return #""x509CertificateChain":{"certificates":[\#(list)]}"#
  }
}

extension TestKey {
  var signatureAlgorithm: Certificate.SignatureAlgorithm {
    switch self {
    case .p256: .ecdsaWithSHA256
    case .p384: .ecdsaWithSHA384
    case .p521: .ecdsaWithSHA512
    }
  }
}
