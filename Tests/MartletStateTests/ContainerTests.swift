// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents
import MartletState
import MartletTesting
import Testing

@Suite("Containers")
struct ContainerTests {
  @Test("a process is in the container of its cgroup, in either hierarchy, from its first event on")
  func identity() {
    let feed = Feed()
    var unified = TestProcess(7)
    unified.cgroupID = 900
    feed.apply(Event.container(cgroup: 900, containerID: containerID, podUID: podUID))
    let open = Event.open("/x", by: unified)
    #expect(feed.text(.containerID, on: open) == "4f1c9e0b2a77")
    #expect(feed.text(.containerFullID, on: open) == containerID)
    #expect(feed.text(.podUID, on: open) == podUID)
    #expect(feed.text(.containerType, on: open) == "containerd")
    var legacy = TestProcess(8)
    legacy.cgroupV1ID = 55
    feed.apply(Event.cgroup(1, "/"), Event.cgroup(55, "/docker/\(containerID)", hierarchy: 1))
    #expect(feed.text(.containerID, on: Event.open("/x", by: legacy)) == "4f1c9e0b2a77")
  }

  @Test("a container's cgroups are told up to the one that its runtime made, whichever was announced first")
  func cgroups() {
    let (feed, path) = (Feed(), "/kubepods/pod\(podUID)/\(containerID)")
    var process = TestProcess(7)
    process.cgroupID = 901
    feed.apply(Event.cgroup(901, path + "/init.scope"))
    #expect(feed.text(.containerCgroups, on: Event.open("/x", by: process)) == path)
    feed.apply(Event.cgroup(55, path, hierarchy: 1))
    #expect(feed.text(.containerCgroups, on: Event.open("/x", by: process)) == path)
    let host = TestProcess(8)
    feed.apply(Event.cgroup(1, "/"))
    #expect(feed.text(.containerCgroups, on: Event.open("/x", by: host)) == nil)

    let other = String(repeating: "e", count: 64)
    let long = "/" + String(repeating: "long/", count: 200)
    process.cgroupID = 902
    feed.apply(Event.cgroup(902, "/default/\(other)"), Event.cgroup(56, "\(long)\(other)", hierarchy: 1))
    let end = "\(long)\(other)".suffix(384)
    #expect(feed.text(.containerCgroups, on: Event.open("/x", by: process)) == "/default/\(other),\(end)")
    var named = TestProcess(9)
    named.cgroupID = 903
    feed.apply(Event.cgroup(903, "/default/web/inner"))
    #expect(feed.text(.containerCgroups, on: Event.open("/x", by: named)) == "/default/web")
  }

  @Test("a process that moves is in the new container; one in a cgroup nobody announced is not on the host")
  func move() {
    let feed = Feed()
    var process = TestProcess(7)
    feed.apply(Event.cgroup(1, "/"), Event.exec(process), Event.cgroup(900, "/docker/\(containerID)"))
    #expect(feed.text(.containerID, on: Event.open("/x", by: process)) == "host")
    process.cgroupID = 900
    #expect(feed.text(.containerID, on: Event.open("/x", by: process)) == "4f1c9e0b2a77")
    process.cgroupID = 901
    #expect(feed.text(.containerID, on: Event.open("/x", by: process)) == "unknown")
    #expect(feed.state.statistics.unknownCgroupCount == 1)
    feed.apply(Event.cgroup(901, "/user.slice"))
    #expect(feed.text(.containerID, on: Event.open("/x", by: process)) == "host")
  }

  @Test("a cgroup that bears another container's id stays in its own pod")
  func impersonation() {
    let feed = Feed()
    let otherPod = "ffffffff-90ab-4cde-8f01-23456789abcd"
    feed.apply(Event.container(cgroup: 900, containerID: containerID, podUID: podUID))
    let outer = String(repeating: "e", count: 64)
    feed.apply(Event.cgroup(901, "/kubepods/burstable/pod\(otherPod)/\(outer)/\(containerID)"))
    var process = TestProcess(7)
    process.cgroupID = 901
    #expect(feed.text(.podUID, on: Event.exec(process)) == otherPod)
    process.cgroupID = 900
    #expect(feed.text(.podUID, on: Event.open("/x", by: process)) == podUID)
  }

