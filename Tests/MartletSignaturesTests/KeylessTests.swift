// SPDX-License-Identifier: Apache-2.0

import Testing
import X509

@testable import MartletSignatures

/// Keyless bundles against a Sigstore of the test's own: each link of the proof, broken by itself.
@Suite("keyless bundles")
struct KeylessTests {
  @Test(
    "verify, for statements and for single files, wherever the entry stands in the log", arguments: [0, 1, 2, 3, 6])
  func verified(otherLeaves: Int) async throws {
    var world = try TestSigstore()
    world.otherLeaves = otherLeaves
    let bundle = try await SignatureBundle(world.bundle().bytes).verify(trusting: try world.policy())
    #expect(bundle.signer.name == "sigstore:signer@example.org#https://accounts.example.org")
    #expect(bundle.signer.signedAt == TestAuthority.time)
    world.file = Array("weights".utf8)
    let file = try await SignatureBundle(world.bundle().bytes).verify(trusting: try world.policy())
    #expect(file.method == .cosign)
    #expect(file.model.wholeDigests.map(\.digest) == [Digest256(of: "weights".utf8)])
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let expected: Refusal.Reason
    let change: @Sendable (inout TestSigstore) throws -> Void

    init(
      _ name: String, _ expected: Refusal.Reason, _ change: @escaping @Sendable (inout TestSigstore) throws -> Void
    ) {
      (testDescription, self.expected, self.change) = (name, expected, change)
    }

    /// Text of the entry replaced, after the log signed.
    static func entry(_ name: String, _ expected: Refusal.Reason, _ old: String, _ new: String) -> Case {
      Case(name, expected) { $0.changeEntry = { $0.replacing(old, with: new) } }
    }

    /// Text of the body replaced, before the log signs: the entry is about something else.
    static func body(_ name: String, _ old: String, _ new: String, _ expected: Refusal.Reason = .logEntryMismatch)
      -> Case
    {
      Case(name, expected) { $0.changeBody = { $0.replacing(old, with: new) } }
    }
  }

