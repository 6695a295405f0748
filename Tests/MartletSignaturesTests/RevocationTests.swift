// SPDX-License-Identifier: Apache-2.0

import MartletSignatures
import Testing

/// What people write to revoke something.
@Suite("revocations")
struct RevocationTests {
  private static let digits = String(repeating: "0a", count: 32)
  private static let digest = Digest256(hexadecimal: digits.utf8)

  @Test(
    "take digits alone for a key's hint, a key's digest and a digest, in either case and between blanks",
    arguments: [digits, "sha256:\(digits)", digits.uppercased(), "SHA256:\(digits)", " \(digits)\t", "\(digits)\n"])
  func bareDigits(text: String) throws {
    let revocations = try #require(Revocations(text))
    #expect(revocations.signers == [ExactText("key:\(Self.digits)"), ExactText("sha256:\(Self.digits)")])
    #expect(revocations.digests == [try #require(Self.digest)])
  }

  @Test(
    "take the names of signers as reports spell them",
    arguments: [
      ("key:\(digits)", "key:\(digits)"), (" KEY:\(digits.uppercased())", "key:\(digits)"),
      ("cert:CN=A: B#CN=Root", "cert:CN=A: B#CN=Root"), ("CERT:a@example.org#CN=R ", "cert:a@example.org#CN=R"),
      ("sigstore:a@example.org#https://issuer", "sigstore:a@example.org#https://issuer"),
      ("allowlist:SHA256SUMS", "allowlist:SHA256SUMS"),
    ])
  func signers(text: String, name: String) throws {
    #expect(try #require(Revocations(text)) == Revocations(signers: [ExactText(name)]))
  }

  @Test(
    "refuse what would revoke nothing",
    arguments: [
      "", " ", "key:", "key:\(digits.dropLast(2))", String(digits.dropLast(2)), "sha256:\(digits)00",
      "sha512:\(digits)",
      "key:\(digits.dropLast())g", "cert:", "cert:a@example.org", "cert:#CN=Root", "sigstore:a@example.org#",
      "allowlist:", "alice", "https://example.org",
    ])
  func malformed(text: String) {
    #expect(Revocations(text) == nil)
  }

  @Test("join")
  func union() throws {
    var all = try #require(Revocations("allowlist:a"))
    all.formUnion(try #require(Revocations(Self.digits)))
    #expect(all.signers.count == 3 && all.digests.count == 1)
  }
}
