// SPDX-License-Identifier: Apache-2.0

public import CMartletABI

/// What is known about a model that a process opened, or what became of it, before it becomes a record.
public struct ModelEvent: StreamReport, Equatable {
  /// The record of the open, whose task, user and cgroups the report has.
  public var opener: martlet_record
  public var type = EventType.modelVerdict
  public var device: UInt32 = 0
  public var inode: UInt64 = 0
  public var sizeBytes: UInt64 = 0
  /// How long reading it took; 0 where it was not read for this.
  public var hashNanoseconds: UInt64 = 0
  public var path: [UInt8] = []
  public var openedAs: [UInt8] = []
  /// `verified`, or why not.
  public var state: [UInt8] = []
  /// Nil where nothing is known of it.
  public var isVerified: Bool?
  /// In hexadecimal, as all digests here.
  public var digest: [UInt8] = []
  public var claimedDigest: [UInt8] = []
  public var signer: [UInt8] = []
  public var isSignerExpired = false
  public var method: [UInt8] = []
  /// As the signer calls the model, and the file in it.
  public var modelName: [UInt8] = []
  public var rootDigest: [UInt8] = []
  public var resource: [UInt8] = []
  /// Whether the file is called as the signer called it; nil where one of the names is not known.
  public var isNameMatching: Bool?
  public var format: ModelFormat?
  public var isPickleCapable = false
  public var isCached = false
  public var source: [UInt8] = []
  public var guarantee: [UInt8] = []
  /// Of a change: what was done, and by whom.
  public var change: [UInt8] = []
  public var changerID: UInt32 = 0

  /// Of a text; what is longer is cut, paths at the front.
  public static let textByteCountMax = 4096

  public init(opener: martlet_record) { self.opener = opener }

  public static func == (left: ModelEvent, right: ModelEvent) -> Bool {
    left.withRecord(at: 0) { left in right.withRecord(at: 0) { right in left.elementsEqual(right) } }
  }

  public func withRecord<Result>(
    at timeNanoseconds: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    let fixed = MemoryLayout<martlet_model>.size
    var texts: [UInt8] = []
    var part = part { bytes, isPath in
      let kept = isPath ? bytes.suffix(Self.textByteCountMax) : bytes.prefix(Self.textByteCountMax)
      let offset = fixed + texts.count
      texts += kept
      return martlet_text(offset_bytes: UInt32(offset), length_bytes: UInt32(kept.count))
    }
    let byteCount = (fixed + texts.count + 7) & ~7
    part.record = opener
    part.record.length_bytes = UInt32(byteCount)
    part.record.kind = UInt16(MARTLET_KIND_MODEL.rawValue)
    part.record.call = UInt16(type.rawValue)
    part.record.flags = 0
    part.record.time_ns = timeNanoseconds
    part.opened_ns = opener.time_ns
    return try withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: MemoryLayout<UInt64>.alignment) { bytes in
      bytes.initializeMemory(as: UInt8.self, repeating: 0)
      bytes.storeBytes(of: part, as: martlet_model.self)
      UnsafeMutableRawBufferPointer(rebasing: bytes[fixed...]).copyBytes(from: texts)
      return try body(UnsafeRawBufferPointer(bytes))
    }
  }

  /// The fixed part but for its record, with each text where `place` puts it.
  private func part(_ place: (_ text: [UInt8], _ isPath: Bool) -> martlet_text) -> martlet_model {
    var part = martlet_model()
    part.inode = inode
    part.device = device
    part.size_bytes = sizeBytes
    part.hash_ns = hashNanoseconds
    part.changer_id = changerID
    part.facts = facts
    part.path = place(path, true)
    part.opened_as = place(openedAs, true)
    part.state = place(state, false)
    part.digest = place(digest, false)
    part.claimed_digest = place(claimedDigest, false)
    part.signer = place(signer, false)
    part.method = place(method, false)
    part.model_name = place(modelName, false)
    part.root_digest = place(rootDigest, false)
    part.resource = place(resource, false)
    part.format = place(format.map { Array($0.rawValue.utf8) } ?? [], false)
    part.source = place(source, false)
    part.guarantee = place(guarantee, false)
    part.change = place(change, false)
    return part
  }

  private var facts: UInt32 {
    var facts: UInt32 = 0
    if let isVerified { facts |= MARTLET_MODEL_VERIFIED_KNOWN | (isVerified ? MARTLET_MODEL_VERIFIED : 0) }
    if let isNameMatching { facts |= MARTLET_MODEL_NAME_KNOWN | (isNameMatching ? MARTLET_MODEL_NAME_MATCHES : 0) }
    if isPickleCapable { facts |= MARTLET_MODEL_PICKLE_CAPABLE }
    if isCached { facts |= MARTLET_MODEL_CACHED }
    if isSignerExpired { facts |= MARTLET_MODEL_SIGNER_EXPIRED }
    return facts
  }
}
