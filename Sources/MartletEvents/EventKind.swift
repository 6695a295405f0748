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
  /// A call on a Unix socket.
  case unix = 8
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
    case .unix: MemoryLayout<martlet_unix>.size
    case .host: MemoryLayout<martlet_host>.size
    case .tick: MemoryLayout<martlet_record>.size
    case .end: MemoryLayout<martlet_end>.size
    }
  }

  /// Whether rules are tried on it; the others only change what Martlet knows.
  public var isMatched: Bool {
    switch self {
    case .exec, .open, .connect, .unix: true
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
    case .unix: "unix"
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
  case accept = 9
  case accept4 = 10
  case listen = 11
  case bind = 12
  case sendto = 13
  case sendmsg = 14
  case sendmmsg = 15
  case recvfrom = 16
  case recvmsg = 17
  case recvmmsg = 18

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
    case .accept: "accept"
    case .accept4: "accept4"
    case .listen: "listen"
    case .bind: "bind"
    case .sendto: "sendto"
    case .sendmsg: "sendmsg"
    case .sendmmsg: "sendmmsg"
    case .recvfrom: "recvfrom"
    case .recvmsg: "recvmsg"
    case .recvmmsg: "recvmmsg"
    }
  }

  /// The kind of record that carries it. Calls on Unix sockets come as `unix` all the same.
  public var kind: EventKind {
    switch self {
    case .execve, .execveat: .exec
    case .open, .openat, .openat2, .creat, .openByHandleAt: .open
    case .connect, .accept, .accept4, .listen, .bind, .sendto, .sendmsg, .sendmmsg, .recvfrom, .recvmsg, .recvmmsg:
      .connect
    }
  }

  /// Whether records of `kind` may carry it.
  func isCarried(by kind: EventKind) -> Bool { kind == self.kind || (kind == .unix && self.kind == .connect) }
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
