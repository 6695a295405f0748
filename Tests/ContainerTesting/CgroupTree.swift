// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc

/// The cgroup directories above test containers.
///
/// runc removes a container's own cgroup and leaves the parents it made, in every hierarchy. The harness removes those,
/// but only those: a `/kubepods` that was there before belongs to somebody else.
enum CgroupTree {
  /// Parents seen missing before a container of this process was made in them.
  private nonisolated(unsafe) static var made: Set<String> = []  // guarded by the lock in `exclusively`

  /// Creates a container with `body`, remembering which parents of its cgroup did not exist.
  static func creating<Result>(_ cgroupPath: String, _ body: () throws -> Result) throws -> Result {
    try exclusively {
      made.formUnion(parents(of: cgroupPath).filter { access($0, F_OK) != 0 })
      return try body()
    }
  }

  /// Removes the parents made for the cgroup as far as nothing else is in them.
  static func prune(_ cgroupPath: String) throws {
    try exclusively {
      for directory in parents(of: cgroupPath) where made.contains(directory) {
        // Not empty means that another container lives there, whose deletion will come by here again.
        if rmdir(directory) == 0 { made.remove(directory) }
      }
    }
  }

  /// The directories above a cgroup in every mounted hierarchy, innermost first within each.
  private static func parents(of cgroupPath: String) -> [String] {
    let components = cgroupPath.split(separator: "/").map(String.init)
    return mountPoints.flatMap { mountPoint in
      (1..<max(1, components.count)).reversed().map { count in
        ([mountPoint] + components.prefix(count)).joined(separator: "/")
      }
    }
  }

  /// Where cgroup hierarchies are mounted, of either version.
  static let mountPoints: [String] = {
    let mounts = (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? ""
    return mounts.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      return words.count > 2 && words[2].hasPrefix("cgroup") ? String(words[1]) : nil
    }
  }()

  /// One at a time on this machine: a parent must not vanish between another runc's making it and its using it.
  private static func exclusively<Result>(_ body: () throws -> Result) throws -> Result {
    let path = "/run/martlet-container-tests.lock"
    let lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard lock >= 0 else { throw HarnessError.system("open \(path)", errno) }
    defer { close(lock) }
    while flock(lock, LOCK_EX) != 0 {
      guard errno == EINTR else { throw HarnessError.system("lock \(path)", errno) }
    }
    return try body()
  }
}
