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
  /// A call without a kind of its own.
  case call = 12
  /// A resolver answered a question that was asked.
  case dns = 16
  case host = 32
  case tick = 33
  case end = 34
  /// Whose answers are believed.
  case resolvers = 40
  /// Something became of a file that is watched, or of a model that was written.
  case file = 20
  /// What the agent found out about itself.
  case notice = 35
  /// What a runtime says about a container.
  case container = 36
  /// A container has started.
  case start = 44
  /// What users and groups are called.
  case accounts = 45
  /// What is known about a model that was opened, or that it changed.
  case model = 46
  /// Whether runtimes are asked about containers, and what nobody could answer.
  case inquiry = 48

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
    case .call: MemoryLayout<martlet_syscall>.size
    case .dns: MemoryLayout<martlet_dns>.size
    case .host: MemoryLayout<martlet_host>.size
    case .tick, .start: MemoryLayout<martlet_record>.size
    case .end: MemoryLayout<martlet_end>.size
    case .resolvers: MemoryLayout<martlet_resolvers>.size
    case .file: MemoryLayout<martlet_file>.size
    case .notice: MemoryLayout<martlet_notice>.size
    case .container: MemoryLayout<martlet_container>.size
    case .accounts: MemoryLayout<martlet_accounts>.size
    case .model: MemoryLayout<martlet_model>.size
    case .inquiry: MemoryLayout<martlet_inquiry>.size
    }
  }

  /// Whether rules are tried on it; the others only change what Martlet knows.
  public var isMatched: Bool {
    switch self {
    case .exec, .open, .connect, .unix, .call, .start, .model: true
    case .process, .fork, .exit, .cgroup, .dns, .file, .host, .tick, .end, .notice, .container, .resolvers, .accounts,
      .inquiry:
      false
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
    case .call: "call"
    case .dns: "dns"
    case .host: "host"
    case .tick: "tick"
    case .end: "end"
    case .resolvers: "resolvers"
    case .file: "file"
    case .notice: "notice"
    case .container: "container"
    case .start: "start"
    case .accounts: "accounts"
    case .model: "model"
    case .inquiry: "inquiry"
    }
  }
}
