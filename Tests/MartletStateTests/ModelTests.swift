// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletState
import MartletTesting
import Testing

@Suite("Models that processes opened")
struct ModelTests {
  private let python = TestProcess(7, "/usr/bin/python3")
  private let evil = TestFile("/models/evil.pkl")

  private func last(_ feed: Feed, of process: TestProcess, at time: UInt64) -> [String?] {
    [Field.modelLastOpenPath, .modelLastOpenAge, .modelLastOpenPickleCapable].map {
      feed.text($0, on: Event.open("/x", by: process, at: time))
    }
  }

  @Test("the last one is known of the process and of those that it starts, however far down")
  func lineage() {
    let child = python.child(8, "/bin/sh")
    let grandchild = child.child(9, "/usr/bin/id")
    let stranger = TestProcess(10, "/bin/sh")
    let feed = Feed([
      Event.exec(python), Event.openModel(evil, by: python, at: 5000), Event.fork(child, by: python),
      Event.exec(child), Event.fork(grandchild, by: child), Event.exec(grandchild), Event.exec(stranger),
    ])
    for process in [python, child, grandchild] {
      #expect(last(feed, of: process, at: 9000) == ["/models/evil.pkl", "4000", "true"])
    }
    #expect(last(feed, of: stranger, at: 9000) == [nil, nil, nil])
  }

  @Test("what the host opened counts for no container that comes of it")
  func hostOpen() {
    var inner = python.child(8, "/bin/sh")
    inner.cgroupID = 900
    let outer = python.child(9, "/bin/sh")
    let feed = Feed([
      Event.cgroup(1, "/"), Event.container(cgroup: 900, containerID: containerID, podUID: podUID), Event.exec(python),
      Event.openModel(evil, by: python, at: 5000), Event.fork(inner, by: python), Event.exec(inner),
      Event.fork(outer, by: python), Event.exec(outer),
    ])
    #expect(last(feed, of: inner, at: 9000) == [nil, nil, nil])
    #expect(last(feed, of: outer, at: 9000)[0] == "/models/evil.pkl")
    // Nor does it hold on to its place.
    feed.apply(Event.openModel(TestFile("/models/x.gguf"), by: inner, at: 6000))
    #expect(last(feed, of: inner, at: 9000) == ["/models/x.gguf", "3000", "false"])
    #expect(last(feed, of: outer, at: 9000)[0] == "/models/evil.pkl")
  }

  @Test("an earlier child keeps nothing of what its parent opens later")
  func earlierChild() {
    let child = python.child(8, "/bin/sh")
    let feed = Feed([
      Event.exec(python), Event.fork(child, by: python), Event.openModel(evil, by: python, at: 5000),
    ])
    #expect(last(feed, of: child, at: 9000) == [nil, nil, nil])
  }

  @Test("a harmless model does not hide a pickle for a minute")
  func hiding() {
    let minute: UInt64 = 60_000_000_000
    let harmless = TestFile("/models/x.gguf")
    let feed = Feed([
      Event.exec(python), Event.openModel(evil, by: python, at: 5000),
      Event.openModel(harmless, by: python, at: 6000),
    ])
    #expect(last(feed, of: python, at: 7000)[0] == "/models/evil.pkl")
    feed.apply(Event.openModel(harmless, by: python, at: minute + 5000))
    #expect(last(feed, of: python, at: minute + 6000) == ["/models/x.gguf", "1000", "false"])
    feed.apply(Event.openModel(evil, by: python, at: minute + 7000))
    #expect(last(feed, of: python, at: minute + 7000) == ["/models/evil.pkl", "0", "true"])
  }

  @Test("what the bytes are counts more than what the name is")
  func corrected() {
    let feed = Feed([
      Event.exec(python), Event.openModel(TestFile("/models/x.pt"), by: python, at: 5000),
      Event.model(by: python) { event in
        event.path = Array("/models/x.pt".utf8)
        event.format = .safetensors
      },
    ])
    #expect(last(feed, of: python, at: 5000)[2] == "false")
    feed.apply(
      Event.model(by: python) { event in
        event.path = Array("/models/other.pt".utf8)
        event.format = .pickle
        event.isPickleCapable = true
      })
    #expect(last(feed, of: python, at: 5000)[2] == "false", "another file's")
  }

  @Test(
    "only opens of models for reading count",
    arguments: [
      ("/models/x.safetensors", false, true), ("/models/x.safetensors", true, false), ("/data/x.bin", false, false),
      ("/usr/lib/python3/dist-packages/a.pth", false, false),
      ("/c/blobs/" + String(repeating: "a", count: 64), false, true),
    ])
  func kinds(path: String, writes: Bool, counts: Bool) {
    let feed = Feed([Event.exec(python), Event.openModel(TestFile(path), by: python, writes: writes, at: 5000)])
    #expect((last(feed, of: python, at: 5000)[0] != nil) == counts)
  }

  @Test("the oldest open makes room, and is counted if it was young")
  func room() {
    var limits = StateLimits()
    limits.modelOpenCountMax = 2
    let feed = Feed(limits: limits)
    let processes = (1...3).map { TestProcess(UInt32($0), "/usr/bin/python3") }
    for process in processes { feed.apply(Event.openModel(evil, by: process, at: 5000)) }
    for _ in 0..<9 { feed.apply(Event.openModel(evil, by: processes[2], at: 5000)) }
    #expect(processes.map { last(feed, of: $0, at: 5000)[0] != nil } == [false, true, true])
    #expect(feed.state.statistics.evictedModelOpenCount == 1)
  }

  @Test("a verdict is about who opened the file, and about nobody else if that one has ended")
  func ended() {
    var feed = Feed([Event.exec(python)])
    #expect(feed.text(.processExePath, on: Event.model(by: python)) == "/usr/bin/python3")
    feed = Feed([Event.exec(python), Event.exit(python)])
    #expect(feed.text(.processName, on: Event.model(by: python)) == "python3")
    #expect(feed.text(.processExePath, on: Event.model(by: python)) == nil)
    #expect(feed.state.statistics.processCount == 0)
  }

  @Test(
    "on the open itself the state is pending, and the name says what it can",
    arguments: [
      (Field.modelState, "pending"), (.modelFormat, "torch"), (.modelPickleCapable, "true"),
      (.modelPath, "/models/a.pt"), (.modelVerified, nil), (.modelDigest, nil), (.modelClaimedDigest, nil),
    ] as [(Field, String?)])
  func pending(field: Field, value: String?) {
    #expect(Feed().text(field, on: Event.openModel(TestFile("/models/a.pt"), by: python)) == value)
    #expect(Feed().text(field, on: Event.open("/models/a.pt", by: python)) == nil, "no model's open")
  }
}
