// SPDX-License-Identifier: Apache-2.0

import CMartletABI

/// What a record is about. The raw values are those of `enum martlet_kind` and never change.
public enum EventKind: UInt16, CaseIterable, Sendable {
  case exec = 1
  case process = 2
  case fork = 3
  case exit = 4
  case open = 5
  case connect = 6
  case cgroup = 7
  case host = 32
  case tick = 33
  case end = 34

  /// Bytes of the fixed part: what a record of this kind has at least.
  public var fixedByteCount: Int {
    switch self {
    case .exec, .process: MemoryLayout<martlet_process>.size
    case .fork: MemoryLayout<martlet_fork>.size
    case .exit: MemoryLayout<martlet_exit>.size
    case .open: MemoryLayout<martlet_open>.size
    case .connect: MemoryLayout<martlet_connect>.size
    case .cgroup: MemoryLayout<martlet_cgroup>.size
    case .host: MemoryLayout<martlet_host>.size
    case .tick: MemoryLayout<martlet_record>.size
    case .end: MemoryLayout<martlet_end>.size
    }
  }

  /// Whether rules are tried on it; the others only change what Martlet knows.
  public var isMatched: Bool {
    switch self {
    case .exec, .open, .connect: true
    case .process, .fork, .exit, .cgroup, .host, .tick, .end: false
    }
  }

  /// The word for it in statistics.
  public var name: StaticString {
    switch self {
    case .exec: "exec"
    case .process: "process"
    case .fork: "fork"
    case .exit: "exit"
    case .open: "open"
    case .connect: "connect"
    case .cgroup: "cgroup"
    case .host: "host"
    case .tick: "tick"
    case .end: "end"
    }
  }
}

/// The call an event came from: what rules know as `evt.type`. Raw values are those of `enum martlet_call`.
public enum EventType: UInt8, CaseIterable, Sendable {
  case execve = 1
  case execveat = 2
  case open = 3
  case openat = 4
  case openat2 = 5
  case creat = 6
  case openByHandleAt = 7
  case connect = 8

  /// Falco's name, as rules write it.
  public var name: StaticString {
    switch self {
    case .execve: "execve"
    case .execveat: "execveat"
    case .open: "open"
    case .openat: "openat"
    case .openat2: "openat2"
    case .creat: "creat"
    case .openByHandleAt: "open_by_handle_at"
    case .connect: "connect"
    }
  }

  /// The one kind of record that carries it.
  public var kind: EventKind {
    switch self {
    case .execve, .execveat: .exec
    case .open, .openat, .openat2, .creat, .openByHandleAt: .open
    case .connect: .connect
    }
  }
}

/// A set of event types: which events a rule has to be tried on.
public struct EventTypeSet: OptionSet, Hashable, Sendable {
  public let rawValue: UInt64

  public init(rawValue: UInt64) { self.rawValue = rawValue }

  public init(_ type: EventType) { rawValue = 1 << UInt64(type.rawValue) }

  /// Every type that is captured.
  public static let all = EventTypeSet(EventType.allCases.map { EventTypeSet($0) })

  public func contains(_ type: EventType) -> Bool { rawValue & (1 << UInt64(type.rawValue)) != 0 }

  /// The captured types that are not in the set.
  public var complement: EventTypeSet { EventTypeSet.all.subtracting(self) }
}
