// SPDX-License-Identifier: Apache-2.0

extension Refusal {
  /// Every reason for which something is not verified. Each is a rule of its own, with a test that makes it bite.
  ///
  /// The raw values are an interface: rules, scripts and dashboards compare them. They are never reused.
  public enum Reason: String, CaseIterable, Hashable, Sendable {
    // Reading a bundle.
    case bundleTooLarge = "bundle-too-large"
    case jsonMalformed = "json-malformed"
    case jsonTooDeep = "json-too-deep"
    case jsonTooManyValues = "json-too-many-values"
    case jsonDuplicateKey = "json-duplicate-key"
    case base64Malformed = "base64-malformed"
    case fieldMissing = "field-missing"
    case contentAmbiguous = "content-ambiguous"
    case methodAmbiguous = "method-ambiguous"
    case signatureCount = "signature-count"
    case certificateCount = "certificate-count"
    case certificateMalformed = "certificate-malformed"

    // Formats that are known and not supported, or not known at all.
    case mediaType = "media-type"
    case payloadType = "payload-type"
    case statementType = "statement-type"
    case predicateType = "predicate-type"
    case legacyStatement = "oms-v0.2"
    case hashAlgorithm = "hash-algorithm"
    case serialization = "serialization"
    case keyType = "key-type"
    case rekorV2 = "rekor-v2"

    // Who signed.
    case methodNotTrusted = "method-not-trusted"
    case keyUnknown = "key-unknown"
    case chainUntrusted = "chain-untrusted"
    case certificateUsage = "certificate-usage"
    case identityMismatch = "identity-mismatch"
    case issuerMismatch = "issuer-mismatch"
    case logUnknown = "log-unknown"

    // Whether the signature holds.
    case signatureInvalid = "signature-invalid"
    case logEntryCount = "log-entry-count"
    case logEntryKind = "log-entry-kind"
    case logEntryMismatch = "log-entry-mismatch"
    case logPromiseMissing = "log-promise-missing"
    case logPromiseInvalid = "log-promise-invalid"
    case logTimeOutside = "log-time-outside"
    case logProofMissing = "log-proof-missing"
    case logProofInvalid = "log-proof-invalid"
    case checkpointInvalid = "checkpoint-invalid"
    case timestampMissing = "certificate-timestamp-missing"
    case timestampInvalid = "certificate-timestamp-invalid"

    // What was signed.
    case subjectCount = "subject-count"
    case rootDigestMismatch = "root-digest-mismatch"
    case resourceCount = "resource-count"
    case resourceName = "resource-name"
    case resourceDuplicate = "resource-duplicate"
    case resourceDigest = "resource-digest"
    case shardRange = "shard-range"
    case serializationMalformed = "serialization-malformed"

    // Time and revocation.
    case certificateExpired = "certificate-expired"
    case signerRevoked = "signer-revoked"
    case digestRevoked = "digest-revoked"

    // What the operator gives.
    case inputUnreadable = "input-unreadable"
    case pemMalformed = "pem-malformed"
    case keyMissing = "key-missing"
    case anchorMissing = "anchor-missing"
    case trustedRootMalformed = "trusted-root-malformed"
    case checksumMalformed = "checksum-malformed"

    // The model on disk.
    case modelMissing = "model-missing"
    case modelUnreadable = "model-unreadable"
    case modelTooManyFiles = "model-too-many-files"
    case modelTooDeep = "model-too-deep"
    case notARegularFile = "not-a-regular-file"
    case filesDiffer = "files-differ"
    case filesExtra = "files-extra"
    case notSigned = "not-signed"
    case changed = "changed"
  }
}

extension Refusal.Reason {
  /// What `model.state` says for this reason.
  var state: ModelState {
    switch self {
    case .bundleTooLarge, .jsonMalformed, .jsonTooDeep, .jsonTooManyValues, .jsonDuplicateKey, .base64Malformed,
      .fieldMissing, .contentAmbiguous, .methodAmbiguous, .signatureCount, .certificateCount, .certificateMalformed,
      .inputUnreadable, .pemMalformed, .keyMissing, .anchorMissing, .trustedRootMalformed, .checksumMalformed,
      .modelMissing,
      .modelUnreadable, .modelTooManyFiles, .modelTooDeep, .notARegularFile:
      .error(self)
    case .mediaType, .payloadType, .statementType, .predicateType, .legacyStatement, .hashAlgorithm, .serialization,
      .keyType, .rekorV2, .logEntryKind:
      .unsupported(self)
    case .methodNotTrusted, .keyUnknown, .chainUntrusted, .certificateUsage, .identityMismatch, .issuerMismatch,
      .logUnknown:
      .untrustedSigner
    case .signatureInvalid, .logEntryCount, .logEntryMismatch, .logPromiseMissing,
      .logPromiseInvalid, .logTimeOutside, .logProofMissing, .logProofInvalid, .checkpointInvalid, .timestampMissing,
      .timestampInvalid, .subjectCount, .rootDigestMismatch, .resourceCount, .resourceName, .resourceDuplicate,
      .resourceDigest, .shardRange, .serializationMalformed:
      .badSignature
    case .certificateExpired:
      .expired
    case .signerRevoked, .digestRevoked:
      .revoked
    case .filesDiffer:
      .digestMismatch
    case .filesExtra, .notSigned:
      .unsigned
    case .changed:
      .unstable
    }
  }
}
