// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import MartletSignatures

/// `martlet verify`: is a model the one that a trusted signer published?
struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check a model file or folder against a signature.",
    discussion: """
      The signature is a Sigstore bundle (OpenSSF Model Signing, or cosign's of one file), a detached signature of one \
      file, or a list of sha256 checksums. Trust comes from the command line alone: keys, authorities, or a pinned \
      Sigstore root with an identity. Nothing is fetched from anywhere.

      All files of a folder must be signed, and all signed files must be there unchanged. Paths that the signer left \
      out, and those asked for here, are listed as ignored.

      Exit status: 0 verified, 1 not, 2 usage.
      """)

  @Argument(help: ArgumentHelp("A model: one file, or a folder.", valueName: "model"), completion: .file())
  var model: String

  @Option(
    help: ArgumentHelp("The signature: a bundle, or the detached signature of one file.", valueName: "file"),
    completion: .file())
  var bundle: String?

  @Option(
    help: ArgumentHelp(
      "A list of checksums as sha256sum writes it. With --bundle the signature is of the list; without, the list is "
        + "trusted as it is.", valueName: "file"),
    completion: .file())
  var manifest: String?

  @OptionGroup(title: "Trust") var trust: TrustOptions

  @Option(
    help: ArgumentHelp(
      "List unsigned files here as ignored: a path in the model. Signed files are always checked. Give it again for "
        + "more.", valueName: "path"),
    completion: .file())
  var ignore: [String] = []

  @Flag(help: "List all unsigned files as ignored.")
  var ignoreUnsigned = false

  @Option(help: "text, or json for programs.")
  var format = OutputFormat.text

  func validate() throws {
    guard bundle != nil || manifest != nil else {
      throw ValidationError("name a signature with --bundle, or a --manifest")
    }
    guard bundle != nil || trust.isEmpty else { throw ValidationError("there is no --bundle whose signer to trust") }
    guard bundle == nil || !trust.isEmpty else {
      throw ValidationError("say whom to trust: --key, --ca, or --trusted-root with --identity and --issuer")
    }
  }

  func run() async throws {
    let outcome = await outcome()
    let text = VerifyReport(path: model, outcome: outcome)
    switch format {
    case .text: write(text.text, to: STDOUT_FILENO)
    case .json: write(text.json + "\n", to: STDOUT_FILENO)
    }
    guard outcome.refusal == nil else { throw ExitStatus.failure }
  }

  /// What is known at the end, good or bad.
  struct Outcome {
    var refusal: Refusal?
    var bundle: VerifiedBundle?
    var report: ModelReport?
  }

  private func outcome() async -> Outcome {
    var outcome = Outcome()
    do throws(Refusal) {
      let (verified, ready) = try await signature()
      outcome.bundle = verified
      let report = ready ?? check(verified.model).run(model, progress: HashProgress(isWanted: format == .text).update)
      outcome.report = report
      outcome.refusal = report.refusal
    } catch {
      outcome.refusal = error
    }
    return outcome
  }

  private func check(_ signed: SignedModel) -> ModelCheck {
    ModelCheck(
      signed, ignoresUnsigned: ignoreUnsigned, ignoredPaths: ignore.flatMap(pathsInModel),
      attachments: [bundle, manifest].compactMap { $0 }.compactMap(ModelCheck.Attachment.init))
  }

  /// What a path to ignore means: a path in the model, or one that leads into it from here.
  private func pathsInModel(_ path: String) -> [ExactText] {
    var trimmed = path[...]
    while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
    while trimmed.hasPrefix("./") { trimmed.removeFirst(2) }
    var paths = trimmed.hasPrefix("/") ? [] : [ExactText(String(trimmed))]
    // The last component may be a link: only its folder is resolved.
    let (folder, name) =
      trimmed.lastIndex(of: "/").map { slash in
        (String(trimmed[...slash]), String(trimmed[trimmed.index(after: slash)...]))
      } ?? (".", String(trimmed))
    if let inner = Self.resolved(folder), let root = Self.resolved(model), (inner + "/").hasPrefix(root + "/") {
      paths.append(ExactText(String((inner + "/" + name).dropFirst(root.count + 1))))
    }
    return paths
  }

  private static func resolved(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// What the signature says, once it holds; and the report, where the file had to be read for that.
  private func signature() async throws(Refusal) -> (VerifiedBundle, ModelReport?) {
    let policy = try trust.policy()
    guard let manifest else { return try await signature(policy) }
    let bytes = try InputFile.read(manifest, bytesMax: ChecksumList.bytesMax, tooLarge: .checksumMalformed)
    let list = try ChecksumList(bytes, name: manifest)
    guard bundle != nil else { return (try list.trusted(by: policy), nil) }
    switch try signatureFile() {
    case .bundle(let bundle):
      return (try list.signed(try await bundle.verify(trusting: policy), policy: policy), nil)
    case .detached(let signature):
      return (try list.signed(try signature.verify(list.digest, trusting: policy), policy: policy), nil)
    }
  }

  private func signature(_ policy: TrustPolicy) async throws(Refusal) -> (VerifiedBundle, ModelReport?) {
    switch try signatureFile() {
    case .bundle(let bundle): return (try await bundle.verify(trusting: policy), nil)
    case .detached(let signature):
      let (digest, report) = try ModelCheck.digest(of: model, progress: HashProgress(isWanted: format == .text).update)
      return (try signature.verify(digest, trusting: policy), report)
    }
  }

  private enum SignatureFile {
    case bundle(SignatureBundle)
    case detached(DetachedSignature)
  }

  private func signatureFile() throws(Refusal) -> SignatureFile {
    let bytes = try InputFile.read(bundle ?? "", bytesMax: SignatureBundle.bytesMax, tooLarge: .bundleTooLarge)
    if SignatureBundle.isLikely(bytes) { return .bundle(try SignatureBundle(bytes)) }
    return .detached(try DetachedSignature(bytes))
  }
}
