// SPDX-License-Identifier: Apache-2.0

/// Sigstore's authorities and logs, from a `trusted_root.json` that the operator pins. Martlet fetches no newer one.
public struct TrustedRoot: Sendable {
  /// Larger files are refused.
  public static let bytesMax = 1 << 20
  /// Of each kind.
  static let entriesMax = 64

  /// When something is to be believed, in seconds since 1970.
  struct Validity: Sendable {
    let start: Int64
    let end: Int64?

    func contains(_ time: Int64) -> Bool { start <= time && end.map { time <= $0 } ?? true }
  }

  /// A log of signatures, or of certificates.
  struct Log: Sendable {
    let identifier: [UInt8]
    /// None for keys of types that are not supported: Ed25519, which only logs of version 2 have.
    let key: VerificationKey?
    let validity: Validity
  }

  struct Authority: Sendable {
    let anchor: SignerCertificate
    let intermediates: [SignerCertificate]
    let validity: Validity
  }

  let signatureLogs: [Log]
  let certificateLogs: [Log]
  let authorities: [Authority]

  /// The trusted root that `bytes` spell: JSON of media type `application/vnd.dev.sigstore.trustedroot+json`.
  public init(_ bytes: [UInt8]) throws(Refusal) {
    guard bytes.count <= Self.bytesMax else {
      throw Refusal(.trustedRootMalformed, "larger than \(Self.bytesMax) bytes")
    }
    do throws(Refusal) {
      let json = try JSONReader.read(bytes)
      guard let mediaType = json["mediaType"]?.text,
        mediaType.bytes.starts(with: "application/vnd.dev.sigstore.trustedroot".utf8)
      else { throw Refusal(.fieldMissing, "mediaType") }
      signatureLogs = try Self.list(json, "tlogs", Self.log)
      certificateLogs = try Self.list(json, "ctlogs", Self.log)
      authorities = try Self.list(json, "certificateAuthorities", Self.authority)
    } catch {
      throw Refusal(.trustedRootMalformed, error.description)
    }
  }

  func signatureLog(_ identifier: [UInt8]) -> Log? { signatureLogs.first { $0.identifier == identifier } }

  private static func list<Element>(
    _ json: JSONValue, _ key: ExactText, _ read: (JSONValue) throws(Refusal) -> Element
  ) throws(Refusal) -> [Element] {
    guard let elements = json[key]?.elements, !elements.isEmpty, elements.count <= entriesMax else {
      throw Refusal(.fieldMissing, "\(key)")
    }
    return try elements.map(read)
  }

  private static func log(_ json: JSONValue) throws(Refusal) -> Log {
    let key = json["publicKey"]
    let der = try key.bytes("rawBytes")
    let isECDSA = key?["keyDetails"]?.text?.bytes.starts(with: "PKIX_ECDSA_".utf8) ?? false
    return Log(
      identifier: try json["logId"].bytes("keyId"), key: isECDSA ? try VerificationKey(der: der) : nil,
      validity: try validity(key))
  }

  private static func authority(_ json: JSONValue) throws(Refusal) -> Authority {
    guard let chain = json["certChain"]?["certificates"]?.elements, chain.count <= 1 + CertificateChain.intermediatesMax
    else { throw Refusal(.fieldMissing, "certChain") }
    let certificates = try chain.map { certificate throws(Refusal) in
      try SignerCertificate(der: try Optional(certificate).bytes("rawBytes"))
    }
    guard let anchor = certificates.last else { throw Refusal(.certificateCount, "0") }
    return Authority(anchor: anchor, intermediates: certificates.dropLast(), validity: try validity(json))
  }

  private static func validity(_ json: JSONValue?) throws(Refusal) -> Validity {
    guard let range = json?["validFor"], let start = range["start"]?.text.flatMap(Timestamp.seconds) else {
      throw Refusal(.fieldMissing, "validFor")
    }
    guard let end = range["end"] else { return Validity(start: start, end: nil) }
    guard let seconds = end.text.flatMap(Timestamp.seconds) else { throw Refusal(.fieldMissing, "validFor.end") }
    return Validity(start: start, end: seconds)
  }
}

/// Times as protocol buffers write them: `2022-12-31T23:59:59.999Z`.
enum Timestamp {
  /// Seconds since 1970; what is below a second is dropped.
  static func seconds(_ text: ExactText) -> Int64? {
    let bytes = text.bytes
    guard (20...32).contains(bytes.count), bytes.last == UInt8(ascii: "Z") else { return nil }
    let shape = Array("0000-00-00T00:00:00".utf8)
    var fields: [Int64] = [0]
    for (byte, wanted) in zip(bytes, shape) {
      guard wanted == UInt8(ascii: "0") else {
        guard byte == wanted else { return nil }
        fields.append(0)
        continue
      }
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
      fields[fields.count - 1] = fields[fields.count - 1] * 10 + Int64(byte - UInt8(ascii: "0"))
    }
    guard (1970...9999).contains(fields[0]), (1...12).contains(fields[1]), (1...31).contains(fields[2]),
      fields[3] < 24, fields[4] < 60, fields[5] <= 60
    else { return nil }
    return days(year: fields[0], month: fields[1], day: fields[2]) * 86_400 + fields[3] * 3600 + fields[4] * 60
      + fields[5]
  }

  /// Days since 1970, counting years from March so that the leap day is the last.
  private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let monthFromMarch = (month + 9) % 12
    let leapDays = shifted / 4 - shifted / 100 + shifted / 400
    return shifted * 365 + leapDays + (153 * monthFromMarch + 2) / 5 + day - 1 - 719_468
  }
}
