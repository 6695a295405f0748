// SPDX-License-Identifier: Apache-2.0

import CMartletABI

/// What the users and groups of a container, or of the host, are called, before it becomes a record.
///
/// Texts are bytes as the container's files have them: whoever may write those chose them.
public struct AccountReport: StreamReport, Equatable {
  /// A user, or a group, which has a name alone.
  public struct Account: Equatable, Sendable {
    /// As the node sees it.
    public var id: UInt32
    public var name: [UInt8]
    public var home: [UInt8]
    public var shell: [UInt8]

    public init(id: UInt32, name: [UInt8], home: [UInt8] = [], shell: [UInt8] = []) {
      self.id = id
      self.name = name
      self.home = home
      self.shell = shell
    }
  }

  /// As in the names of its cgroups; empty for the host.
  public var containerID: [UInt8]
  /// Likewise; empty outside of pods.
  public var podUID: [UInt8]
  public private(set) var users: [Account] = []
  public private(set) var groups: [Account] = []
  /// Nobody was there any more to read them from: what was known before still counts, and there is nothing to wait for.
  public var isUnknown = false
  /// Something in it was cut or left out.
  public private(set) var isCut = false
  private var textByteCount = 0

  /// Of users, and again of groups: those that come later find no room.
  public static let countMax = 1024
  /// Of a name, a home directory or a shell: what is longer is cut.
  public static let textByteCountMax = 256
  /// Of all texts together.
  public static let allTextsByteCountMax = 64 << 10
  /// Of the longest record of one.
  public static let recordByteCountMax =
    MemoryLayout<martlet_accounts>.size + 2 * countMax * MemoryLayout<martlet_account>.size + allTextsByteCountMax
    + 2 * 128 + 7

  public init(containerID: [UInt8] = [], podUID: [UInt8] = []) {
    self.containerID = Array(containerID.prefix(128))
    self.podUID = Array(podUID.prefix(128))
  }

  /// False where there is no room.
  public mutating func add(user: Account) -> Bool { add(user, to: \.users) }

  public mutating func add(group: Account) -> Bool { add(group, to: \.groups) }

  private mutating func add(_ account: Account, to list: WritableKeyPath<Self, [Account]>) -> Bool {
    func cut(_ text: [UInt8]) -> [UInt8] { Array(text.prefix(Self.textByteCountMax)) }
    let fitting = Account(
      id: account.id, name: cut(account.name), home: cut(account.home), shell: cut(account.shell))
    let byteCount = fitting.name.count + fitting.home.count + fitting.shell.count
    if fitting != account { isCut = true }
    guard self[keyPath: list].count < Self.countMax, textByteCount + byteCount <= Self.allTextsByteCountMax else {
      isCut = true
      return false
    }
    textByteCount += byteCount
    self[keyPath: list].append(fitting)
    return true
  }

  public func withRecord<Result>(
    at timeNanoseconds: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    let lists = [users, groups].map(Self.inOrder)
    let fixed = MemoryLayout<martlet_accounts>.size
    let listed = lists.reduce(0) { $0 + $1.count } * MemoryLayout<martlet_account>.size
    var texts: [UInt8] = []
    func place(_ bytes: [UInt8]) -> martlet_text {
      defer { texts += bytes }
      return martlet_text(
        offset_bytes: UInt32(fixed + listed + texts.count), length_bytes: UInt32(bytes.count))
    }
    var part = martlet_accounts()
    part.container_id = place(containerID)
    part.pod_uid = place(podUID)
    let entries = lists.map { list in
      list.map { account in
        martlet_account(
          id: account.id, name_bytes: UInt16(account.name.count), home_bytes: UInt16(account.home.count),
          shell_bytes: UInt16(account.shell.count), reserved: 0,
          offset_bytes: place(account.name + account.home + account.shell).offset_bytes)
      }
    }
    let sizes = entries.map { UInt32($0.count * MemoryLayout<martlet_account>.size) }
    part.users = martlet_text(offset_bytes: UInt32(fixed), length_bytes: sizes[0])
    part.groups = martlet_text(offset_bytes: UInt32(fixed) + sizes[0], length_bytes: sizes[1])
    let byteCount = (fixed + listed + texts.count + 7) & ~7
    part.record.length_bytes = UInt32(byteCount)
    part.record.kind = UInt16(MARTLET_KIND_ACCOUNTS.rawValue)
    part.record.flags = (isCut ? MARTLET_FLAG_NAME_TRUNCATED : 0) | (isUnknown ? MARTLET_FLAG_NAME_MISSING : 0)
    part.record.time_ns = timeNanoseconds
    return try withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: MemoryLayout<UInt64>.alignment) { bytes in
      bytes.initializeMemory(as: UInt8.self, repeating: 0)
      bytes.storeBytes(of: part, as: martlet_accounts.self)
      entries.joined().withContiguousCopy {
        UnsafeMutableRawBufferPointer(rebasing: bytes[fixed...]).copyMemory(from: $0)
      }
      UnsafeMutableRawBufferPointer(rebasing: bytes[(fixed + listed)...]).copyBytes(from: texts)
      return try body(UnsafeRawBufferPointer(bytes))
    }
  }

  /// By rising id. Of several with the same id the first counts, as it does to getpwuid(3).
  private static func inOrder(_ list: [Account]) -> [Account] {
    var ids: Set<UInt32> = []
    return list.filter { ids.insert($0.id).inserted }.sorted { $0.id < $1.id }
  }
}

extension Sequence<martlet_account> {
  fileprivate func withContiguousCopy(_ body: (UnsafeRawBufferPointer) -> Void) { Array(self).withUnsafeBytes(body) }
}
