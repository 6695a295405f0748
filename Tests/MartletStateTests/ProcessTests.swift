// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents
import MartletState
import MartletTesting
import Testing

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

  @Test("a process that changes its folder has the new one from then on, and its children too; its parent has not")
  func changedDirectory() {
    let feed = Feed()
    let (child, grandchild) = (shell.child(101, "/bin/sh"), shell.child(102, "/bin/sh"))
    feed.apply(Event.exec(shell), Event.fork(child, by: shell))
    for folder in ["/srv/some/where", "/", "/srv"] {
      let expected = folder == "/" ? "/" : folder + "/"
      let move = Event.call(.chdir, by: child, names: ["x"], path: folder)
      #expect(feed.text(.processDirectory, on: move) == expected)
      #expect(feed.text(.processDirectory, on: Event.open("/x", by: child)) == expected)
      #expect(feed.text(.processCommandLine, on: Event.open("/x", by: child)) == "sh -c cat x")
    }
    feed.apply(Event.fork(grandchild, by: child), Event.call(.fchdir, by: child, fd: 3, path: "/tmp"))
    #expect(feed.text(.processDirectory, on: Event.open("/x", by: grandchild)) == "/srv/")
    #expect(feed.text(.processDirectory, on: Event.open("/x", by: child)) == "/tmp/")
    #expect(feed.text(.processDirectory, on: Event.open("/x", by: shell)) == "/")
    let failed = Event.call(.chdir, by: child, result: -2, names: ["x"])
    #expect(feed.text(.processDirectory, on: failed) == "/tmp/")
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

  @Test("a fork that comes after what the child did tells what it inherited, and takes nothing back")
  func lateFork() {
    let feed = Feed()
    let child = shell.child(101, "/bin/sh")
    feed.apply(Event.exec(shell))
    #expect(feed.text(.processCommandLine, on: Event.open("/x", by: child)) == nil)
    feed.apply(Event.fork(child, by: shell))
    #expect(feed.text(.processCommandLine, on: Event.open("/x", by: child)) == "sh -c cat x")
    #expect(feed.text(.processParentName, on: Event.open("/x", by: child)) == "sh")

    let cat = shell.child(102, "/bin/cat", arguments: ["x"])
    feed.apply(Event.exec(cat), Event.fork(cat, by: shell))
    #expect(feed.text(.processCommandLine, on: Event.open("/x", by: cat)) == "cat x")
    #expect(feed.text(.processName, on: Event.open("/x", by: cat)) == "cat")
    #expect(feed.text(.processParentName, on: Event.open("/x", by: cat)) == "sh")
    #expect(feed.state.statistics.processCount == 3)
    feed.apply(Event.exit(child), Event.exit(cat), Event.exit(shell))
    #expect(feed.state.statistics.processCount == 0)
  }

  @Test("ancestors go up as far as they are known, and outlive their end")
  func ancestors() {
    let feed = Feed()
    let shim = TestProcess(50, "/usr/bin/containerd-shim")
    let runc = shim.child(60, "/usr/bin/runc")
    let child = runc.child(70, "/bin/sh")
    feed.apply(Event.exec(shim), Event.exec(runc), Event.exec(child), Event.exit(runc))
    let open = Event.open("/x", by: child)
    #expect(feed.text(.processAncestorName, .index(0), on: open) == "sh")
    #expect(feed.text(.processAncestorName, .index(1), on: open) == "runc")
    #expect(feed.text(.processAncestorName, .index(2), on: open) == "containerd-shim")
    #expect(feed.text(.processAncestorName, .index(3), on: open) == nil)
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
