// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc

/// What this machine needs before it can run containers for tests.
public enum ContainerSupport {
  /// Why containers cannot be run here, in the words a skipped test shows; nil when they can.
  public static let missing: String? = {
    if geteuid() != 0 { return "needs root" }
    for (program, package) in [("runc", "runc"), ("busybox", "busybox-static"), ("ip", "iproute2")]
    where locate(program) == nil {
      return "needs \(program) (Debian package \(package))"
    }
    return nil
  }()

  public static var isAvailable: Bool { missing == nil }

  /// A program's path, as the shell would find it; system directories are searched even when PATH leaves them out.
  static func locate(_ program: String) -> String? {
    let given = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return (given.split(separator: ":") + ["/usr/sbin", "/usr/bin", "/sbin", "/bin"])
      .map { "\($0)/\(program)" }
      .first(where: FileManager.default.isExecutableFile(atPath:))
  }
}
