// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents
import MartletState
import MartletTesting
import Testing

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
    #expect(feed.text(.processAncestorName, .index(4), on: Event.open("/x", by: process)) == "p5")
    #expect(feed.text(.processAncestorName, .index(5), on: Event.open("/x", by: process)) == nil)
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
    #expect(feed.text(.processAncestorName, .index(SystemState.lineageDepthMax), on: open) == "p11")
    #expect(feed.text(.processAncestorName, .index(SystemState.lineageDepthMax + 1), on: open) == nil)
  }

  @Test("a process that keeps long arguments makes room for those that start later, as do all who share them")
  func room() {
    let feed = Feed(limits: StateLimits(imageByteCountMax: 1 << 20))
    let long = String(repeating: "x", count: 60_000)
    for id: UInt32 in 100..<300 {
      let process = TestProcess(id, "/bin/hog", arguments: [long])
      #expect(feed.text(.processArguments, on: Event.exec(process)) == long)
      feed.apply(Event.fork(process.child(id + 1000, "/bin/hog"), by: process), Event.exit(process))
    }
    let late = TestProcess(5000, "/bin/cat", arguments: ["/etc/shadow"])
    #expect(feed.text(.processCommandLine, on: Event.exec(late)) == "cat /etc/shadow")
    #expect(feed.text(.processArguments, on: Event.open("/x", by: TestProcess(1100))) == nil)
    #expect(feed.text(.processExePath, on: Event.open("/x", by: TestProcess(1100))) == "/bin/hog")
    #expect(feed.state.statistics.imageByteCount <= 1 << 20 && feed.state.statistics.shortenedImageCount > 150)
    // Short ones are not worth it.
    #expect(feed.text(.processCommandLine, on: Event.open("/x", by: late)) == "cat /etc/shadow")
  }

  @Test("images beyond the limit keep their path only, and are counted")
  func images() {
    let feed = Feed(limits: small)
    let long = String(repeating: "x", count: 1500)
    feed.apply(Event.exec(TestProcess(1, "/bin/a", arguments: [long])))
    let second = TestProcess(2, "/bin/b", arguments: [long])
    #expect(feed.text(.processArguments, on: Event.exec(second)) == long)
    #expect(feed.text(.processCommandLine, on: Event.open("/x", by: TestProcess(1))) == nil)
    #expect(feed.text(.processExePath, on: Event.open("/x", by: TestProcess(1))) == "/bin/a")
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
    #expect(
      feed.text(.processAncestorName, .index(SystemState.lineageDepthMax), on: Event.open("/x", by: process)) == "p")
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
