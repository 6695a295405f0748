// SPDX-License-Identifier: Apache-2.0

/// What a hook's counters are about; raw values are those of `enum martlet_hook`.
public enum HookName: UInt32, CaseIterable, Sendable {
  case exec = 0
  case fork = 1
  case exit = 2
  case open = 3
  case connect = 4
  case cgroup = 5
  /// Calls on sockets other than an internet socket's connect.
  case socket = 6
  /// Opens through io_uring.
  case ring = 7
  /// Calls without a hook of their own.
  case call = 8
  /// Answers of resolvers; those that nobody asked for, and those that name nothing, are filtered.
  case dns = 9
  /// What becomes of watched files and of models. What was told of a file already counts as filtered.
  case file = 10
  /// Acts against the agent itself.
  case tamper = 11
}
