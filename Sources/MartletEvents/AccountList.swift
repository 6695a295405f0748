// SPDX-License-Identifier: Apache-2.0

public import CMartletABI

/// The users, or the groups, of a record of accounts, by rising id. Holds as long as the record does.
public struct AccountList: RandomAccessCollection {
  private let record: EventRecord
  private let accounts: UnsafePointer<martlet_account>
  public let endIndex: Int
  public var startIndex: Int { 0 }

  /// `text` is one of the record's two lists, which lies within it and is aligned.
  init(record: EventRecord, _ text: martlet_text) {
    self.record = record
    accounts = (record.start + Int(text.offset_bytes)).assumingMemoryBound(to: martlet_account.self)
    endIndex = Int(text.length_bytes) / MemoryLayout<martlet_account>.size
  }

  public subscript(index: Int) -> martlet_account {
    precondition(index >= 0 && index < endIndex, "no such account")
    return accounts[index]
  }

  /// The account with this id. In a list that is not in order, whoever wrote it, it may not be found.
  public func account(_ id: UInt32) -> martlet_account? {
    var (low, high) = (0, endIndex)
    while low < high {
      let middle = (low + high) / 2
      let account = accounts[middle]
      if account.id == id { return account }
      if account.id < id { low = middle + 1 } else { high = middle }
    }
    return nil
  }

  public func name(_ account: martlet_account) -> ByteView {
    text(account, from: 0, count: account.name_bytes)
  }

  public func home(_ account: martlet_account) -> ByteView {
    text(account, from: UInt32(account.name_bytes), count: account.home_bytes)
  }

  public func shell(_ account: martlet_account) -> ByteView {
    text(account, from: UInt32(account.name_bytes) + UInt32(account.home_bytes), count: account.shell_bytes)
  }

  private func text(_ account: martlet_account, from offset: UInt32, count: UInt16) -> ByteView {
    record.bytes(martlet_text(offset_bytes: account.offset_bytes + offset, length_bytes: UInt32(count)))
  }
}

extension EventRecord {
  /// Of a record of accounts.
  public var users: AccountList { AccountList(record: self, accounts.pointee.users) }
  public var groups: AccountList { AccountList(record: self, accounts.pointee.groups) }
}
