// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Ids and paths of processes' cgroups. A cgroup's id is its directory's inode number where its hierarchy is mounted.
final class ProcfsCgroups {
  struct Cgroup {
    let id: UInt64
    let path: [UInt8]
  }

  private let controller: String?
  private let mountV2: String?
  private let mountV1: String?

  init(layout: CgroupLayout) {
    controller = layout.controller
    let mounts = (Procfs.text("/proc/self/mounts") ?? "").split(separator: "\n")
      .map { $0.split(separator: " ") }.filter { $0.count >= 4 }
    mountV2 = mounts.first { $0[2] == "cgroup2" }.map { String($0[1]) }
    mountV1 = layout.controller.flatMap { controller in
      mounts.first { $0[2] == "cgroup" && $0[3].split(separator: ",").contains(Substring(controller)) }
        .map { String($0[1]) }
    }
  }

  func cgroups(of process: pid_t) -> (v2: Cgroup?, v1: Cgroup?) {
    var found: (v2: Cgroup?, v1: Cgroup?) = (nil, nil)
    for line in (Procfs.text("/proc/\(process)/cgroup") ?? "").split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      if parts[0] == "0" {
        found.v2 = cgroup(at: parts[2], mount: mountV2)
      } else if let controller, parts[1].split(separator: ",").contains(Substring(controller)) {
        found.v1 = cgroup(at: parts[2], mount: mountV1)
      }
    }
    return found
  }

  private func cgroup(at path: Substring, mount: String?) -> Cgroup? {
    var facts = stat()
    guard let mount, stat(mount + path, &facts) == 0 else { return nil }
    return Cgroup(id: UInt64(facts.st_ino), path: Array(path.utf8))
  }
}
