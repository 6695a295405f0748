// SPDX-License-Identifier: Apache-2.0

import CMartletBPF

/// Which cgroup hierarchies tell containers apart on this machine.
///
/// Where both versions are mounted, runtimes put containers into the v1 controllers; where only v2 is, there is nothing
/// to choose.
enum CgroupLayout: UInt32 {
  case v2Only = 0
  case v1Memory = 1
  case v1Pids = 2
  case v1CPU = 3

  /// The controller whose hierarchy is taken.
  var controller: String? {
    switch self {
    case .v2Only: nil
    case .v1Memory: "memory"
    case .v1Pids: "pids"
    case .v1CPU: "cpu"
    }
  }

  /// From the lines of /proc/self/cgroup, `4:memory:/path`: v1 hierarchies that are mounted have a number over 0.
  init(processCgroups text: String) {
    let mounted = Set(
      text.split(separator: "\n").filter { !$0.hasPrefix("0:") }
        .flatMap { line in line.split(separator: ":", omittingEmptySubsequences: false).dropFirst().prefix(1) }
        .flatMap { $0.split(separator: ",") })
    self = [.v1Memory, .v1Pids, .v1CPU].first { mounted.contains(Substring($0.controller ?? "")) } ?? .v2Only
  }

  static func current() -> CgroupLayout {
    CgroupLayout(processCgroups: Procfs.text("/proc/self/cgroup") ?? "")
  }
}
