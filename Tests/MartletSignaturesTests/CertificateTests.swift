// SPDX-License-Identifier: Apache-2.0

import Testing
import X509

@testable import MartletSignatures

/// Bundles that a certificate signed, below an authority of the operator's.
@Suite("bundles signed by a certificate")
struct CertificateTests {
  struct World {
    let root: TestAuthority
    let intermediate: TestAuthority
    let leaf: TestAuthority

    init(
      curve: String = "P-256", leafDays: ClosedRange<Int64> = -10...10, leafExtensions: Certificate.Extensions? = nil,
      intermediateExtensions: Certificate.Extensions? = nil
    ) throws {
      root = try TestAuthority.root(curve: curve)
      intermediate = try root.issue(
        "Middle", curve: curve, days: -100...1000, intermediateExtensions ?? TestAuthority.authorityExtensions())
      leaf = try intermediate.issue(
        "Signer", curve: curve, days: leafDays, leafExtensions ?? TestAuthority.leafExtensions())
    }

    func policy(
      _ identities: [ExactText] = [], anchor: TestAuthority? = nil, time: AuthorityTrust.ValidityTime = .signing
    ) throws -> TrustPolicy {
      let anchors = [try (anchor ?? root).given]
      return TrustPolicy(authorities: AuthorityTrust(anchors: anchors, identities: identities, time: time))
    }

    func bundle(_ chain: [TestAuthority]? = nil, signedBy key: TestKey? = nil) throws -> TestBundle {
      try TestBundle(
        TestStatement(), key ?? leaf.key, material: TestAuthority.material(chain ?? [leaf, intermediate]))
    }
  }

  @Test("verify on each curve, and name their signer", arguments: ["P-256", "P-384", "P-521"])
  func curves(curve: String) async throws {
    let world = try World(curve: curve)
    let bundle = try await SignatureBundle(world.bundle().bytes).verify(trusting: try world.policy())
    #expect(bundle.signer.name == "cert:signer@example.org#CN=Middle")
    #expect(bundle.signer.isExpired(at: TestAuthority.time + 11 * 86_400))
    #expect(!bundle.signer.isExpired(at: TestAuthority.time))
  }

  @Test("a chain that does not lead to the anchor is refused")
  func chains() async throws {
    let world = try World()
    let other = try TestAuthority.root("Root")
    let policy = try world.policy()
    #expect(try await world.bundle([world.leaf, world.intermediate, world.root]).refusal(policy) == nil)
    #expect(try await world.bundle([world.leaf]).refusal(policy) == .chainUntrusted, "an intermediate is missing")
    #expect(try await world.bundle([world.intermediate, world.leaf]).refusal(policy) != nil, "the other way round")
    #expect(try await world.bundle().refusal(try world.policy(anchor: other)) == .chainUntrusted, "a foreign root")
    #expect(try await world.bundle().refusal(TrustPolicy(keys: [try other.key.publicKey])) == .methodNotTrusted)
    #expect(try await world.bundle(signedBy: other.key).refusal(policy) == .signatureInvalid)
    let forged = try TestAuthority(
      key: other.key,
      certificate: TestAuthority.make(
        "Signer", other.key, issuer: ("Middle", other.key), days: -10...10, TestAuthority.leafExtensions()))
    #expect(
      try await world.bundle([forged, world.intermediate], signedBy: other.key).refusal(policy) == .chainUntrusted)
  }

  @Test("certificates are used for what they are for")
  func usages() async throws {
    let cases: [(Certificate.Extensions, Refusal.Reason?)] = [
      (try TestAuthority.leafExtensions(KeyUsage(keyEncipherment: true)), .certificateUsage),
      (try TestAuthority.leafExtensions(KeyUsage(keyEncipherment: true), .serverAuth), .certificateUsage),
      (try TestAuthority.leafExtensions(KeyUsage(keyEncipherment: true), .codeSigning), nil),
      (try TestAuthority.leafExtensions(KeyUsage(digitalSignature: true), .serverAuth), nil),
      (Certificate.Extensions(), .certificateUsage),
    ]
    for (extensions, expected) in cases {
      let world = try World(leafExtensions: extensions)
      #expect(try await world.bundle().refusal(try world.policy()) == expected)
    }
    let mayNotIssue = try World(
      intermediateExtensions: TestAuthority.authorityExtensions(KeyUsage(digitalSignature: true)))
    #expect(try await mayNotIssue.bundle().refusal(try mayNotIssue.policy()) == .chainUntrusted)
    let isNoAuthority = try World(intermediateExtensions: TestAuthority.leafExtensions())
    #expect(try await isNoAuthority.bundle().refusal(try isNoAuthority.policy()) == .chainUntrusted)
  }

  @Test("identities narrow an authority down")
  func identities() async throws {
    let world = try World()
    let fingerprint = try world.leaf.key.publicKey.fingerprint
    let cases: [([ExactText], Refusal.Reason?)] = [
      ([], nil), (["signer@example.org"], nil), (["CN=Signer"], nil), ([ExactText("sha256:\(fingerprint)")], nil),
      (["other@example.org", "signer@example.org"], nil), (["Signer@example.org"], .identityMismatch),
      (["signer@example.org.evil"], .identityMismatch), ([""], .identityMismatch), (["example.org"], .identityMismatch),
    ]
    for (identities, expected) in cases {
      #expect(try await world.bundle().refusal(try world.policy(identities)) == expected, "\(identities)")
    }
  }

  @Test("validity counts when the signer began to sign, or at a time that is asked for")
  func time() async throws {
    let world = try World()
    let day: Int64 = 86_400
    let cases: [(AuthorityTrust.ValidityTime, Refusal.Reason?)] = [
      (.signing, nil), (.at(TestAuthority.time), nil), (.at(TestAuthority.time + 10 * day), nil),
      (.at(TestAuthority.time + 11 * day), .certificateExpired),
      (.at(TestAuthority.time - 11 * day), .certificateExpired),
    ]
    for (time, expected) in cases {
      #expect(try await world.bundle().refusal(try world.policy(time: time)) == expected, "\(time)")
    }
    let early = try World(leafDays: -200...10)
    #expect(try await early.bundle().refusal(try early.policy()) == .chainUntrusted, "older than its authority")
  }

  @Test("chains have a bound, and a crowd of authorities under one name costs little")
  func bounds() async throws {
    let world = try World()
    let crowd = try (0..<5).map { _ in
      try TestAuthority(
        key: .new(),
        certificate: TestAuthority.make(
          "Middle", .new(), issuer: ("Middle", world.intermediate.key), days: -100...1000,
          TestAuthority.authorityExtensions()))
    }
    #expect(try await world.bundle([world.leaf] + crowd).refusal(try world.policy()) == .chainUntrusted)
    #expect(try await world.bundle([world.leaf] + crowd + crowd).refusal(try world.policy()) == .certificateCount)
    var bundle = try world.bundle()
    bundle.material = #""x509CertificateChain":{"certificates":[]}"#
    #expect(await bundle.refusal(try world.policy()) == .certificateCount)
    bundle.material = #""x509CertificateChain":{"certificates":[{"rawBytes":"MAA="}]}"#
    #expect(await bundle.refusal(try world.policy()) == .certificateMalformed)
    let huge = Base64.encode([UInt8](repeating: 0x30, count: SignerCertificate.bytesMax + 1))
    bundle.material = #""x509CertificateChain":{"certificates":[{"rawBytes":"\#(huge)"}]}"#
    #expect(await bundle.refusal(try world.policy()) == .certificateMalformed)
  }
}
