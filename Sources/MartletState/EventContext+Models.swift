// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import MartletEvents

/// What rules ask about models: of an event about one, of an open what its name says, and of any process what it opened
/// before.
extension EventContext {
  mutating func extractModel(_ field: Field, _ record: EventRecord) -> FieldValue {
    if field.isOfLastModelOpen { return extractLastModelOpen(field, record) }
    switch record.kind {
    case .model: return extract(field, of: record, record.model.pointee)
    case .open where record.has(flag: UInt32(MARTLET_FLAG_FILE_STATE)): return extractOpenedModel(field)
    default: return .missing
    }
  }

  private func extract(_ field: Field, of record: EventRecord, _ part: martlet_model) -> FieldValue {
    func text(_ text: martlet_text) -> FieldValue { text.length_bytes == 0 ? .missing : .text(record.bytes(text)) }
    func fact(_ fact: UInt32, if isKnown: Bool = true) -> FieldValue {
      isKnown ? .boolean(part.facts & fact != 0) : .missing
    }
    switch field {
    case .modelPath: return text(part.path)
    case .modelOpenedAs: return text(part.opened_as)
    case .modelState: return text(part.state)
    case .modelVerified: return fact(MARTLET_MODEL_VERIFIED, if: part.facts & MARTLET_MODEL_VERIFIED_KNOWN != 0)
    case .modelDigest: return text(part.digest)
    case .modelClaimedDigest: return text(part.claimed_digest)
    case .modelSigner: return text(part.signer)
    case .modelSignerExpired: return fact(MARTLET_MODEL_SIGNER_EXPIRED, if: part.signer.length_bytes > 0)
    case .modelMethod: return text(part.method)
    case .modelName: return text(part.model_name)
    case .modelRootDigest: return text(part.root_digest)
    case .modelResource: return text(part.resource)
    case .modelResourceMatch:
      return fact(MARTLET_MODEL_NAME_MATCHES, if: part.facts & MARTLET_MODEL_NAME_KNOWN != 0)
    case .modelFormat: return text(part.format)
    case .modelPickleCapable: return fact(MARTLET_MODEL_PICKLE_CAPABLE)
    case .modelSource: return text(part.source)
    case .modelGuarantee: return text(part.guarantee)
    case .modelSize: return .unsigned(part.size_bytes)
    case .modelHashMilliseconds: return .unsigned(part.hash_ns / 1_000_000)
    case .modelCached: return fact(MARTLET_MODEL_CACHED)
    case .modelChange: return text(part.change)
    case .modelChangerID: return part.change.length_bytes == 0 ? .missing : .signed(Int64(part.changer_id))
    default: return .missing
    }
  }

  /// Nothing but names is known when a file is opened.
  private mutating func extractOpenedModel(_ field: Field) -> FieldValue {
    guard let path = resolvedPath else { return .missing }
    let format = ModelFormat(path: path) ?? spelledPath().flatMap { ModelFormat(path: $0) }
    switch field {
    case .modelPath: return .text(path)
    case .modelState: return .text("pending")
    case .modelClaimedDigest: return text(ClaimedDigest.digits(in: path))
    case .modelFormat: return format.map { .text(ByteView($0.name)) } ?? .missing
    case .modelPickleCapable: return format.map { .boolean($0.isPickleCapable) } ?? .missing
    default: return .missing
    }
  }

  private func extractLastModelOpen(_ field: Field, _ record: EventRecord) -> FieldValue {
    guard let state else { return .missing }
    let reference = state.processes.slots[Int(slot)].modelOpen
    guard let open = state.modelOpens.find(reference), !open.pointee.isOnHost || process.pointee.container == .host
    else { return .missing }
    switch field {
    case .modelLastOpenAge:
      let (then, now) = (open.pointee.timeNanoseconds, record.timeNanoseconds)
      return .unsigned(now > then ? now - then : 0)
    case .modelLastOpenPath: return .text(state.modelOpens.path(of: reference))
    case .modelLastOpenPickleCapable: return .boolean(open.pointee.isPickleCapable)
    default: return .missing
    }
  }
}
