// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

@testable import MartletSignatures

/// Bundles that model-signing makes, and its own verdict on each beside ours.
@Suite(
  "model-signing", .enabled(if: ModelSigning.isThere, "needs the Python packages of .ci/python-packages.txt"),
  .timeLimit(.minutes(5)))
struct InteropTests {
  struct Case: Decodable {
    var name: String
    var model: String
    var bundle: String
    var keys: [String]?
    var anchors: [String]?
    var upstream: Bool
    var message: String
  }

  /// Where the verdicts differ on purpose: what we say.
  static let differences: [String: Refusal.Reason?] = [
    // Only the first of several signatures is looked at there.
    "P-256: two signatures": .signatureCount, "certificate: two signatures": .signatureCount,
    // Its verifier breaks on the size of shards that it wrote itself, and forgets that links were allowed.
    "shards: as made": Refusal.Reason?.none, "links that are allowed: as made": Refusal.Reason?.none,
    // Not supported here, and said so.
    "blake3: as made": .hashAlgorithm,
  ]

  @Test("what it makes verifies, and what it refuses is refused")
  func agreement() async throws {
    let folder = try TestFolder()
    let script = Repository.path("Tests/MartletSignaturesTests/Interop/model_signing_cases.py")
    let made = try Child.run([ModelSigning.python, "-B", script, folder.path])
    try #require(made.succeeded, "\(made.errors.suffix(2000))")
    let list = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/cases.json"))
    let cases = try JSONDecoder().decode([Case].self, from: list)
    for example in cases {
      let reason = try await refusal(example)
      if let expected = Self.differences[example.name] {
        #expect(reason == expected, "\(example.name)")
        #expect((reason == nil) != example.upstream, "\(example.name): no difference any more")
      } else {
        #expect((reason == nil) == example.upstream, "\(example.name): \(example.message)")
      }
    }
    #expect(cases.count { $0.upstream } > 10 && cases.count { !$0.upstream } > 30)
  }

  private func refusal(_ example: Case) async throws -> Refusal.Reason? {
    let read = { (path: String) in Array(try Data(contentsOf: URL(fileURLWithPath: path))) }
    var policy = TrustPolicy()
    for path in example.keys ?? [] { policy.keys += try VerificationKey.read(pem: try read(path)) }
    if let anchors = example.anchors {
      let certificates = try anchors.flatMap { try SignerCertificate.read(pem: try read($0)) }
      policy.authorities = AuthorityTrust(anchors: certificates, identities: [])
    }
    let bytes = try read(example.bundle)
    do throws(Refusal) {
      let verified = try await SignatureBundle(bytes).verify(trusting: policy)
      return ModelCheck(verified.model).run(example.model).refusal?.reason
    } catch {
      return error.reason
    }
  }
}

/// The virtual environment that `make test` fills.
private enum ModelSigning {
  static let python = Repository.path(".build-test/python/bin/python")
  static let isThere =
    FileManager.default.isExecutableFile(atPath: python)
    && (try? Child.run([python, "-c", "import model_signing, OpenSSL"]).succeeded) == true
}
