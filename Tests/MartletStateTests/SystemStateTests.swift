// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents
import MartletState
import MartletTesting
import Testing

/// A state that is fed in tests, and asked about the last event.
final class Feed {
  var state: SystemState
  private var kept: [TestRecord] = []

  init(limits: StateLimits = StateLimits()) { state = SystemState(limits: limits) }

  func apply(_ records: TestRecord...) {
    for record in records { _ = context(record) }
  }

  func context(_ record: TestRecord) -> EventContext? {
    kept.append(record)
    return record.record.flatMap { state.apply($0) }
  }

  /// The field's text after this event; nil where it is missing.
  func text(_ field: Field, _ index: Int = 0, on record: TestRecord) -> String? {
    guard var context = context(record) else { return nil }
    switch context.value(of: field, index: index) {
    case .missing: return nil
    case .pending: return "<pending>"
    case .text(let text): return text.string
    case .signed(let number): return "\(number)"
    case .unsigned(let number): return "\(number)"
    case .boolean(let flag): return "\(flag)"
    case .address(let address): return "\(address)"
    }
  }
}

let containerID = String(repeating: "4f1c9e0b2a77", count: 5) + "abcd"
let podUID = "0f4d2a1e-90ab-4cde-8f01-23456789abcd"

@Suite("Processes")
struct ProcessTests {
  let shell = TestProcess(100, "/bin/sh", arguments: ["-c", "cat x"])

  @Test(
    "an exec tells who acts",
    arguments: [
      (.processName, "cat"), (.processExePath, "/bin/cat"), (.processExe, "cat"), (.processArguments, "/etc/shadow -n"),
      (.processCommandLine, "cat /etc/shadow -n"), (.processDirectory, "/tmp/"), (.processID, "101"),
      (.processParentID, "100"), (.processParentName, "sh"), (.processParentExePath, "/bin/sh"),
      (.processParentCommandLine, "sh -c cat x"), (.processParentExe, "sh"), (.processTerminal, "34816"),
      (.userID, "1000"),
      (.userLoginID, "-1"), (.eventType, "execve"), (.eventResult, "SUCCESS"), (.containerID, "host"),
      (.processNamespaceID, "101"), (.processSessionID, "100"), (.threadID, "101"), (.eventIsOpenRead, "false"),
      (.processIsExeUpperLayer, "true"), (.processIsExeFromMemfd, "false"),
    ] as [(Field, String)])
  func exec(field: Field, expected: String) {
    let feed = Feed()
    feed.apply(Event.cgroup(1, "/"))
    var cat = shell.child(101, "/bin/cat", arguments: ["/etc/shadow", "-n"])
    cat.directory = "/tmp"
    cat.terminal = 34816
    cat.userID = 1000
    cat.exeFlags = UInt32(MARTLET_FILE_UPPER_LAYER)
    feed.apply(Event.exec(shell))
    #expect(feed.text(field, on: Event.exec(cat)) == expected)
  }

  @Test("a process without arguments has an empty argument text and a command line that is its name")
  func noArguments() {
    let feed = Feed()
    #expect(feed.text(.processArguments, on: Event.exec(TestProcess(5, "/bin/ls"))) == "")
    #expect(feed.text(.processCommandLine, on: Event.exec(TestProcess(5, "/bin/ls"))) == "ls")
    var bare = TestProcess(6, "/bin/ls")
    bare.arguments = []
    #expect(feed.text(.processExe, on: Event.exec(bare)) == "")
    #expect(feed.text(.processCommandLine, on: Event.exec(bare)) == "ls")
  }

  @Test("a forked child is its parent's image until it executes another")
  func fork() {
    let feed = Feed()
    let child = shell.child(101, "/bin/sh")
    feed.apply(Event.exec(shell), Event.fork(child, by: shell))
    #expect(feed.text(.processCommandLine, on: Event.open("/x", by: child)) == "sh -c cat x")
    #expect(feed.text(.processParentName, on: Event.open("/x", by: child)) == "sh")
    var cat = child
    cat.exePath = "/bin/cat"
    #expect(feed.text(.processExePath, on: Event.exec(cat)) == "/bin/cat")
    #expect(feed.text(.processExePath, on: Event.open("/x", by: shell)) == "/bin/sh")
  }

