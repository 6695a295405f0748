// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents
import Testing

@testable import MartletCapture

@Suite("Which cgroup is watched")
struct CgroupChoiceTests {
  private static let root = "CapEff:\t000001ffffffffff\n"

  @Test(
    "the v2 hierarchy is found among the mounts, alone or beside v1",
    arguments: [
      ("cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n", "/sys/fs/cgroup"),
      (
        "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n",
        "/sys/fs/cgroup/unified"
      ),
      ("none /a\\040b\\134c cgroup2 rw 0 0\n", "/a b\\c"), ("none /a\\04 cgroup2 rw 0 0\n", "/a\\04"),
      ("cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n", nil), ("", nil), ("cgroup2\n", nil),
    ] as [(String, String?)])
  func mount(mounts: String, path: String?) {
    #expect(OpenCgroup.mountPoint(inMounts: mounts) == path)
  }

  @Test("a setting is a path, the root or nothing")
  func setting() {
    #expect(CgroupChoice(text: "none") == .none)
    #expect(CgroupChoice(text: "root") == .root)
    #expect(CgroupChoice(text: "/sys/fs/cgroup/x") == .path("/sys/fs/cgroup/x"))
  }

  @Test(
    "what is in the way is said",
    arguments: [
      (.none, "", root, "no cgroup is configured"), (.root, "", root, "no cgroup2 hierarchy is mounted"),
      (.path("/tmp"), "", "CapEff:\t0\n", "this process lacks the capability CAP_NET_ADMIN"),
      (.path("/no/such"), "", root, "cannot open '/no/such': No such file or directory"),
      (
        // A folder with another inode number than a hierarchy's root has: what a container takes for the root.
        .root, "none /proc/self/fd cgroup2 rw 0 0\n", root,
        "'/proc/self/fd' is not the root of the hierarchy: mount the host's cgroups"
      ),
    ] as [(CgroupChoice, String, String, String)])
  func missing(choice: CgroupChoice, mounts: String, status: String, reason: String) {
    switch OpenCgroup(choice, mounts: mounts, status: status) {
    case .open(let descriptor):
      close(descriptor)
      Issue.record("opened")
    case .missing(let found): #expect(found == reason)
    }
  }

  @Test("the probe is told of the calls that someone wants, and no others")
  func calls() {
    var configuration = CaptureConfiguration()
    #expect(configuration.watchedCalls == .all)
    configuration.eventTypes = [EventTypeSet(.connect), EventTypeSet(.sendmsg), EventTypeSet(.execve)]
    // Whoever wants one call that sends gets all: only its return says which one it was.
    #expect(
      configuration.watchedCalls
        == EventTypeSet([.connect, .sendto, .sendmsg, .sendmmsg, .execve].map { EventTypeSet($0) }))
    configuration.eventTypes = EventTypeSet(.execve)
    #expect(configuration.watchedCalls == EventTypeSet(.execve))
  }
}
