// SPDX-License-Identifier: Apache-2.0

import Crypto
import Testing

@testable import MartletSignatures

/// Bundles that a key signed: what is verified, and that everything else is refused for its own reason.
@Suite("bundles signed by a key")
struct BundleTests {
  let key = TestKey.new()

  private func policy() throws -> TrustPolicy { TrustPolicy(keys: [try key.publicKey]) }

  @Test("verify with keys of each curve", arguments: ["P-256", "P-384", "P-521"])
  func curves(curve: String) async throws {
    let key = TestKey.new(curve)
    let policy = TrustPolicy(keys: [try self.key.publicKey, try key.publicKey])
    let bundle = try await SignatureBundle(try TestBundle(TestStatement(), key).bytes).verify(trusting: policy)
    #expect(bundle.signer.name == ExactText("key:\(try key.publicKey.hint)"))
    #expect(bundle.method == .modelSigning)
    #expect(bundle.model.name == "model")
    #expect(bundle.model.resources.map(\.name) == ["config.json", "sub/weights.bin"])
    #expect(bundle.model.ignoredPaths == [".git"])
    #expect(!bundle.signer.isExpired(at: .max))
  }

  struct Hint: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let material: @Sendable (VerificationKey) -> String
    let expected: Refusal.Reason?
  }

  static let hints: [Hint] = [
    Hint(
      testDescription: "cosign's spelling", material: { hinted(Base64.encode($0.fingerprint.bytes)) }, expected: nil),
    Hint(testDescription: "an empty one", material: { _ in hinted("") }, expected: nil),
    Hint(
      testDescription: "none but the key itself, as before 1.1",
      material: { #""publicKey":{"rawBytes":"\#(Base64.encode(Array($0.pem.utf8)))"}"# }, expected: nil),
    Hint(testDescription: "another key's", material: { _ in hinted("4cca0f") }, expected: .keyUnknown),
    Hint(testDescription: "in upper case", material: { hinted($0.hint.uppercased()) }, expected: .keyUnknown),
    Hint(testDescription: "a number", material: { _ in #""publicKey":{"hint":1}"# }, expected: .fieldMissing),
  ]

  private static func hinted(_ hint: String) -> String { #""publicKey":{"hint":"\#(hint)"}"# }

  @Test("a hint that is given must be a trusted key's", arguments: hints)
  func hint(_ example: Hint) async throws {
    let bundle = try TestBundle(TestStatement(), key, material: example.material(try key.publicKey))
    #expect(await bundle.refusal(try policy()) == example.expected)
  }

  @Test("the key is never taken from the bundle")
  func keyInBundle() async throws {
    let other = TestKey.new()
    let material = #""publicKey":{"rawBytes":"\#(Base64.encode(Array(try other.publicKey.pem.utf8)))"}"#
    let bundle = try TestBundle(TestStatement(), other, material: material)
    #expect(await bundle.refusal(try policy()) == .signatureInvalid)
    #expect(await bundle.refusal(TrustPolicy()) == .methodNotTrusted)
  }

  struct Change: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let expected: Refusal.Reason?
    let change: @Sendable (inout TestBundle) throws -> Void

    init(_ name: String, _ expected: Refusal.Reason?, _ change: @escaping @Sendable (inout TestBundle) throws -> Void) {
      (testDescription, self.expected, self.change) = (name, expected, change)
    }
  }

  static let changes: [Change] = [
    Change("nothing", nil) { _ in },
    Change("an edited payload", .signatureInvalid) { $0.payload[40] ^= 1 },
    Change("a payload written anew", .signatureInvalid) { $0.payload.append(0x20) },
    Change("a flipped signature", .signatureInvalid) { $0.signatures[0][20] ^= 1 },
    Change("bytes after the signature", .signatureInvalid) { $0.signatures[0].append(0) },
    Change("an empty signature", .signatureInvalid) { $0.signatures[0] = [] },
    Change("another type of payload", .payloadType) { $0.payloadType = "text/plain" },
    Change("another media type", .mediaType) { $0.mediaType = "application/vnd.dev.sigstore.bundle.v0.2+json" },
    Change("two signatures", .signatureCount) { $0.signatures.append($0.signatures[0]) },
    Change("no signature", .signatureCount) { $0.signatures = [] },
    Change("no material", .methodAmbiguous) { $0.material = "" },
    Change("a key and a certificate", .methodAmbiguous) { $0.material += #","certificate":{"rawBytes":"AAAA"}"# },
    Change("log entries that nobody asked for", nil) {
      $0.material = $0.material.replacing(#""tlogEntries":[]"#, with: #""tlogEntries":[{"logIndex":"1"}]"#)
    },
    Change("a message signature beside the envelope", .contentAmbiguous) {
      $0.more = #","messageSignature":{"signature":"AAAA"}"#
    },
    Change("no content", .contentAmbiguous) { $0.content = #""x":1"# },
    Change("a key given twice", .jsonDuplicateKey) { $0.more = #","mediaType":"x""# },
    Change("a key given twice in the depth", .jsonDuplicateKey) { $0.more = #","x":[{"a":1,"a":1}]"# },
    Change("a key that only looks the same", nil) { $0.more = #","mediaType\u0000":"x""# },
    Change("a payload that is not base 64", .base64Malformed) {
      $0.content = #""dsseEnvelope":{"payload":"a b","payloadType":"application/vnd.in-toto+json","signatures":[{}]}"#
    },
    Change("nesting", .jsonTooDeep) {
      $0.more = #","x":"# + String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
    },
    Change("deep nesting", .jsonTooDeep) { $0.more = #","x":"# + String(repeating: "[", count: 1_000_000) },
    Change("too many values", .jsonTooManyValues) {
      $0.more = #","x":[0"# + String(repeating: ",0", count: 1_000_000) + "]"
    },
    Change("too many bytes", .bundleTooLarge) {
      $0.more = #","x":""# + String(repeating: "x", count: SignatureBundle.bytesMax) + "\""
    },
  ]

  @Test("a changed bundle is refused for its own reason", arguments: changes)
  func changed(_ example: Change) async throws {
    var bundle = try TestBundle(TestStatement(), key)
    try example.change(&bundle)
    #expect(await bundle.refusal(try policy()) == example.expected)
  }

  @Test("the URL-safe alphabet is base 64 too, as DSSE allows")
  func alphabets() async throws {
    let bundle = try TestBundle(TestStatement(), key)
    let text = String(decoding: bundle.bytes, as: UTF8.self)
    let payload = Base64.encode(bundle.payload)
    let safe = payload.replacing("+", with: "-").replacing("/", with: "_")
    for variant in [safe, safe.replacing("=", with: "")] {
      let changed = Array(text.replacing(payload, with: variant).utf8)
      #expect(await TestBundle.refusal(changed, try policy()) == nil)
    }
  }

  @Test("a signature over another type's encoding does not pass for one over this")
  func encoding() async throws {
    var bundle = try TestBundle(TestStatement(), key)
    bundle.signatures = [try key.sign(TestBundle.encoding(bundle.payload, type: "text/plain"))]
    #expect(await bundle.refusal(try policy()) == .signatureInvalid)
    bundle.signatures = [try key.sign(bundle.payload)]
    #expect(await bundle.refusal(try policy()) == .signatureInvalid)
  }

  @Test("revoked signers and digests are refused, whoever signed")
  func revoked() async throws {
    let bundle = try TestBundle(TestStatement(), key)
    let file = try #require(Digest256(hexadecimal: TestStatement().resources[1].digest.utf8))
    let root = try #require(
      try await SignatureBundle(bundle.bytes).verify(trusting: try policy()).model.rootDigest)
    let cases: [(Revocations, Refusal.Reason)] = [
      (Revocations(signers: [ExactText("key:\(try key.publicKey.hint)")]), .signerRevoked),
      (Revocations(signers: [ExactText("sha256:\(try key.publicKey.fingerprint)")]), .signerRevoked),
      (Revocations(digests: [file]), .digestRevoked), (Revocations(digests: [root]), .digestRevoked),
    ]
    for (revocations, expected) in cases {
      var policy = try policy()
      policy.revocations = revocations
      #expect(await bundle.refusal(policy) == expected)
    }
  }

  @Test("cosign's signature of one file")
  func message() async throws {
    let content = Array("weights".utf8)
    let digest = Digest256(of: content)
    var bundle = try TestBundle(TestStatement(), key)
    let write = { (algorithm: String, digest: Digest256) in
      """
      "messageSignature":{"messageDigest":{"algorithm":"\(algorithm)","digest":"\(Base64.encode(digest.bytes))"},\
      "signature":"\(Base64.encode(try key.sign(content)))"}
      """
    }
    bundle.content = try write("SHA2_256", digest)
    let verified = try await SignatureBundle(bundle.bytes).verify(trusting: try policy())
    #expect(verified.method == .cosign && verified.model.isSingleFile)
    #expect(verified.model.wholeDigests.map(\.digest) == [digest])
    bundle.content = try write("SHA2_256", Digest256(of: [1]))
    #expect(await bundle.refusal(try policy()) == .signatureInvalid)
    bundle.content = try write("SHA2_512", digest)
    #expect(await bundle.refusal(try policy()) == .hashAlgorithm)
  }

  @Test("detached signatures, as cosign and openssl write them")
  func detached() throws {
    let content = Array("weights".utf8)
    let signature = try key.sign(content)
    let base64 = Array((Base64.encode(signature) + "\n").utf8)
    for bytes in [signature, base64] {
      let verified = try DetachedSignature(bytes).verify(Digest256(of: content), trusting: try policy())
      #expect(verified.model.wholeDigests.map(\.digest) == [Digest256(of: content)])
      #expect(throws: Refusal(.signatureInvalid)) {
        try DetachedSignature(bytes).verify(Digest256(of: [1]), trusting: try policy())
      }
    }
    #expect(throws: Refusal(.base64Malformed)) { try DetachedSignature(Array("hello".utf8)) }
    #expect(throws: Refusal(.methodNotTrusted, "a key")) {
      try DetachedSignature(base64).verify(Digest256(of: content), trusting: TrustPolicy())
    }
  }
}
