// SPDX-License-Identifier: Apache-2.0

/// Signers and digests that are not trusted any more.
public struct Revocations: Hashable, Sendable {
  /// Names of signers as ``Signer/name`` spells them, or digests of their keys as ``Signer/keyFingerprint``.
  public var signers: Set<ExactText>
  /// Digests of files, or root digests of models.
  public var digests: Set<Digest256>

  /// Nothing, unless given.
  public init(signers: Set<ExactText> = [], digests: Set<Digest256> = []) {
    self.signers = signers
    self.digests = digests
  }

  /// What a text can be that names something to revoke.
  public static let forms = """
    'key:' and 64 hexadecimal digits, these digits alone or behind 'sha256:', 'cert:IDENTITY#ISSUER', \
    'sigstore:IDENTITY#ISSUER', or 'allowlist:NAME'
    """

  /// What a person's text names; nil where it has none of the ``forms``: revoking nothing would pass for revoking.
  ///
  /// Bare digits may be a key's hint, a key's digest, a file's or a model's: what is meant is among them.
  public init?(_ text: String) {
    let blanks: Set<UInt8> = [0x09, 0x0a, 0x0d, 0x20]
    let end = text.utf8.reversed().drop(while: blanks.contains).count
    let name = Array(text.utf8.prefix(end).drop(while: blanks.contains))
    let colon = name.firstIndex(of: UInt8(ascii: ":"))
    let scheme = colon.map { String(decoding: name[..<$0], as: UTF8.self).lowercased() }
    let rest = colon.map { name[($0 + 1)...] } ?? name[...]
    let digest = Digest256(hexadecimal: rest)
    switch (scheme, digest) {
    case (nil, let digest?), ("sha256", let digest?):
      self.init(signers: [ExactText("key:\(digest)"), ExactText("sha256:\(digest)")], digests: [digest])
    case ("key", let hint?): self.init(signers: [ExactText("key:\(hint)")])
    case ("cert"?, _), ("sigstore"?, _):
      // Without the issuer it is nobody's name.
      guard let mark = rest.firstIndex(of: UInt8(ascii: "#")), mark > rest.startIndex, mark < rest.endIndex - 1 else {
        return nil
      }
      self.init(signers: [Self.name(scheme, rest)])
    case ("allowlist"?, _) where !rest.isEmpty: self.init(signers: [Self.name(scheme, rest)])
    default: return nil
    }
  }

  private static func name(_ scheme: String?, _ rest: ArraySlice<UInt8>) -> ExactText {
    ExactText(Array("\(scheme ?? ""):".utf8) + Array(rest))
  }

  /// Takes in others.
  public mutating func formUnion(_ others: Revocations) {
    signers.formUnion(others.signers)
    digests.formUnion(others.digests)
  }

  /// Whether the signer is revoked under any of its names.
  public func contains(_ signer: Signer) -> Bool {
    signers.contains(signer.name)
      || signer.keyFingerprint.map { signers.contains(ExactText("sha256:\($0)")) } ?? false
  }
}
