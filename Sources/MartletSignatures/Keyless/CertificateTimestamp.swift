// SPDX-License-Identifier: Apache-2.0

import SwiftASN1
import X509

/// A log's word, inside a certificate, that it saw the certificate before it was issued (RFC 6962, section 3.2).
struct CertificateTimestamp {
  static let listIdentifier: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 11129, 2, 4, 2]
  static let countMax = 8

  private let log: [UInt8]
  private let milliseconds: [UInt8]
  private let extensions: [UInt8]
  private let signature: [UInt8]

  /// One of the certificate's timestamps is by one of `logs`.
  static func check(_ leaf: SignerCertificate, issuerKey: [UInt8], _ logs: [TrustedRoot.Log]) throws(Refusal) {
    guard let value = leaf.value(of: listIdentifier), let list = try? ASN1OctetString(derEncoded: value) else {
      throw Refusal(.timestampMissing)
    }
    guard let timestamps = read(list.bytes), let body = Precertificate.body(of: leaf) else {
      throw Refusal(.timestampInvalid, "not readable")
    }
    let issuer = Digest256(of: issuerKey)
    let isSeen = timestamps.contains { timestamp in
      logs.contains { timestamp.isSigned(by: $0, body: body, issuer: issuer) }
    }
    guard isSeen else { throw Refusal(.timestampInvalid) }
  }

  private func isSigned(by trusted: TrustedRoot.Log, body: [UInt8], issuer: Digest256) -> Bool {
    let seconds = milliseconds.reduce(0) { $0 << 8 | UInt64($1) } / 1000
    guard trusted.identifier == log, let key = trusted.key, let time = Int64(exactly: seconds),
      trusted.validity.contains(time)
    else { return false }
    // Version 1, a timestamp, of a precertificate.
    let signed =
      [0, 0] + milliseconds + [0, 1] + issuer.bytes + Precertificate.length(body.count, byteCount: 3) + body
      + Precertificate.length(extensions.count, byteCount: 2) + extensions
    return key.isValidWithSHA256(signature, for: signed)
  }

  /// The list as TLS encodes it: lengths in front, all of it used.
  private static func read(_ bytes: ArraySlice<UInt8>) -> [CertificateTimestamp]? {
    var outer = ByteCursor(bytes)
    guard var list = outer.vector(lengthBytes: 2).map({ ByteCursor($0) }), outer.isAtEnd else { return nil }
    var timestamps: [CertificateTimestamp] = []
    while !list.isAtEnd {
      guard timestamps.count < countMax, let entry = list.vector(lengthBytes: 2) else { return nil }
      var cursor = ByteCursor(entry)
      guard cursor.take(1) == [0], let log = cursor.take(32), let milliseconds = cursor.take(8),
        let extensions = cursor.vector(lengthBytes: 2),
        // SHA-256 with ECDSA, as every log that Sigstore ran.
        cursor.take(2) == [4, 3], let signature = cursor.vector(lengthBytes: 2), cursor.isAtEnd
      else { return nil }
      timestamps.append(
        CertificateTimestamp(
          log: Array(log), milliseconds: Array(milliseconds), extensions: Array(extensions),
          signature: Array(signature)))
    }
    return timestamps
  }
}

/// Takes bytes from the front.
private struct ByteCursor {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
    guard rest.count >= count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }

  mutating func vector(lengthBytes: Int) -> ArraySlice<UInt8>? {
    take(lengthBytes).flatMap { length in take(length.reduce(0) { $0 << 8 | Int($1) }) }
  }
}

/// The part of a certificate that a log saw: what the authority signs, without the timestamps that it put in later.
private enum Precertificate {
  static func body(of leaf: SignerCertificate) -> [UInt8]? {
    guard let root = try? DER.parse(leaf.certificate.tbsCertificateBytes), case .constructed(let fields) = root.content
    else { return nil }
    var content: [UInt8] = []
    for field in fields {
      let isExtensions = field.identifier == ASN1Identifier(tagWithNumber: 3, tagClass: .contextSpecific)
      guard isExtensions else {
        content += field.encodedBytes
        continue
      }
      guard let kept = withoutTimestamps(field) else { return nil }
      content += wrapped(0xA3, wrapped(0x30, kept))
    }
    return wrapped(0x30, content)
  }

  private static func withoutTimestamps(_ field: ASN1Node) -> [UInt8]? {
    guard case .constructed(let outer) = field.content, let list = outer.first(where: { _ in true }),
      case .constructed(let extensions) = list.content
    else { return nil }
    var kept: [UInt8] = []
    for each in extensions {
      guard case .constructed(let parts) = each.content, let name = parts.first(where: { _ in true }),
        let identifier = try? ASN1ObjectIdentifier(derEncoded: name)
      else { return nil }
      if identifier != CertificateTimestamp.listIdentifier { kept += each.encodedBytes }
    }
    return kept
  }

  /// DER of a tag around its content.
  private static func wrapped(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    guard content.count >= 0x80 else { return [tag, UInt8(content.count)] + content }
    let length = Array(Self.length(content.count, byteCount: 8).drop { $0 == 0 })
    return [tag, 0x80 | UInt8(length.count)] + length + content
  }

  /// A number in big-endian order.
  static func length(_ value: Int, byteCount: Int) -> [UInt8] {
    (0..<byteCount).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
