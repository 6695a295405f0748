// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import MartletSignatures

/// What is known about bytes by their digest.
@Suite("the index of digests")
struct DigestIndexTests {
  private let weights = Digest256(of: "weights".utf8)

  private func bundle(_ files: [(String, String)] = [("config.json", "{}"), ("sub/weights.bin", "weights")])
    async throws -> VerifiedBundle
  {
    let key = TestKey.new()
    let bytes = try TestBundle(TestStatement(files), key).bytes
    return try await SignatureBundle(bytes).verify(trusting: TrustPolicy(keys: [try key.publicKey]))
  }

  @Test("tells signer, model and file of a digest, and whether the name fits")
  func verified() async throws {
    let bundle = try await bundle()
    var index = DigestIndex()
    index.add(bundle)
    index.add(bundle)
    #expect(index.count == 2)
    let verdict = index.verdict(on: weights, path: "/models/m/weights.bin")
    #expect(verdict.state == .verified && verdict.resourceMatches == true)
    #expect(verdict.entry?.signer == bundle.signer && verdict.entry?.resource == "sub/weights.bin")
    #expect(verdict.entry?.modelName == "model" && verdict.entry?.rootDigest == bundle.model.rootDigest)
    #expect(index.verdict(on: weights, path: "/blobs/sha256-aa").resourceMatches == false)
  }

  @Test("tells what is not verified apart")
  func notVerified() async throws {
    var index = DigestIndex()
    index.add(try await bundle())
    let other = Digest256(of: "evil".utf8)
    #expect(index.verdict(on: other, path: "/m/weights.bin").state == .digestMismatch)
    #expect(index.verdict(on: other, path: "/m/adapter.bin").state == .unsigned)
    #expect(DigestIndex().verdict(on: weights, path: "/m/weights.bin").state == .unsigned)
  }

  @Test("revocation takes effect by digest, by model and by signer, and leaves other signers of the same file")
  func revoked() async throws {
    let first = try await bundle()
    let second = try await bundle()
    let cases: [(Revocations, ModelState)] = [
      (Revocations(digests: [weights]), .revoked),
      (Revocations(signers: [first.signer.name, second.signer.name]), .revoked),
      (Revocations(digests: [first.model.rootDigest].compactMap { $0 }.reduce(into: []) { $0.insert($1) }), .revoked),
      (Revocations(signers: [first.signer.name]), .verified),
    ]
    for (revocations, expected) in cases {
      var index = DigestIndex(revocations: revocations)
      index.add(first)
      index.add(second)
      #expect(index.verdict(on: weights, path: "/m/weights.bin").state == expected)
    }
  }

  @Test("a single file has no name to fit")
  func nameless() async throws {
    var index = DigestIndex()
    index.add(try await bundle([(".", "weights")]))
    let verdict = index.verdict(on: weights, path: "/m/anything")
    #expect(verdict.state == .verified && verdict.resourceMatches == nil)
  }

  @Test("many owners of one digest are dropped and counted")
  func bounds() async throws {
    var index = DigestIndex()
    index.add(try await bundle((0..<40).map { ("license\($0)", "MIT") }))
    #expect(index.count == DigestIndex.entriesPerDigestMax)
    #expect(index.droppedCount == 40 - DigestIndex.entriesPerDigestMax)
  }
}