  @Test("ancestors go up as far as they are known, and outlive their end")
  func ancestors() {
    let feed = Feed()
    let shim = TestProcess(50, "/usr/bin/containerd-shim")
    let runc = shim.child(60, "/usr/bin/runc")
    let child = runc.child(70, "/bin/sh")
    feed.apply(Event.exec(shim), Event.exec(runc), Event.exec(child), Event.exit(runc))
    let open = Event.open("/x", by: child)
    #expect(feed.text(.processAncestorName, 0, on: open) == "sh")
    #expect(feed.text(.processAncestorName, 1, on: open) == "runc")
    #expect(feed.text(.processAncestorName, 2, on: open) == "containerd-shim")
    #expect(feed.text(.processAncestorName, 3, on: open) == nil)
    #expect(feed.state.statistics.exitedProcessCount == 1)
    feed.apply(Event.exit(child))
    #expect(feed.state.statistics.processCount == 1 && feed.state.statistics.exitedProcessCount == 0)
  }

  @Test("a parent that the snapshot brings after its child is found")
  func lateParent() {
    let feed = Feed()
    let child = shell.child(101, "/bin/cat")
    feed.apply(Event.seed(child), Event.seed(shell))
    #expect(feed.text(.processParentName, on: Event.open("/x", by: child)) == "sh")
  }

  @Test("an id that is used again is another process")
  func reuse() {
    let feed = Feed()
    var second = TestProcess(100, "/bin/other", start: 999_000_000_000)
    second.parentID = 0
    feed.apply(Event.exec(shell), Event.exec(second))
    #expect(feed.text(.processExePath, on: Event.open("/x", by: second)) == "/bin/other")
    #expect(feed.state.statistics.processCount == 1)
    let stranger = TestProcess(100, "/bin/third", start: 5_000_000_000)
    #expect(feed.text(.processExePath, on: Event.open("/x", by: stranger)) == nil)
    #expect(feed.state.statistics.unknownProcessCount == 1)
  }

  @Test("a process that /proc told about, in hundredths of a second, is known again")
  func coarseStart() {
    let feed = Feed()
    let exact = TestProcess(100, "/bin/sh", start: 5_009_999_999)
    var coarse = exact
    coarse.startNanoseconds = 5_000_000_000
    feed.apply(Event.seed(coarse))
    #expect(feed.text(.processExePath, on: Event.open("/x", by: exact)) == "/bin/sh")
    #expect(feed.state.statistics.unknownProcessCount == 0)
  }

  @Test("a child of a reused id is not the first owner's child")
  func reusedParent() {
    let feed = Feed()
    var child = TestProcess(200, "/bin/cat")
    child.parentID = 100
    child.parentStartNanoseconds = 777_000_000_000
    feed.apply(Event.exec(shell), Event.exec(child))
    #expect(feed.text(.processParentName, on: Event.open("/x", by: child)) == nil)
  }

  @Test("the name follows the thread that acts, and the process the main thread")
  func rename() {
    let feed = Feed()
    var renamed = shell
    renamed.comm = "kworker/0:1"
    let child = shell.child(101, "/bin/cat")
    feed.apply(Event.exec(shell), Event.exec(child))
    var worker = shell
    worker.threadID = 105
    worker.comm = "worker"
    #expect(feed.text(.processName, on: Event.open("/x", by: worker)) == "worker")
    #expect(feed.text(.processParentName, on: Event.open("/x", by: child)) == "sh")
    #expect(feed.text(.processName, on: Event.open("/x", by: renamed)) == "kworker/0:1")
    #expect(feed.text(.processParentName, on: Event.open("/x", by: child)) == "kworker/0:1")
  }

  @Test("time of day and duration come from the stream")
  func time() {
    let feed = Feed()
    feed.apply(Event.host("node-1", realtimeOffset: 1_470_327_116_000_000_000))
    let young = TestProcess(100, "/bin/sh", start: 100_000)
    let open = Event.open("/x", by: young, at: 746_609_046)
    #expect(feed.text(.eventTime, on: open) == "16:11:56.746609046")
    #expect(feed.text(.processDuration, on: open) == "746509046")
    #expect(feed.text(.eventHostname, on: open) == "node-1")
  }
}

