// SPDX-License-Identifier: Apache-2.0

public import CMartletABI

/// One record, checked once and then read without further checks.
///
/// This is the border where bytes from outside become values: the initialiser verifies the length, the kind and every
/// text's place, so that no accessor can leave the record. It owns nothing and holds as long as its batch does.
public struct EventRecord {
  public let kind: EventKind
  let start: UnsafeRawPointer

  /// Nil when the bytes are not a record: too short, of an unknown kind, or with a text that points outside.
  /// The caller counts that; there is nothing to say about such bytes that could be trusted.
  public init?(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress, bytes.count >= MemoryLayout<martlet_record>.size,
      // Texts are put together in buffers of this size: a recording may claim more.
      bytes.count <= Int(MARTLET_RECORD_BYTES_MAX),
      UInt(bitPattern: start) % UInt(MemoryLayout<UInt64>.alignment) == 0
    else { return nil }
    let common = start.assumingMemoryBound(to: martlet_record.self)
    guard Int(common.pointee.length_bytes) == bytes.count, let kind = EventKind(rawValue: common.pointee.kind),
      bytes.count >= kind.fixedByteCount
    else { return nil }
    self.kind = kind
    self.start = start
    guard hasTextsInside(bytes.count) else { return nil }
    if kind.isMatched {
      guard let type = EventType(rawValue: UInt8(truncatingIfNeeded: common.pointee.call)),
        type.isCarried(by: kind), common.pointee.call <= UInt8.max
      else { return nil }
    }
  }

  /// What bytes say that they are a record of. Says nothing about whether they are one.
  public static func claimedKind(_ bytes: UnsafeRawBufferPointer) -> EventKind? {
    guard bytes.count >= MemoryLayout<martlet_record>.size,
      let offset = MemoryLayout<martlet_record>.offset(of: \.kind)
    else { return nil }
    return EventKind(rawValue: bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
  }

  /// Whether bytes say that they are a record with this flag. Says nothing about whether they are one.
  public static func claims(flag: UInt32, _ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count >= MemoryLayout<martlet_record>.size,
      let offset = MemoryLayout<martlet_record>.offset(of: \.flags)
    else { return false }
    return bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self) & flag != 0
  }

