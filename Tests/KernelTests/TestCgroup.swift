// SPDX-License-Identifier: Apache-2.0

import Glibc
import MartletCapture
import Testing

/// A cgroup of its own on the v2 hierarchy, removed at the end. Programs that the kernel asks about connections are
/// attached to nothing else, so that no other process on this machine depends on them.
final class TestCgroup {
  let path: String
  /// As in records.
  let id: UInt64
  private nonisolated(unsafe) static var count = 0

  init() throws {
    let mount = try #require(
      ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].first { access($0 + "/cgroup.procs", F_OK) == 0 })
    Self.count += 1
    path = "\(mount)/martlet-sockets-\(getpid())-\(Self.count)"
    try #require(mkdir(path, 0o755) == 0)
    var facts = stat()
    try #require(stat(path, &facts) == 0)
    id = UInt64(facts.st_ino)
  }

  deinit { rmdir(path) }
}

extension CaptureConfiguration {
  /// With the hooks of `cgroup`, or without any.
  static func sockets(in cgroup: TestCgroup?) -> CaptureConfiguration {
    var configuration = CaptureConfiguration.withoutSeed
    if let cgroup { configuration.cgroup = .path(cgroup.path) }
    return configuration
  }
}