@Suite("Limits of the state")
struct StateLimitTests {
  private let small = StateLimits(
    processCountMax: 16, exitedProcessCountMax: 4, imageByteCountMax: 4096, cgroupCountMax: 4, containerCountMax: 2)

  @Test("living processes beyond the limit are judged by their record and counted")
  func processes() {
    let feed = Feed(limits: small)
    for id in 1...UInt32(20) { feed.apply(Event.exec(TestProcess(id, "/bin/p\(id)"))) }
    #expect(feed.state.statistics.processCount == 16)
    #expect(feed.state.statistics.refusedProcessCount == 4)
    #expect(feed.text(.processExePath, on: Event.exec(TestProcess(30, "/bin/last"))) == "/bin/last")
    feed.apply(Event.exit(TestProcess(1)))
    feed.apply(Event.exec(TestProcess(40, "/bin/again")))
    #expect(feed.text(.processExePath, on: Event.open("/x", by: TestProcess(40))) == "/bin/again")
  }

  @Test("ended ancestors beyond the limit are forgotten, oldest first, and counted")
  func exited() {
    let feed = Feed(limits: small)
    var process = TestProcess(1, "/bin/p1")
    feed.apply(Event.exec(process))
    for id in 2...UInt32(9) {
      let child = process.child(id, "/bin/p\(id)")
      feed.apply(Event.exec(child), Event.exit(process))
      process = child
    }
    #expect(feed.state.statistics.exitedProcessCount == 4)
    #expect(feed.state.statistics.evictedProcessCount == 4)
    #expect(feed.text(.processAncestorName, 4, on: Event.open("/x", by: process)) == "p5")
    #expect(feed.text(.processAncestorName, 5, on: Event.open("/x", by: process)) == nil)
  }

  @Test("a chain of ancestors is walked to its limit, and longer ones are counted")
  func lineage() {
    let feed = Feed()
    var process = TestProcess(1, "/bin/p1")
    feed.apply(Event.exec(process))
    for id in 2...UInt32(SystemState.lineageDepthMax + 11) {
      process = process.child(id, "/bin/p\(id)")
      feed.apply(Event.exec(process))
    }
    #expect(feed.state.statistics.cutLineageCount == 10)
    let open = Event.open("/x", by: process)
    #expect(feed.text(.processAncestorName, SystemState.lineageDepthMax, on: open) == "p11")
    #expect(feed.text(.processAncestorName, SystemState.lineageDepthMax + 1, on: open) == nil)
  }

  @Test("images beyond the limit keep their path only, and are counted")
  func images() {
    let feed = Feed(limits: small)
    let long = String(repeating: "x", count: 1500)
    feed.apply(Event.exec(TestProcess(1, "/bin/a", arguments: [long])))
    let second = TestProcess(2, "/bin/b", arguments: [long])
    #expect(feed.text(.processCommandLine, on: Event.exec(second)) == nil)
    #expect(feed.text(.processExePath, on: Event.open("/x", by: second)) == "/bin/b")
    #expect(feed.state.statistics.shortenedImageCount == 1)
    for id in 10...UInt32(14) {
      feed.apply(Event.exec(TestProcess(id, "/" + String(repeating: "y", count: 4000), arguments: [long])))
    }
    #expect(feed.state.statistics.imageByteCount < 4096 + 6 * 512)
    #expect(feed.text(.processExePath, on: Event.open("/x", by: TestProcess(14))) == nil)
    for id in 10...UInt32(14) { feed.apply(Event.exit(TestProcess(id))) }
    feed.apply(Event.exit(TestProcess(1)), Event.exit(second))
    #expect(feed.state.statistics.imageByteCount == 0)
  }