  @Test(
    "each runtime's way to name a cgroup is understood",
    arguments: [
      ("/docker/ID", "ID", nil, nil), ("/system.slice/docker-ID.scope", "ID", "docker", nil),
      ("/actions_job/ID", "ID", nil, nil), ("/kubepods/burstable/podUID/ID", "ID", "containerd", "UID"),
      ("/kubepods/podUID/ID", "ID", "containerd", "UID"),
      (
        "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podU_U.slice/cri-containerd-ID.scope", "ID",
        "containerd", "UID"
      ),
      ("/system.slice/containerd.service/kubepods-burstable-podU_U.slice:cri-containerd:ID", "ID", "containerd", "UID"),
      ("/kubepods.slice/kubepods-podU_U.slice/crio-ID.scope", "ID", "cri-o", "UID"), ("/crio-ID", "ID", "cri-o", nil),
      ("/machine.slice/libpod-ID.scope/container", "ID", "podman", nil),
      ("/libpod_parent/libpod-ID", "ID", "podman", nil),
      ("/docker/OUTER/kubelet/kubepods/besteffort/podUID/ID", "ID", "containerd", "UID"),
      ("/kubelet-kubepods-burstable-podU_U.slice/cri-containerd-ID.scope", "ID", "containerd", "UID"),
      ("/docker/ID/init.scope", "ID", nil, nil),
      ("/kubepods/pod0123456789abcdef0123456789abcdef/ID", "ID", "containerd", "STATIC"),
      ("/", nil, nil, nil), ("", nil, nil, nil), ("/system.slice/ssh.service", nil, nil, nil),
      ("/machine.slice/libpod-conmon-ID.scope", nil, nil, nil), ("/crio-conmon-ID.scope", nil, nil, nil),
      ("/system.slice/nerdctl-ID.scope", "ID", nil, nil), ("/docker/IDx", nil, nil, nil),
      ("/docker/SHORT", nil, nil, nil), ("/docker/UPPER", nil, nil, nil),
      ("/default/web-1", "web-1", "containerd", nil), ("/k8s.io/web/init.scope", "web", "containerd", nil),
      ("/default/ID", "ID", nil, nil), ("/default", nil, nil, nil), ("/default/", nil, nil, nil),
      ("/default/-web", nil, nil, nil), ("/default/a b", nil, nil, nil), ("/default/x.service", nil, nil, nil),
      ("/other/web", nil, nil, nil), ("default/web", nil, nil, nil), ("/defaults/web", nil, nil, nil),
      ("/libpod_parent/conmon", nil, nil, nil),
      ("/kubepods/burstable/podUID", nil, nil, nil), ("///ID//", "ID", nil, nil),
    ] as [(String, String?, String?, String?)])
  func shapes(path: String, id: String?, type: String?, pod: String?) {
    func expand(_ text: String) -> String {
      text.replacing("OUTER", with: String(repeating: "9", count: 64)).replacing("SHORT", with: containerID.prefix(63))
        .replacing("UPPER", with: containerID.uppercased()).replacing("U_U", with: podUID.replacing("-", with: "_"))
        .replacing("UID", with: podUID).replacing("STATIC", with: "0123456789abcdef0123456789abcdef")
        .replacing("ID", with: containerID)
    }
    let feed = Feed()
    var process = TestProcess(7)
    process.cgroupID = 900
    feed.apply(Event.cgroup(900, expand(path)))
    let open = Event.open("/x", by: process)
    #expect(feed.text(.containerFullID, on: open) == id.map(expand))
    #expect(feed.text(.containerID, on: open) == (id.map { String(expand($0).prefix(12)) } ?? "host"))
    #expect(feed.text(.containerType, on: open) == (id == nil ? "host" : type))
    #expect(feed.text(.podUID, on: open) == pod.map(expand))
  }

  @Test("a container whose last process has ended is forgotten, and so are its cgroups, however many come and go")
  func churn() {
    let feed = Feed()
    let second: UInt64 = 1_000_000_000
    for number in 1...3000 as ClosedRange<UInt64> {
      let id = String(repeating: "0", count: 60) + String(1000 + number).suffix(4)
      var process = TestProcess(UInt32(number), start: number)
      process.cgroupID = 1000 + number
      feed.apply(Event.cgroup(1000 + number, "/docker/\(id)"), Event.exec(process, at: number * second))
      feed.apply(Event.exit(process), Event.tick(at: number * second))
    }
    let statistics = feed.state.statistics
    #expect(statistics.containerCount < 10 && statistics.cgroupCount < 1000 && statistics.processCount < 10)
    #expect(statistics.forgottenContainerCount + UInt64(statistics.containerCount) == 3000)
    #expect(statistics.evictedCgroupCount == 0 && statistics.refusedContainerCount == 0)
    // Who comes late is not on the host, and nobody else's.
    var late = TestProcess(9999)
    late.cgroupID = 1001
    #expect(feed.text(.containerID, on: Event.open("/x", by: late)) == "unknown")
  }

  @Test("a container is remembered for as long as it has a process, and for a moment longer")
  func rest() {
    let feed = Feed()
    let second: UInt64 = 1_000_000_000
    var process = TestProcess(7)
    process.cgroupID = 900
    feed.apply(Event.container(cgroup: 900, containerID: containerID, podUID: podUID), Event.exec(process))
    for time in 1...100 { feed.apply(Event.tick(at: UInt64(time) * second)) }
    #expect(feed.text(.containerFullID, on: Event.open("/x", by: process)) == containerID)
    feed.apply(Event.exit(process), Event.tick(at: 101 * second), Event.tick(at: 105 * second))
    #expect(feed.state.containerID(cgroupID: 900, cgroupV1ID: 0) == String(containerID.prefix(12)))
    feed.apply(Event.tick(at: 106 * second))
    #expect(feed.state.containerID(cgroupID: 900, cgroupV1ID: 0) == nil)
    // Announced again, it is the same one as before.
    feed.apply(Event.container(cgroup: 901, containerID: containerID, podUID: podUID))
    #expect(feed.state.containerID(cgroupID: 901, cgroupV1ID: 0) == String(containerID.prefix(12)))
    #expect(feed.state.statistics.containerCount == 1)
  }
}
