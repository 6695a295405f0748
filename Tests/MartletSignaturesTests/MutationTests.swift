// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

@testable import MartletSignatures

/// Bundles of every kind with bytes changed at random: never a crash, and what still verifies says just the same.
@Suite("mutated bundles", .timeLimit(.minutes(5)))
struct MutationTests {
  /// The same numbers every time: a failure can be looked at again.
  struct Numbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 2 &+ 1 }

    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state ^ state >> 29) &* 0xBF58_476D_1CE4_E5B9
    }
  }

  /// One to three changes: a bit, a byte, a piece taken out, doubled or moved, or the end cut off.
  static func mutate(_ bytes: [UInt8], _ numbers: inout Numbers) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...3, using: &numbers) where bytes.count > 8 {
      let index = Int.random(in: 0..<bytes.count - 4, using: &numbers)
      let end = min(bytes.count, index + Int.random(in: 1...16, using: &numbers))
      switch Int.random(in: 0..<7, using: &numbers) {
      case 0, 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &numbers)
      case 2: bytes[index] = [0x22, 0x7B, 0x5B, 0x2C, 0x30, 0x41, 0, 0xFF].randomElement(using: &numbers) ?? 0
      case 3: bytes.removeSubrange(index..<end)
      case 4: bytes.insert(contentsOf: bytes[index..<end], at: index)
      case 5: bytes.insert(contentsOf: bytes[index..<end], at: Int.random(in: 0..<bytes.count, using: &numbers))
      default: bytes.removeLast(bytes.count / Int.random(in: 8...64, using: &numbers))
      }
    }
    return bytes
  }

  static func check(_ bytes: [UInt8], _ policy: TrustPolicy, seeds: Range<UInt64>) async throws {
    let original = try await SignatureBundle(bytes).verify(trusting: policy)
    var refusedCount = 0
    for seed in seeds {
      var numbers = Numbers(seed: seed)
      let changed = mutate(bytes, &numbers)
      do throws(Refusal) {
        let verified = try await SignatureBundle(changed).verify(trusting: policy)
        #expect(verified.model == original.model && verified.signer == original.signer, "seed \(seed)")
      } catch {
        refusedCount += 1
      }
    }
    #expect(refusedCount > seeds.count / 2)
  }

  @Test("of keys, certificates and keyless signers")
  func own() async throws {
    let key = TestKey.new()
    let policy = TrustPolicy(keys: [try key.publicKey])
    try await Self.check(try TestBundle(TestStatement(), key).bytes, policy, seeds: 0..<4000)
    let world = try CertificateTests.World()
    try await Self.check(try world.bundle().bytes, try world.policy(), seeds: 0..<1500)
    var sigstore = try TestSigstore()
    try await Self.check(try sigstore.bundle().bytes, try sigstore.policy(), seeds: 0..<1500)
    sigstore.file = [1, 2, 3]
    try await Self.check(try sigstore.bundle().bytes, try sigstore.policy(), seeds: 0..<500)
  }

  @Test("statements, lists, keys, certificates and trusted roots that are signed or configured")
  func parts() async throws {
    let statement = Array(TestStatement().json.utf8)
    let list = Array("\(Digest256(of: [1]))  a\n\\\(Digest256(of: [2])) *b\\n\n".utf8)
    let pem = Array(TestKey.new("P-521").pem.utf8)
    let certificate = try TestAuthority.root().der
    let root = Array(try TestSigstore().trustedRoot().utf8)
    for seed in UInt64(0)..<3000 {
      var numbers = Numbers(seed: seed)
      _ = try? StatementReader.read(Self.mutate(statement, &numbers))
      _ = try? ChecksumList(Self.mutate(list, &numbers), name: "x")
      _ = try? VerificationKey.read(pem: Self.mutate(pem, &numbers))
      if let certificate = try? SignerCertificate(der: Self.mutate(certificate, &numbers)) {
        _ = try? certificate.key
        _ = (certificate.alternativeNames, certificate.subject, certificate.notBefore, certificate.notAfter)
      }
      _ = try? TrustedRoot(Self.mutate(root, &numbers))
    }
  }

  @Test("a certificate that lies about its parts is refused by the chain, not by a crash")
  func certificates() async throws {
    let world = try TestSigstore()
    let leaf = try world.signer.der
    let policy = try world.policy()
    for seed in UInt64(0)..<1500 {
      var numbers = Numbers(seed: seed)
      var bundle = try world.bundle()
      let changed = Self.mutate(leaf, &numbers)
      bundle.material = bundle.material.replacing(Base64.encode(leaf), with: Base64.encode(changed))
      if changed != leaf { #expect(await bundle.refusal(policy) != nil, "seed \(seed)") }
    }
  }
}

/// Where the published bundle lies, beside the package or beside its worktrees.
enum Published {
  static let folder =
    ["../shared", "../../shared"].map { Repository.path($0 + "/upstream/model-signing") }
    .first { FileManager.default.fileExists(atPath: $0 + "/trusted_root.json") }
}

/// A bundle that Sigstore itself made, as published by model-signing.
@Suite("a published keyless bundle", .enabled(if: Published.folder != nil, "no shared/upstream/model-signing"))
struct PublishedBundleTests {
  private let folder = Published.folder ?? ""

  private func policy() throws -> TrustPolicy {
    let root = try TrustedRoot(Array(Data(contentsOf: URL(fileURLWithPath: folder + "/trusted_root.json"))))
    return TrustPolicy(
      keyless: KeylessTrust(
        root: root, identities: ["stefanb@us.ibm.com"], issuer: "https://sigstore.verify.ibm.com/oauth2"))
  }

  private func bytes() throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/v1.1.0-sigstore/model.sig")))
  }

  @Test("verifies, with its files")
  func verified() async throws {
    let bundle = try await SignatureBundle(bytes()).verify(trusting: try policy())
    #expect(bundle.signer.name == "sigstore:stefanb@us.ibm.com#https://sigstore.verify.ibm.com/oauth2")
    var check = ModelCheck(bundle.model)
    check.attachments = [ModelCheck.Attachment(path: folder + "/v1.1.0-sigstore/model.sig")].compactMap { $0 }
    let report = check.run(folder + "/v1.1.0-sigstore")
    #expect(report.isVerified && report.verifiedFileCount == 2)
  }

  @Test("is refused once it is changed")
  func mutated() async throws {
    try await MutationTests.check(try bytes(), try policy(), seeds: 0..<1500)
  }
}
