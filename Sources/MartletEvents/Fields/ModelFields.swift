// SPDX-License-Identifier: Apache-2.0

/// What is known about a model file. The agent says it in events of its own, `model_verdict` and `model_changed`, whose
/// process is the one that opened the file.
extension FieldRegistry {
  static let modelFields: [FieldDescription] = [
    .init(
      .modelPath, "model.path", .path, on: [.open, .model],
      "Path of the model file, as the kernel resolved it, seen from the process's mount namespace."),
    .init(
      .modelOpenedAs, "model.opened_as", .path, on: [.model],
      "Path of the model file as the program spelled it, made absolute."),
    .init(
      .modelState, "model.state", .string, on: [.open, .model],
      "What is known of the bytes: verified, unsigned, digest_mismatch, claimed_mismatch, untrusted_signer, bad_signature, expired, revoked, unstable (somebody could write while it was read), changed, or with a reason behind a colon skipped, unsupported, error. On the open itself: pending."
    ),
    .init(
      .modelVerified, "model.verified", .boolean, on: [.model],
      "Whether these bytes are the ones that a trusted signer published. Missing where the state is neither good nor bad: pending, skipped, unstable, unsupported, error."
    ),
    .init(.modelDigest, "model.digest", .string, on: [.model], "SHA-256 of the file, in hexadecimal."),
    .init(
      .modelClaimedDigest, "model.claimed_digest", .string, on: [.open, .model],
      "SHA-256 that the file's name claims, as in the stores of Hugging Face and Ollama."),
    .init(
      .modelSigner, "model.signer", .string, on: [.model],
      "Who signed: `key:` and its digest, `cert:` or `sigstore:` with identity and issuer, `allowlist:` with its file."),
    .init(
      .modelSignerExpired, "model.signer_expired", .boolean, on: [.model],
      "Whether the signer's certificate was no longer valid at the verdict. Missing without a signer."),
    .init(
      .modelMethod, "model.method", .string, on: [.model],
      "How it was signed: oms (OpenSSF Model Signing), cosign, manifest."),
    .init(.modelName, "model.name", .string, on: [.model], "What the signer calls the model."),
    .init(
      .modelRootDigest, "model.root_digest", .string, on: [.model],
      "Digest of the whole model that the file belongs to. Missing for lists and single files."),
    .init(.modelResource, "model.resource", .string, on: [.model], "What the signer calls the file in the model."),
    .init(
      .modelResourceMatch, "model.resource_match", .boolean, on: [.model],
      "Whether the file is called as the signer called it. Missing where it is not verified or has no name."),
    .init(
      .modelFormat, "model.format", .string, on: [.open, .model],
      "safetensors, gguf, ggml, onnx, torch, pickle, keras, hdf5, numpy, tflite, tensorflow, tensorrt, coreml, zip: by the first bytes, on the open itself by the name."
    ),
    .init(
      .modelPickleCapable, "model.pickle_capable", .boolean, on: [.open, .model],
      "Whether the usual loader of the format may run code that the file brings along: torch, pickle."),
    .init(
      .modelSource, "model.source", .string, on: [.model],
      "Where the file lies: image (a lower layer of an overlay), container (its upper layer), volume."),
    .init(
      .modelGuarantee, "model.guarantee", .string, on: [.model],
      "What the digest stands on: immutable (a file system that nobody can write to), stable (nobody could write the file while it was read), best_effort (that could not be told)."
    ),
    .init(
      .modelSize, "model.size", .uint64, on: [.model], "Bytes of the file."),
    .init(
      .modelHashMilliseconds, "model.hash_ms", .uint64, on: [.model], "How long reading took, in milliseconds."),
    .init(
      .modelCached, "model.cached", .boolean, on: [.model],
      "Whether the digest was known before the file was opened."),
    .init(
      .modelChange, "model.change", .string, on: [.model],
      "What was done to a model in use: written, truncated. Missing on a verdict."),
    .init(
      .modelChangerID, "model.changed_by.pid", .processID, on: [.model],
      "Id of the process that changed a model in use. Missing on a verdict."),
    .init(
      .modelLastOpenAge, "model.last_open.age", .relativeTime,
      "Nanoseconds since the process, or one that it descends from, last opened a model; a pickle-capable one counts for a minute before all others. What was opened on the host counts for no container."
    ),
    .init(.modelLastOpenPath, "model.last_open.path", .path, "Path of that model, as the kernel resolved it."),
    .init(
      .modelLastOpenPickleCapable, "model.last_open.pickle_capable", .boolean,
      "Whether that model is pickle-capable, by its name; once it was read, by its bytes."),
  ]
}

extension Field {
  /// Whether it is about one model file: a rule that asks for it is tried on what the agent says of models.
  public var isOfModel: Bool {
    switch self {
    case .modelPath, .modelOpenedAs, .modelState, .modelVerified, .modelDigest, .modelClaimedDigest, .modelSigner,
      .modelSignerExpired, .modelMethod, .modelName, .modelRootDigest, .modelResource, .modelResourceMatch,
      .modelFormat, .modelPickleCapable, .modelSource, .modelGuarantee, .modelSize, .modelHashMilliseconds,
      .modelCached, .modelChange, .modelChangerID:
      true
    default: false
    }
  }

  /// Whether it is about a model that the process opened before.
  public var isOfLastModelOpen: Bool {
    self == .modelLastOpenAge || self == .modelLastOpenPath || self == .modelLastOpenPickleCapable
  }
}
