// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Which hierarchies of cgroups a container's runtime finds mounted, and so puts it into.
public enum CgroupView: CaseIterable, Sendable {
  /// As they are on this machine.
  case asMounted
  /// Version 2 and nothing else.
  case unified
  /// Version 1 and nothing else.
  case legacy

  /// Those that this machine can show.
  public static let available: [CgroupView] =
    FileManager.default.fileExists(atPath: "/sys/fs/cgroup/unified/cgroup.procs") ? allCases : [.asMounted]

  /// What goes before a command for it to see that: a mount namespace of its own.
  var prefix: [String] {
    switch self {
    case .asMounted: []
    case .unified:
      Self.mounting(
        "umount -l /sys/fs/cgroup/* 2>/dev/null; umount -l /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup")
    case .legacy: Self.mounting("umount -l /sys/fs/cgroup/unified")
    }
  }

  private static func mounting(_ script: String) -> [String] {
    ["unshare", "--mount", "--propagation", "private", "sh", "-c", "\(script) && exec \"$@\"", "sh"]
  }
}