  @Test("cgroups without processes make room, the oldest first; those with processes stay known")
  func cgroups() {
    let feed = Feed(limits: small)
    var old = TestProcess(7)
    old.cgroupID = 500
    feed.apply(Event.cgroup(500, "/docker/\(containerID)"), Event.exec(old))
    for id in 1...UInt64(60) { feed.apply(Event.cgroup(id, "/system.slice/s\(id).service")) }
    #expect(feed.state.statistics.cgroupCount <= 4 && feed.state.statistics.evictedCgroupCount >= 57)
    var newcomer = TestProcess(8)
    newcomer.cgroupID = 500
    #expect(feed.text(.containerID, on: Event.exec(newcomer)) == "4f1c9e0b2a77")
    newcomer.cgroupID = 60
    #expect(feed.text(.containerID, on: Event.open("/x", by: newcomer)) == "host")
    newcomer.cgroupID = 1
    #expect(feed.text(.containerID, on: Event.open("/x", by: newcomer)) == "unknown")
  }

  @Test("a cgroup whose path was cut at its beginning is not the host's")
  func cutCgroup() {
    let feed = Feed()
    let cut = Event.cgroup(9, "nested/deep")
    cut.bytes.storeBytes(of: MARTLET_FLAG_PATH_TRUNCATED, toByteOffset: 56, as: UInt32.self)
    var process = TestProcess(7)
    process.cgroupID = 9
    feed.apply(cut)
    #expect(feed.text(.containerID, on: Event.exec(process)) == "unknown")
  }

  @Test("a parent that ended is forgotten once its last child has another parent")
  func reparented() {
    let feed = Feed()
    let start = TestProcess(1, "/sbin/init")
    feed.apply(Event.exec(start))
    for id in stride(from: UInt32(10), to: 210, by: 2) {
      let middle = start.child(id, "/bin/middle")
      let child = middle.child(id + 1, "/bin/child")
      var adopted = child
      adopted.parentID = start.id
      adopted.parentStartNanoseconds = start.startNanoseconds
      feed.apply(Event.exec(middle), Event.fork(child, by: middle), Event.exit(middle), Event.exec(adopted))
      feed.apply(Event.exit(adopted))
    }
    #expect(feed.state.statistics.exitedProcessCount == 0 && feed.state.statistics.processCount == 1)
  }

  @Test("a chain of ended ancestors that nobody looks at is let go")
  func chain() {
    let feed = Feed()
    var process = TestProcess(10, "/bin/p")
    feed.apply(Event.exec(process))
    for id in 11...UInt32(1010) {
      let child = process.child(id, "/bin/p")
      feed.apply(Event.exec(child), Event.exit(process))
      process = child
    }
    #expect(feed.state.statistics.exitedProcessCount <= SystemState.lineageDepthMax + 1)
    #expect(feed.state.statistics.evictedProcessCount == 0)
    #expect(feed.text(.processAncestorName, SystemState.lineageDepthMax, on: Event.open("/x", by: process)) == "p")
  }

  @Test("a container without processes makes room; with every place taken a container is unknown, not the host")
  func containers() {
    let feed = Feed(limits: small)
    func id(_ digit: Character) -> String { String(repeating: digit, count: 64) }
    var processes: [TestProcess] = []
    for (index, digit) in ["a", "b", "c"].enumerated() {
      var process = TestProcess(UInt32(10 + index))
      process.cgroupID = UInt64(100 + index)
      feed.apply(Event.cgroup(process.cgroupID, "/docker/\(id(Character(digit)))"), Event.exec(process))
      processes.append(process)
    }
    #expect(feed.state.statistics.refusedContainerCount == 1)
    #expect(feed.text(.containerID, on: Event.open("/x", by: processes[2])) == "unknown")
    feed.apply(Event.exit(processes[0]))
    var late = TestProcess(20)
    late.cgroupID = 200
    feed.apply(Event.cgroup(200, "/docker/\(id("d"))"))
    #expect(feed.text(.containerID, on: Event.exec(late)) == "dddddddddddd")
    #expect(feed.text(.containerID, on: Event.open("/x", by: processes[1])) == "bbbbbbbbbbbb")
  }
}

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
    #expect(feed.text(.containerID, on: open) == (id == nil ? "host" : "4f1c9e0b2a77"))
    #expect(feed.text(.containerType, on: open) == (id == nil ? "host" : type))
    #expect(feed.text(.podUID, on: open) == pod.map(expand))
  }
}
