// SPDX-License-Identifier: Apache-2.0

import CMartletABI
public import MartletEvents

/// What became of what the kernel saw, since the source started.
public struct CaptureStatistics: Sendable {
  /// One hook's events: each is filtered, delivered into a ring, or lost for one of four reasons.
  public struct Hook: Sendable, Equatable {
    public var seen: UInt64 = 0
    public var filtered: UInt64 = 0
    public var delivered: UInt64 = 0
    public var lostRingFull: UInt64 = 0
    public var lostNested: UInt64 = 0
    public var lostUnreadable: UInt64 = 0
    public var lostShed: UInt64 = 0

    public var lost: UInt64 { lostRingFull + lostNested + lostUnreadable + lostShed }
    /// Holds whenever no program is between its two counts.
    public var isBalanced: Bool { seen == filtered + delivered + lost }

    init(_ counters: martlet_hook_counters) {
      seen = counters.seen
      filtered = counters.filtered
      delivered = counters.delivered
      lostRingFull = counters.lost_ring_full
      lostNested = counters.lost_nested
      lostUnreadable = counters.lost_unreadable
      lostShed = counters.lost_shed
    }
  }

  /// A table of the probe that can be full; raw values are those of `enum martlet_table`.
  public enum Table: UInt32, CaseIterable, Sendable {
    /// Connections that wait for their result. Those that find no room are told at once, as in progress.
    case attempts = 0
    /// Names of opens that are under way in an io_uring. Those that find no room are told without.
    case ringNames = 1
    /// Models that are open for writing. The last close of those that find no room is not told.
    case written = 2
    /// Lost events by container. What finds no room is counted for its hook alone.
    case losses = 3
  }

  /// The most entries of `losses`.
  public static let lossesMax = 64

  public internal(set) var hooks: [HookName: Hook] = [:]
  /// Lost events by container and hook, the largest number first.
  public internal(set) var losses: [ContainerLoss] = []
  /// Lost events of containers that are not in `losses`. With those of the table `losses` that found no room there, all
  /// three add up to `lost`.
  public internal(set) var otherLosses: UInt64 = 0
  /// How often each table had no room.
  public internal(set) var fullTables: [Table: UInt64] = [:]
  /// Times that the kernel ran no program because the same one was running on that CPU: events that no hook has counted.
  public internal(set) var recursionMisses: UInt64 = 0
  /// Files that could not be watched because the list was full.
  public internal(set) var unwatchedFiles: UInt64 = 0
  /// Records handed out that came through the rings.
  public internal(set) var ringRecords: UInt64 = 0
  /// Those of them that had an earlier time than what was handed out before: stamped, and not yet complete, when the rings
  /// were read.
  public internal(set) var late: UInt64 = 0
  /// Records that came through the rings for the source itself: proofs that hooks work, and acts against the agent.
  public internal(set) var sourceRecords: UInt64 = 0
  public internal(set) var seedRecords: UInt64 = 0
  /// Ticks, host records, lists of resolvers and notices: made here.
  public internal(set) var madeRecords: UInt64 = 0
  /// Notices that found no room: see `KernelSource.raise`.
  public internal(set) var droppedNotices: UInt64 = 0
  /// Times that the seed could not be read to its end. /proc then takes over from the kernel's iterator.
  public internal(set) var seedFailures: UInt64 = 0
  /// Pieces of the seed that were no records.
  public internal(set) var malformed: UInt64 = 0
  public internal(set) var batches: UInt64 = 0

  public var lost: UInt64 { hooks.values.reduce(0) { $0 + $1.lost } }
  public var isBalanced: Bool { hooks.values.allSatisfy(\.isBalanced) }
}

/// A place in the kernel that is watched, and by which of the programs that could.
public struct CaptureHook: Sendable, Equatable {
  public let name: String
  /// Nil where the kernel took none, and where none is wanted.
  public let variant: String?
  public let program: String?
  /// False where the configuration asks for nothing that it sees.
  public let isWanted: Bool
  /// What nobody sees without it.
  public let unseen: String
  /// The kernel's answer to the last variant, as an errno; 0 where it took one or was not asked.
  public let refusal: Int32
  /// Whether the source starts without it.
  public let isOptional: Bool
  public let proof: CaptureProof

  public var isAttached: Bool { variant != nil }
}

/// Something that will not be seen in this run, and why.
public struct CaptureWarning: Sendable, Equatable {
  /// The hooks that are not attached.
  public let hooks: [String]
  public let cause: String
  public let unseen: String

  public var description: String { "not watched (\(cause)): \(unseen)" }
}
