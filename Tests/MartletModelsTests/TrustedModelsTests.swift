// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Crypto
import Foundation
import Logging
import MartletModels
import MartletSignatures
import Testing

@Suite("What is trusted")
struct TrustedModelsTests {
  private let folder: TestFolder
  private let key = P256.Signing.PrivateKey()

  init() throws { folder = try TestFolder() }

  private func models(_ keys: [P256.Signing.PrivateKey]) -> TrustedModels {
    let pems = keys.map { Array($0.publicKey.pemRepresentation.utf8) }
    var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    logger.logLevel = .critical
    return TrustedModels(paths: [folder.path], logger: logger) { () throws(Refusal) in
      var policy = TrustPolicy()
      for pem in pems { policy.keys += try VerificationKey.read(pem: pem) }
      return policy
    }
  }

  private func state(_ models: TrustedModels, _ content: String, _ name: String) -> ModelState {
    models.snapshot.index.verdict(on: Digest256(of: content.utf8), path: ExactText(name)).state
  }

  private func write(_ name: String, _ bytes: some DataProtocol) throws {
    let url = URL(fileURLWithPath: folder.path + "/" + name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
  }

  @Test("bundles and lists in folders are read, others are refused and counted")
  func load() async throws {
    try write("a/model.sig", SignedBundle(["x.safetensors": "weights"], key).bytes)
    try write("b/model.sig", SignedBundle(["y.safetensors": "stranger's"], P256.Signing.PrivateKey()).bytes)
    try write("own.sha256", Data("\(Digest256(of: "listed".utf8))  z.gguf\n".utf8))
    try write("c/broken.json", Data("{".utf8))
    try write(".hidden/model.sig", SignedBundle(["h": "hidden"], key).bytes)
    let models = models([key])
    try await models.load()
    #expect(state(models, "weights", "/m/x.safetensors") == .verified)
    #expect(state(models, "listed", "/m/z.gguf") == .verified)
    #expect(state(models, "stranger's", "/m/y.safetensors") == .untrustedSigner)
    #expect(state(models, "other", "/m/x.safetensors") == .digestMismatch)
    #expect(state(models, "other", "/m/y.safetensors") == .unsigned, "a stranger's names mean nothing")
    #expect(state(models, "hidden", "/m/h") == .unsigned)
    #expect(models.snapshot.fileCount == 4 && models.snapshot.refusedCount == 2)
  }

  @Test("a list with a signature beside it counts only if that holds", arguments: [true, false])
  func signedList(isGood: Bool) async throws {
    let list = Data("\(Digest256(of: "listed".utf8))  z.gguf\n".utf8)
    let signer = isGood ? key : P256.Signing.PrivateKey()
    try write("list.sha256", list)
    try write("list.sha256.sig", try signer.signature(for: list).derRepresentation)
    let models = models([key])
    try await models.load()
    #expect(state(models, "listed", "/z.gguf") == (isGood ? .verified : .unsigned))
  }

  @Test("what is added and taken away counts a few seconds later", .timeLimit(.minutes(5)))
  func follow() async throws {
    let models = models([key])
    try await models.load()
    #expect(state(models, "weights", "/x") == .unsigned)
    let follower = Task { await models.follow() }
    defer { follower.cancel() }
    try write("model.sig", SignedBundle(["x": "weights"], key).bytes)
    while state(models, "weights", "/x") != .verified { try await Task.sleep(for: .milliseconds(20)) }
    try FileManager.default.removeItem(atPath: folder.path + "/model.sig")
    while state(models, "weights", "/x") != .unsigned { try await Task.sleep(for: .milliseconds(20)) }
    #expect(models.snapshot.generation == 3)
  }
}

/// A bundle of OpenSSF Model Signing, signed with a key.
private struct SignedBundle {
  let bytes: [UInt8]

  init(_ files: [String: String], _ key: P256.Signing.PrivateKey) throws {
    let sorted = files.sorted { $0.key < $1.key }.map { ($0.key, Digest256(of: $0.value.utf8)) }
    let root = Digest256(of: sorted.flatMap { $0.1.bytes })
    let resources = sorted.map { #"{"name":"\#($0.0)","digest":"\#($0.1)","algorithm":"sha256"}"# }
    let payload = """
      {"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"m","digest":{"sha256":"\(root)"}}],
       "predicateType":"https://model_signing/signature/v1.0","predicate":{"serialization":{"method":"files",
       "hash_type":"sha256","allow_symlinks":false,"ignore_paths":[]},"resources":[\(resources.joined(separator: ","))]}}
      """
    let type = "application/vnd.in-toto+json"
    let message = "DSSEv1 \(type.utf8.count) \(type) \(payload.utf8.count) \(payload)"
    let signature = try key.signature(for: Data(message.utf8)).derRepresentation.base64EncodedString()
    let hint = try VerificationKey.read(pem: Array(key.publicKey.pemRepresentation.utf8))[0].hint
    bytes = Array(
      """
      {"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"\(hint)"}},
       "dsseEnvelope":{"payload":"\(Data(payload.utf8).base64EncodedString())","payloadType":"\(type)",
       "signatures":[{"sig":"\(signature)"}]}}
      """.utf8)
  }
}
