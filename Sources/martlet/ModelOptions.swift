// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import Logging
public import MartletAgent
public import MartletModels
import MartletSignatures

/// Which models a watch verifies, and by what.
struct ModelOptions: ParsableArguments {
  @Option(
    name: .customLong("model-bundles"), parsing: .upToNextOption,
    help: ArgumentHelp(
      "Verify models that processes open, by signatures in these files and folders, which are watched.",
      discussion: """
        Bundles as 'martlet verify' takes them, and lists of sha256sum: one with a signature beside it ('.sig' or \
        '.sigstore.json' behind its name) must be signed, any other is taken at its word. Bundles need to be signed by one \
        of those whom the next options name. A signature that lies beside a model counts for nothing.
        """, valueName: "path"),
    completion: .file())
  var bundles: [String] = []

  @Option(
    name: .customLong("model-key"),
    help: ArgumentHelp("Trust this public key, as PEM. Give it again for more.", valueName: "pem"),
    completion: .file(extensions: ["pem", "pub"]))
  var keys: [String] = []

  @Option(
    name: .customLong("model-ca"),
    help: ArgumentHelp("Trust certificates of this authority, as PEM. Give it again for more.", valueName: "pem"),
    completion: .file(extensions: ["pem", "crt"]))
  var authorities: [String] = []

  @Option(
    name: .customLong("model-trusted-root"),
    help: ArgumentHelp("Trust Sigstore's authorities and logs as pinned here.", valueName: "json"),
    completion: .file(extensions: ["json"]))
  var trustedRoot: String?

  @Option(
    name: .customLong("model-identity"),
    help: ArgumentHelp(
      "Who may sign, of --model-ca and --model-trusted-root, as 'martlet verify --identity' has it. Give it again for "
        + "more.", valueName: "san"))
  var identities: [String] = []

  @Option(
    name: .customLong("model-issuer"),
    help: ArgumentHelp("Who has to vouch for the identity, with --model-trusted-root.", valueName: "url"))
  var issuer: String?

  @Option(
    name: .customLong("model-revoked"),
    help: ArgumentHelp(
      "Trust this signer or digest no more, as 'martlet verify --revoked' has it. Give it again for more.",
      valueName: "name"),
    transform: TrustOptions.revocations)
  var revoked: [Revocations] = []

  @Option(
    name: .customLong("model-ending"),
    help: ArgumentHelp(
      "Names that end so are models, beside the usual ones: '.weights'. Give it again for more.", valueName: "text"))
  var endings: [String] = []

  @Option(
    name: .customLong("model-folder"),
    help: ArgumentHelp(
      "What lies in a folder of this name is taken for a model if it begins like one, as in 'blobs'. Give it again for "
        + "more.", valueName: "name"))
  var folders: [String] = []

  @Option(
    name: .customLong("model-loader"),
    help: ArgumentHelp(
      "Of this program, by the name of its thread, whatever is called like a model is one, beside the usual servers. "
        + "Give it again for more.", valueName: "name"))
  var loaders: [String] = []

  @Option(
    name: .customLong("model-rate"),
    help: ArgumentHelp("How much of models to read in a second at most; 0 for no bound.", valueName: "mebibytes"))
  var rate: UInt64 = 512

  @Option(
    name: .customLong("model-max-size"),
    help: ArgumentHelp("Larger files are not read.", valueName: "gibibytes"))
  var maxSize: UInt64 = 512

  /// Of endings, and of folders: as many as the probe has room for beside the usual ones.
  private static let namesMax = 10
  private static let loadersMax = 100

  func validate() throws {
    let needsBundles =
      !keys.isEmpty || !authorities.isEmpty || trustedRoot != nil || !identities.isEmpty || issuer != nil
      || !revoked.isEmpty || !endings.isEmpty || !folders.isEmpty || !loaders.isEmpty
    guard !bundles.isEmpty || !needsBundles else {
      throw ValidationError("models are verified with --model-bundles PATH")
    }
    guard trustedRoot == nil || !identities.isEmpty && issuer != nil else {
      throw ValidationError(
        "--model-trusted-root needs --model-identity and --model-issuer: anybody can get a certificate there")
    }
    guard identities.isEmpty || !authorities.isEmpty || trustedRoot != nil else {
      throw ValidationError("--model-identity goes with --model-ca or --model-trusted-root")
    }
    guard issuer == nil || trustedRoot != nil else {
      throw ValidationError("--model-issuer goes with --model-trusted-root")
    }
    guard endings.count <= Self.namesMax, endings.allSatisfy({ (2...255).contains($0.utf8.count) }) else {
      throw ValidationError("--model-ending takes 2 to 255 bytes, at most \(Self.namesMax) times")
    }
    guard folders.count <= Self.namesMax,
      folders.allSatisfy({ (1...31).contains($0.utf8.count) && !$0.contains("/") })
    else {
      throw ValidationError(
        "--model-folder takes the name of a folder, 1 to 31 bytes without '/', at most \(Self.namesMax) times")
    }
    guard loaders.count <= Self.loadersMax, loaders.allSatisfy({ (1...15).contains($0.utf8.count) }) else {
      throw ValidationError("--model-loader takes 1 to 15 bytes, at most \(Self.loadersMax) times")
    }
    guard rate <= 1 << 20, (1...1 << 20).contains(maxSize) else {
      throw ValidationError("--model-rate takes 0 to 1048576 mebibytes, --model-max-size 1 to 1048576 gibibytes")
    }
  }

  /// Nil where models are not to be verified.
  func verification(_ logger: Logger) async throws -> Agent.ModelVerification? {
    guard !bundles.isEmpty else { return nil }
    let options = self
    let trust = TrustedModels(
      paths: bundles, policyPaths: keys + authorities + [trustedRoot].compactMap { $0 }, logger: logger
    ) { () throws(Refusal) in try options.policy() }
    do throws(Refusal) { try await trust.load() } catch {
      throw Agent.Failure(["models cannot be verified: \(error)"])
    }
    var limits = ModelVerdicts.Limits()
    limits.bytesPerSecondMax = rate << 20
    limits.fileByteCountMax = maxSize << 30
    let patterns = ModelPatterns(
      endings: Set(endings), folders: Set(folders), loaders: ModelPatterns.usualLoaders.union(loaders))
    return Agent.ModelVerification(endings: patterns.endings, folders: patterns.folders) { [limits] node in
      ModelVerdicts(
        trust: trust, patterns: patterns, limits: limits,
        watcher: ModelVerdicts.Watcher(watch: node.watch, unwatch: node.unwatch),
        onReader: { node.setHelper($0, UInt32($1)) }, onReport: node.wake)
    }
  }

  private func policy() throws(Refusal) -> TrustPolicy {
    var policy = TrustPolicy()
    for path in keys { policy.keys += try VerificationKey.read(pem: try TrustOptions.read(path)) }
    if !authorities.isEmpty {
      var anchors: [SignerCertificate] = []
      for path in authorities { anchors += try SignerCertificate.read(pem: try TrustOptions.read(path)) }
      policy.authorities = AuthorityTrust(anchors: anchors, identities: identities.map(ExactText.init))
    }
    if let trustedRoot, let issuer {
      policy.keyless = KeylessTrust(
        root: try TrustedRoot(try TrustOptions.read(trustedRoot)), identities: identities.map(ExactText.init),
        issuer: ExactText(issuer))
    }
    for one in revoked { policy.revocations.formUnion(one) }
    return policy
  }
}

extension ModelVerdicts: ModelVerifier {
  public var counters: [(name: StaticString, count: UInt64)] { statistics.counters }
}
