// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What this machine needs before the kernel can be watched.
public enum KernelSupport {
  /// Nil when it can.
  public static let missing: String? = {
    if geteuid() != 0 { return "needs root" }
    return FileManager.default.isReadableFile(atPath: "/sys/kernel/btf/vmlinux")
      ? nil : "needs a kernel with type information (/sys/kernel/btf/vmlinux)"
  }()

  public static var isAvailable: Bool { missing == nil }
}
