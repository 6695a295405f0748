// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import CMartletBPF
public import MartletEvents

/// Events of one hook in one container that were seen and could not be delivered.
public struct ContainerLoss: Sendable, Equatable {
  /// Ids of its cgroup, as in records.
  public var cgroupID: UInt64
  public var cgroupV1ID: UInt64
  public var hook: HookName
  /// For want of room, or because they could not be read.
  public var lost: UInt64
  /// Because the container had more than its share of a ring that was filling up.
  public var shed: UInt64

  public var total: UInt64 { lost + shed }
}

/// Which container lost how many events, and what of it has still to be told.
///
/// The kernel side counts. What it has counted comes in by `note`; what is due to be told goes out by `takeNotices`: a
/// container's first loss at once, later ones together, once in a while. Holds no more accounts than the kernel's table.
struct LossLedger {
  struct Key: Hashable {
    var cgroupID: UInt64
    var cgroupV1ID: UInt64
    var hook: UInt32
  }

  private struct Count {
    var total: UInt64 = 0
    var told: UInt64 = 0
    var toldTime: UInt64?

    func isDue(at time: UInt64) -> Bool {
      total > told && toldTime.map { time >= $0 &+ LossLedger.repeatNanoseconds } ?? true
    }
  }

  private struct Account {
    var lost = Count()
    var shed = Count()
    var changeTime: UInt64 = 0
  }

  /// The same loss of the same container is told again after this long, if there is more of it.
  static let repeatNanoseconds: UInt64 = 60_000_000_000
  /// What more is due is told with the next tick.
  static let noticesMax = 8
  /// From here on accounts that have come to rest make room.
  static let crowdedCount = Int(MARTLET_LOSSES_MAX) * 3 / 4

  private var accounts: [Key: Account] = [:]
  /// Of accounts that made room.
  private var forgotten: UInt64 = 0
  private var isAllTold = true

  /// All that the table holds about `key`, which may be no more than before.
  mutating func note(_ key: Key, _ loss: martlet_loss, at time: UInt64) {
    var account = accounts[key] ?? Account()
    guard account.lost.total != loss.lost || account.shed.total != loss.shed else { return }
    account.lost.total = loss.lost
    account.shed.total = loss.shed
    account.changeTime = time
    accounts[key] = account
    isAllTold = false
  }

  /// What is due to be told, the largest first; it counts as told.
  mutating func takeNotices(at time: UInt64) -> [CaptureNotice] {
    guard !isAllTold else { return [] }
    var due: [(key: Key, count: WritableKeyPath<Account, Count>, untold: UInt64)] = []
    isAllTold = true
    for (key, account) in accounts {
      for count in [\Account.lost, \Account.shed] {
        let entry = account[keyPath: count]
        if entry.total > entry.told { isAllTold = false }
        if entry.isDue(at: time) { due.append((key, count, entry.total - entry.told)) }
      }
    }
    due.sort { $0.untold > $1.untold }
    return due.prefix(Self.noticesMax).map { key, count, untold in
      accounts[key]?[keyPath: count].told += untold
      accounts[key]?[keyPath: count].toldTime = time
      var notice = CaptureNotice(
        count == \Account.shed ? .flood : .lost, count: untold, hook: HookName(rawValue: key.hook),
        detail: "cgroup id \(key.cgroupID == 0 ? key.cgroupV1ID : key.cgroupID)")
      notice.cgroupID = key.cgroupID
      notice.cgroupV1ID = key.cgroupV1ID
      return notice
    }
  }

  /// Accounts to be taken out of the kernel's table, when that is getting full: what was told and has not grown since.
  mutating func forgetResting(at time: UInt64) -> [Key] {
    guard accounts.count >= Self.crowdedCount else { return [] }
    let resting = accounts.filter { _, account in
      account.lost.total == account.lost.told && account.shed.total == account.shed.told
        && time >= account.changeTime &+ Self.repeatNanoseconds
    }
    for (key, account) in resting {
      forgotten += account.lost.total + account.shed.total
      accounts[key] = nil
    }
    return Array(resting.keys)
  }

  /// The largest losses, at most `count` of them, and the sum of all others.
  func largest(_ count: Int) -> (losses: [ContainerLoss], others: UInt64) {
    let all = accounts.compactMap { key, account in
      HookName(rawValue: key.hook).map {
        ContainerLoss(
          cgroupID: key.cgroupID, cgroupV1ID: key.cgroupV1ID, hook: $0, lost: account.lost.total,
          shed: account.shed.total)
      }
    }.sorted { $0.total > $1.total }
    return (Array(all.prefix(count)), all.dropFirst(count).reduce(forgotten) { $0 + $1.total })
  }
}

extension LossLedger {
  /// Reads the kernel's table.
  mutating func read(_ probe: OpaquePointer, at time: UInt64) {
    let capacity = Int(MARTLET_LOSSES_MAX)
    withUnsafeTemporaryAllocation(of: martlet_loss_key.self, capacity: capacity) { keys in
      withUnsafeTemporaryAllocation(of: martlet_loss.self, capacity: capacity) { losses in
        let count = martlet_probe_losses(probe, keys.baseAddress, losses.baseAddress, UInt32(capacity))
        for place in 0..<max(Int(count), 0) {
          let key = Key(
            cgroupID: keys[place].cgroup_id, cgroupV1ID: keys[place].cgroup_v1_id, hook: keys[place].hook)
          note(key, losses[place], at: time)
        }
      }
    }
  }
}
