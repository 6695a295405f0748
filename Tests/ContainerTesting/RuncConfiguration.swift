// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The `config.json` of a test container: what `runc spec` writes, less what a restricted machine refuses.
///
/// No rlimits and no `oom_score_adj`: raising a limit needs CAP_SYS_RESOURCE, which containers and sandboxed build
/// machines often do not hold even as root. The root stays writable, because tests write.
struct RuncConfiguration {
  var arguments: [String]
  var cgroupPath: String
  /// Folders of the host, shown at the same place or another; nothing can be written there.
  var sharedFolders: [(host: String, container: String)] = []

  /// runc's own default.
  static let capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]

  func encoded() throws -> Data {
    let specification: [String: Any] = [
      "ociVersion": "1.0.2",
      "hostname": "martlet-test",
      "root": ["path": "rootfs", "readonly": false],
      "process": process,
      "mounts": mounts,
      "linux": linux,
    ]
    return try JSONSerialization.data(withJSONObject: specification, options: [.prettyPrinted, .sortedKeys])
  }

  private var process: [String: Any] {
    [
      "terminal": false,
      "cwd": "/",
      "user": ["uid": 0, "gid": 0],
      "args": arguments,
      "env": ["PATH=/bin", "HOME=/root", "TERM=xterm"],
      "noNewPrivileges": true,
      "capabilities": [
        "bounding": Self.capabilities, "effective": Self.capabilities, "permitted": Self.capabilities,
      ],
    ]
  }

  private var mounts: [[String: Any]] {
    let quiet = ["nosuid", "noexec"]
    let shared = sharedFolders.map { folder -> [String: Any] in
      ["destination": folder.container, "type": "bind", "source": folder.host, "options": ["rbind", "ro"]]
    }
    return shared + [
      ["destination": "/proc", "type": "proc", "source": "proc"],
      ["destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=65536k"]],
      [
        "destination": "/dev/pts", "type": "devpts", "source": "devpts",
        "options": quiet + ["newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
      ],
      ["destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": quiet + ["nodev", "size=8192k"]],
      ["destination": "/sys", "type": "sysfs", "source": "sysfs", "options": quiet + ["nodev", "ro"]],
    ]
  }

  private var linux: [String: Any] {
    [
      "cgroupsPath": cgroupPath,
      "namespaces": ["pid", "network", "ipc", "uts", "mount"].map { ["type": $0] },
      "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"],
      "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    ]
  }
}