  static let cases: [Case] = [
    Case("no entry", .fieldMissing) { $0.changeEntry = { _ in "{}" } },
    Case("two entries", .logEntryCount) { $0.changeEntry = { $0 + "," + $0 } },
    Case("entries left out", .logEntryCount) { $0.changeEntry = { _ in "" } },
    .entry("a moved time", .logPromiseInvalid, #""integratedTime":"1700000000""#, #""integratedTime":"1700000001""#),
    .entry("another index", .logPromiseInvalid, #""logIndex":"77""#, #""logIndex":"78""#),
    .entry("no promise", .logPromiseMissing, "inclusionPromise", "promise"),
    .entry("no proof", .logProofMissing, "inclusionProof", "proof"),
    .entry("no checkpoint", .logProofMissing, "checkpoint", "point"),
    .entry("a size that is another", .logProofInvalid, #""treeSize":"4""#, #""treeSize":"3""#),
    .entry("a size that is larger", .logProofInvalid, #""treeSize":"4""#, #""treeSize":"5""#),
    .entry("a place that is another", .logProofInvalid, #""logIndex":"3""#, #""logIndex":"2""#),
    .entry("a checkpoint of another size", .checkpointInvalid, #"- 1\n4\n"#, #"- 1\n5\n"#),
    .entry("a checkpoint of another log's name", .checkpointInvalid, #"- 1\n4\n"#, #"- 2\n4\n"#),
    .entry("a checkpoint without signature", .checkpointInvalid, "\u{2014} ", "- "),
    .entry("no hashes", .logProofInvalid, #""hashes":["#, #""hashes":[],"x":["#),
    .entry("an unknown log", .logUnknown, #""keyId":""#, #""keyId":"AAAA"#),
    .entry("Rekor's second version", .rekorV2, #""version":"0.0.1""#, #""version":"0.0.2""#),
    .entry("an unknown kind", .logEntryKind, #""kind":"dsse""#, #""kind":"intoto""#),
    .entry("the kind of single files", .logEntryMismatch, #""kind":"dsse""#, #""kind":"hashedrekord""#),
    .body("a body about another payload", #""value":""#, #""value":"00"#),
    .body("a body about another signature", #""signature":"ME"#, #""signature":"MF"#),
    .body("a body about another certificate", #""verifier":"LS"#, #""verifier":"Lg"#, .logEntryMismatch),
    .body("a body of another kind", #""kind":"dsse""#, #""kind":"rekord""#),
    .body("a body with another hash", #""algorithm":"sha256""#, #""algorithm":"sha512""#),
    .body("a body that says things twice", "{\"apiVersion\"", "{\"kind\":\"dsse\",\"apiVersion\"", .jsonDuplicateKey),
    Case("a promise by another key", .logPromiseInvalid) { $0.logSigner = .new() },
    Case("an entry after the certificate ended", .logTimeOutside) { $0.time += 2 * 86_400 },
    Case("an entry before the certificate began", .logTimeOutside) { $0.time -= 2 * 86_400 },
    Case("no word of the log of certificates", .timestampMissing) {
      $0.signer = try $0.leaf(mail: TestSigstore.mail, usage: .codeSigning, hasTimestamp: false)
    },
    Case("a word of another log of certificates", .timestampInvalid) {
      $0.certificateLogSigner = .new()
      $0.signer = try $0.leaf(mail: TestSigstore.mail, usage: .codeSigning)
    },
    Case("a certificate for something else", .certificateUsage) {
      $0.signer = try $0.leaf(mail: TestSigstore.mail, usage: .serverAuth)
    },
    Case("another's certificate", .identityMismatch) {
      $0.signer = try $0.leaf(mail: "eve@example.org", usage: .codeSigning)
    },
    Case("nobody's certificate", .identityMismatch) { $0.signer = try $0.leaf(mail: nil, usage: .codeSigning) },
  ]

  @Test("a broken link is refused for its own reason", arguments: cases)
  func broken(_ example: Case) async throws {
    var world = try TestSigstore()
    try example.change(&world)
    #expect(try await world.bundle().refusal(try world.policy()) == example.expected)
  }

  @Test("another authority, issuer, root or time of trust is refused")
  func otherTrust() async throws {
    let world = try TestSigstore()
    let bundle = try world.bundle()
    #expect(await bundle.refusal(try TestSigstore().policy()) == .logUnknown)
    #expect(await bundle.refusal(try world.policy(issuer: "https://evil.example.org")) == .issuerMismatch)
    #expect(await bundle.refusal(try world.policy(identities: [])) == .identityMismatch)
    #expect(await bundle.refusal(TrustPolicy(keys: [try world.signer.key.publicKey])) == .methodNotTrusted)
    let over = #"{"start":"2021-01-01T00:00:00Z","end":"2023-11-14T22:13:19Z"}"#
    #expect(await bundle.refusal(try world.policy(logValid: over)) == .logTimeOutside)
    let stillOn = #"{"start":"2021-01-01T00:00:00Z","end":"2023-11-14T22:13:20.999Z"}"#
    #expect(await bundle.refusal(try world.policy(logValid: stillOn)) == nil)
  }

  @Test("an envelope signed again under the same entry is refused")
  func otherSignature() async throws {
    let world = try TestSigstore()
    var bundle = try world.bundle()
    bundle.signatures = [try world.signer.key.sign(TestBundle.encoding(bundle.payload))]
    #expect(await bundle.refusal(try world.policy()) == .logEntryMismatch)
    bundle.payload = Array(TestStatement([("evil", "x")]).json.utf8)
    bundle.signatures = [try world.signer.key.sign(TestBundle.encoding(bundle.payload))]
    #expect(await bundle.refusal(try world.policy()) == .logEntryMismatch)
    bundle.signatures = [try TestKey.new().sign(TestBundle.encoding(bundle.payload))]
    #expect(await bundle.refusal(try world.policy()) == .signatureInvalid)
  }

  @Test(
    "trusted roots that cannot be read are refused",
    arguments: [
      "", "{}", "[]", #"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}"#,
      #"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[{}]}"#,
    ])
  func malformedRoot(text: String) {
    do throws(Refusal) {
      _ = try TrustedRoot(Array(text.utf8))
      Issue.record("it was read")
    } catch {
      #expect(error.reason == .trustedRootMalformed)
    }
  }

  @Test("paths of trees of every small size lead to their root, and no other path does")
  func trees() {
    for size in 1...20 {
      let tree = TestTree((0..<size).map { Digest256(of: [UInt8($0)]).bytes })
      for index in 0..<size {
        let path = tree.path(to: index)
        let root = { (index: Int, size: Int, path: [[UInt8]]) in
          MerklePath.root(leaf: tree.leaves[index], index: Int64(index), treeSize: Int64(size), hashes: path)
        }
        #expect(root(index, size, path) == tree.root)
        #expect(root(index, size, path + [tree.root]) != tree.root)
        #expect(root(index, size, path.dropLast()) != tree.root || path.isEmpty)
        #expect(
          MerklePath.root(leaf: tree.leaves[index], index: Int64(size), treeSize: Int64(size), hashes: path) == nil)
      }
    }
  }

  @Test(
    "times",
    arguments: [
      ("1970-01-01T00:00:00Z", Int64(0)), ("2023-11-14T22:13:20Z", 1_700_000_000),
      ("2000-02-29T00:00:00Z", 951_782_400),
      ("2022-12-31T23:59:59.999Z", 1_672_531_199), ("2022-12-31T23:59:59+00:00", nil), ("2022-13-31T23:59:59Z", nil),
      ("2022-12-31 23:59:59Z", nil), ("x", nil),
    ] as [(String, Int64?)])
  func timestamps(text: String, expected: Int64?) {
    #expect(Timestamp.seconds(ExactText(text)) == expected)
  }
}