  /// The whole record, as long as it says.
  public var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: start, count: Int(common.pointee.length_bytes))
  }

  /// The part that every record has.
  public var common: UnsafePointer<martlet_record> { start.assumingMemoryBound(to: martlet_record.self) }

  /// The fixed parts by kind. Asking for another kind's is a programming error.
  public var process: UnsafePointer<martlet_process> {
    precondition(kind == .exec || kind == .process, "not a process record")
    return start.assumingMemoryBound(to: martlet_process.self)
  }
  public var fork: UnsafePointer<martlet_fork> { fixedPart(.fork) }
  public var exit: UnsafePointer<martlet_exit> { fixedPart(.exit) }
  public var open: UnsafePointer<martlet_open> { fixedPart(.open) }
  public var connect: UnsafePointer<martlet_connect> { fixedPart(.connect) }
  public var unix: UnsafePointer<martlet_unix> { fixedPart(.unix) }
  public var call: UnsafePointer<martlet_syscall> { fixedPart(.call) }
  public var cgroup: UnsafePointer<martlet_cgroup> { fixedPart(.cgroup) }
  public var dns: UnsafePointer<martlet_dns> { fixedPart(.dns) }
  public var host: UnsafePointer<martlet_host> { fixedPart(.host) }
  public var end: UnsafePointer<martlet_end> { fixedPart(.end) }
  public var resolvers: UnsafePointer<martlet_resolvers> { fixedPart(.resolvers) }
  public var file: UnsafePointer<martlet_file> { fixedPart(.file) }
  public var notice: UnsafePointer<martlet_notice> { fixedPart(.notice) }
  public var container: UnsafePointer<martlet_container> { fixedPart(.container) }
  public var accounts: UnsafePointer<martlet_accounts> { fixedPart(.accounts) }
  public var model: UnsafePointer<martlet_model> { fixedPart(.model) }
  public var inquiry: UnsafePointer<martlet_inquiry> { fixedPart(.inquiry) }

  /// Nil for records that rules are not tried on.
  public var type: EventType? { EventType(rawValue: UInt8(truncatingIfNeeded: common.pointee.call)) }

  /// CLOCK_BOOTTIME, in nanoseconds.
  public var timeNanoseconds: UInt64 { common.pointee.time_ns }

  /// The bytes of one of this record's texts. `text` must come from this record.
  public func bytes(_ text: martlet_text) -> ByteView {
    ByteView(
      start: (start + Int(text.offset_bytes)).assumingMemoryBound(to: UInt8.self), count: Int(text.length_bytes))
  }

  /// What a process was started with, `NAME=VALUE` each ended by NUL; nil where it was not asked for.
  public var environment: ByteView? {
    guard kind == .exec || kind == .process, has(flag: UInt32(MARTLET_FLAG_ENVIRONMENT)) else { return nil }
    return bytes(start.assumingMemoryBound(to: martlet_process_environment.self).pointee.environment)
  }

  /// What a container has mounted: of each mount five texts, each ended by NUL; nil where that is not known.
  public var mounts: ByteView? {
    guard kind == .container, container.pointee.facts & MARTLET_CONTAINER_MOUNTS != 0 else { return nil }
    return bytes(start.assumingMemoryBound(to: martlet_container_mounts.self).pointee.mounts)
  }

  /// The state of a file that was opened: of models and of watched files; nil for any other.
  public var fileState: martlet_file_state? {
    guard kind == .open, has(flag: UInt32(MARTLET_FLAG_FILE_STATE)) else { return nil }
    return start.assumingMemoryBound(to: martlet_open_state.self).pointee.state
  }

  /// The acting thread's name, without its padding.
  public var comm: ByteView {
    // The name is the record's last member; a test holds this to be so.
    let offset = MemoryLayout<martlet_record>.size - Int(MARTLET_COMM_BYTES)
    let whole = ByteView(
      start: (start + offset).assumingMemoryBound(to: UInt8.self), count: Int(MARTLET_COMM_BYTES))
    return whole.slice(from: 0, to: whole.firstIndex(of: 0) ?? whole.count)
  }

  /// Whether the kernel side said that something about this record is not as it should be.
  public func has(flag: UInt32) -> Bool { common.pointee.flags & flag != 0 }

  /// Whether the kernel's filter would have dropped it, and was told to mark instead.
  public var isUnwanted: Bool { has(flag: UInt32(MARTLET_FLAG_UNWANTED)) }

  private func fixedPart<Part>(_ expected: EventKind) -> UnsafePointer<Part> {
    precondition(kind == expected, "a record was read as another kind than its own")
    return start.assumingMemoryBound(to: Part.self)
  }

  private func hasTextsInside(_ byteCount: Int) -> Bool {
    func isInside(_ text: martlet_text) -> Bool {
      text.length_bytes == 0 && text.offset_bytes <= byteCount
        || text.offset_bytes >= kind.fixedByteCount
          && UInt64(text.offset_bytes) + UInt64(text.length_bytes) <= UInt64(byteCount)
    }
    switch kind {
    case .exec, .process:
      let part = process.pointee
      if has(flag: UInt32(MARTLET_FLAG_ENVIRONMENT)) {
        guard byteCount >= MemoryLayout<martlet_process_environment>.size,
          isInside(start.assumingMemoryBound(to: martlet_process_environment.self).pointee.environment)
        else { return false }
      }
      return isInside(part.exe_path) && isInside(part.filename) && isInside(part.arguments)
        && isInside(part.directory)
    case .open:
      let part = open.pointee
      guard !has(flag: UInt32(MARTLET_FLAG_FILE_STATE)) || byteCount >= MemoryLayout<martlet_open_state>.size else {
        return false
      }
      return isInside(part.path) && isInside(part.name) && isInside(part.directory)
    case .unix:
      let part = unix.pointee
      return isInside(part.name) && isInside(part.peer_name) && isInside(part.path)
    case .call:
      let part = call.pointee
      return isInside(part.path) && isInside(part.names.0) && isInside(part.names.1) && isInside(part.names.2)
        && isInside(part.directories.0) && isInside(part.directories.1)
    case .file:
      let part = file.pointee
      return part.change > 0 && part.change < MARTLET_CHANGE_COUNT.rawValue && isInside(part.path)
        && isInside(part.name) && isInside(part.directory)
    case .cgroup: return isInside(cgroup.pointee.path)
    case .dns: return isInside(dns.pointee.message)
    case .resolvers: return isInside(resolvers.pointee.addresses)
    case .host: return isInside(host.pointee.hostname) && isInside(host.pointee.node_id)
    case .notice: return isInside(notice.pointee.detail)
    case .accounts:
      let part = accounts.pointee
      return isInside(part.container_id) && isInside(part.pod_uid) && areAccounts(part.users, isInside)
        && areAccounts(part.groups, isInside)
    case .inquiry: return isInside(inquiry.pointee.id)
    case .container:
      let part = container.pointee
      if part.facts & MARTLET_CONTAINER_MOUNTS != 0 {
        guard byteCount >= MemoryLayout<martlet_container_mounts>.size,
          isInside(start.assumingMemoryBound(to: martlet_container_mounts.self).pointee.mounts)
        else { return false }
      }
      return [
        part.id, part.name, part.image, part.image_repository, part.image_tag, part.image_digest, part.image_id,
        part.labels, part.pod_name, part.pod_namespace, part.pod_uid, part.pod_labels, part.sandbox_id, part.address,
      ].allSatisfy(isInside)
    case .model:
      let part = model.pointee
      return [
        part.path, part.opened_as, part.state, part.digest, part.claimed_digest, part.signer, part.method,
        part.model_name, part.root_digest, part.resource, part.format, part.source, part.guarantee, part.change,
      ].allSatisfy(isInside)
    case .fork, .exit, .connect, .tick, .end, .start: return true
    }
  }

  /// Whether the text is a row of accounts whose own texts lie in the record.
  private func areAccounts(_ text: martlet_text, _ isInside: (martlet_text) -> Bool) -> Bool {
    guard isInside(text), text.offset_bytes % 8 == 0, Int(text.length_bytes) % MemoryLayout<martlet_account>.size == 0
    else { return false }
    return AccountList(record: self, text).allSatisfy { account in
      let length = UInt32(account.name_bytes) + UInt32(account.home_bytes) + UInt32(account.shell_bytes)
      return isInside(martlet_text(offset_bytes: account.offset_bytes, length_bytes: length))
    }
  }
}
