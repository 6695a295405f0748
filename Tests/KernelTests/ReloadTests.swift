// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Dispatch
import Glibc
import MartletCapture
import MartletEvents
import Synchronization
import Testing

extension KernelTests {
  @Suite("Reload")
  struct ReloadTests {
    /// Asks for names on every open: those with this component, and others.
    private func filter(_ component: String, and others: [String]) -> KernelFilter {
      var filter = KernelFilter.none
      filter.opens = OpenFilter(
        verdicts: Array(repeating: .testNames, count: OpenClass.count),
        names: Dictionary(
          uniqueKeysWithValues: ([component] + others).map { (.component(Array($0.utf8)), UInt32.max) }))
      return filter
    }

    private func types(_ types: EventType...) -> EventTypeSet { EventTypeSet(types.map { EventTypeSet($0) }) }

    @Test(
      "every act is told once while what is captured changes all the time: its data, its programs, its hooks",
      arguments: [true, false])
    func exactlyOnce(usesTypedLoads: Bool) throws {
      let folder = try Folder()
      let cgroup = try TestCgroup()
      let name = folder.path.split(separator: "/").last.map(String.init) ?? ""
      var first = CaptureConfiguration.sockets(in: cgroup)
      first.usesTypedLoads = usesTypedLoads
      first.filter = filter(name, and: [])
      var otherData = first
      otherData.filter = filter(name, and: ["one", "two", "three"])
      var otherPrograms = first
      otherPrograms.includesEnvironment = true
      var fewerHooks = first
      fewerHooks.eventTypes = types(.openat, .connect, .execve)
      let source = try KernelSource(configuration: first)
      try source.start()
      #expect(source.hasTypedLoads == usesTypedLoads)
      let actor = try Actor("join", cgroup.path, "own-network", "numbers", folder.path)
      let told = Numbers(folder: folder.path, process: actor.process)
      var extents: [CaptureChange.Extent] = []
      for round in 0..<20 {
        let next = [otherData, otherPrograms, first, fewerHooks][round % 4]
        let change = try prepared(next, by: source) { told.take(from: source) }
        try source.adopt(change)
        #expect(source.hasTypedLoads == usesTypedLoads)
        extents.append(change.extent)
        told.take(from: source)
      }
      actor.letGo()
      let deadline = time(nil) + secondsUntilHung
      while told.last == nil, time(nil) < deadline { told.take(from: source) }

      #expect(actor.finish() == 0)
      #expect(extents == (0..<5).flatMap { [$0 == 0 ? .filter : .programs, .programs, .programs, .programs] })
      let last = try #require(told.last)
      #expect(last > 1000 && told.opens == Numbers.once(upTo: last))
      // One task's records stay in order, so programs that have taken over are never followed by those before them.
      #expect(told.generations == told.generations.sorted() && told.generations.first == 1)
      #expect(told.generations.count > 10 && told.generations.allSatisfy { $0 <= 20 })
      #expect(told.connects == Numbers.once(upTo: last, every: 10))
      #expect(told.execs == Numbers.once(upTo: last, every: 100))
      let hooks = source.settledStatistics().hooks
      #expect(hooks[.open]?.isBalanced == true && hooks[.connect]?.isBalanced == true)
      #expect((hooks[.open]?.delivered ?? 0) >= UInt64(last), "counters start anew")
    }

    @Test("a filter is exchanged without loading anything, as often as one likes")
    func data() throws {
      let folder = try Folder()
      var configurations = [CaptureConfiguration.withoutSeed, .withoutSeed]
      configurations[0].filter = filter("even", and: [])
      configurations[1].filter = filter("odd", and: [])
      let recorder = try Recorder(configurations[0])
      for round in 0..<6 {
        if round > 0 {
          let change = try recorder.source.prepare(configurations[round % 2])
          #expect(change.extent == .filter)
          try recorder.source.adopt(change)
        }
        let actor = try Actor("openat", "\(folder.path)/even", "openat", "\(folder.path)/odd")
        recorder.record(untilEndOf: actor.process)
        actor.finish()
        let names = recorder.records(of: .open, by: actor.process).map { $0.bytes($0.open.pointee.name).string }
          .filter { $0.hasPrefix(folder.path) }
        #expect(names == ["\(folder.path)/\(round % 2 == 0 ? "even" : "odd")"])
      }
      #expect(try recorder.source.prepare(configurations[1]).extent == .nothing)
    }

    @Test("what an old filter and a new one let through is told while they are exchanged thousands of times")
    func manyFilters() throws {
      let folder = try Folder()
      var byName = CaptureConfiguration.withoutSeed
      byName.filter = filter(folder.path.split(separator: "/").last.map(String.init) ?? "", and: [])
      // Half of this one and half of the other would drop all: names count, and there is none.
      var everything = CaptureConfiguration.withoutSeed
      everything.filter = KernelFilter.none
      let source = try KernelSource(configuration: everything)
      try source.start()
      let actor = try Actor("numbers", folder.path)
      let told = Numbers(folder: folder.path, process: actor.process)
      for round in 0..<10_000 {
        try source.adopt(source.prepare(round % 2 == 0 ? byName : everything))
        if round % 10 == 0 { told.take(from: source) }
      }
      actor.letGo()
      let deadline = time(nil) + secondsUntilHung
      while told.last == nil, time(nil) < deadline { told.take(from: source) }
      #expect(actor.finish() == 0)
      let last = try #require(told.last)
      #expect(last > 100 && told.opens == Numbers.once(upTo: last))
      #expect(source.settledStatistics().hooks[.open]?.isBalanced == true)
    }

    @Test("hooks come and go with what is wanted, and what they count stays")
    func hooks() throws {
      let cgroup = try TestCgroup()
      var without = CaptureConfiguration.sockets(in: cgroup)
      without.eventTypes = types(.openat)
      let recorder = try Recorder(without)
      let source = recorder.source
      func attached() -> [String] {
        source.hooks.filter(\.isAttached).map(\.name).filter { $0.hasPrefix("connect") || $0.hasPrefix("ring") }
      }
      func connect() throws -> [SocketCall] {
        let actor = try Actor("join", cgroup.path, "tcp", "blocking", "127.0.0.1", "1")
        recorder.record(untilEndOf: actor.process)
        actor.finish()
        return recorder.records(of: .connect, by: actor.process).map(SocketCall.init)
      }
      let before = attached()
      #expect(!before.contains("connect4"))
      #expect(try connect().isEmpty)
      var with = without
      with.eventTypes = types(.openat, .connect)
      try source.adopt(source.prepare(with))
      #expect(["connect", "connect4", "connect6"].allSatisfy(attached().contains))
      #expect(try connect().count == 1)
      let seen = try #require(source.statistics().hooks[.connect]).seen
      try source.adopt(source.prepare(without))
      #expect(attached() == before)
      #expect(try connect().isEmpty)
      #expect((source.statistics().hooks[.connect]?.seen ?? 0) >= seen)
    }

    @Test("models are told from the change on that asks for them, and no longer from the one that does not")
    func models() throws {
      let folder = try Folder()
      let path = try folder.file("a.gguf")
      let without = CaptureConfiguration.withoutSeed
      let recorder = try Recorder(without)
      func states() throws -> [Bool] {
        let actor = try Actor("openat", path)
        recorder.record(untilEndOf: actor.process)
        #expect(actor.finish() == 0)
        return recorder.records(of: .open, by: actor.process)
          .filter { $0.bytes($0.open.pointee.path).string == path }.map { $0.fileState != nil }
      }
      func changes() -> Bool { recorder.source.hooks.contains { $0.name.hasPrefix("changes") && $0.isAttached } }
      #expect(try states() == [false] && !changes())
      try recorder.source.adopt(recorder.source.prepare(.ofModels))
      #expect(try states() == [true] && changes())
      let numbers = try FileNumbers(path)
      #expect(recorder.source.watch(device: numbers.device, inode: numbers.inode))
      try recorder.source.adopt(recorder.source.prepare(without))
      #expect(try states() == [false] && !changes())
    }

    @Test("an attempt that is under way during a change is told once")
    func attemptUnderWay() throws {
      let cgroup = try TestCgroup()
      var configuration = CaptureConfiguration.sockets(in: cgroup)
      let recorder = try Recorder(configuration)
      let actor = try Actor(
        "join", cgroup.path, "listen-full", "127.0.0.1", "tcp", "nonblocking", "127.0.0.1", "0", "wait")
      #expect(actor.awaitWaiting())
      configuration.includesEnvironment = true
      try recorder.source.adopt(recorder.source.prepare(configuration))
      recorder.record(until: "the attempt, by the kernel's timer") {
        $0.kind == .connect && SocketCall($0).result == -Int64(EINPROGRESS)
      }
      actor.finish()
      recorder.record(untilEndOf: actor.process)
      let results = recorder.records(of: .connect, by: actor.process).filter { $0.type == .connect }
        .map { SocketCall($0).result }
      #expect(results == [0, -Int64(EINPROGRESS)])
    }

    @Test("what cannot be loaded changes nothing, and one change is prepared at a time")
    func refused() throws {
      let folder = try Folder()
      let recorder = try Recorder()
      var next = CaptureConfiguration.withoutSeed
      next.includesEnvironment = true
      let error = try #require(Privileges.without { refusal(of: next, by: recorder.source) })
      #expect(error.code == .notPermitted)
      try told(folder, recorder)

      let change = try recorder.source.prepare(next)
      let second = try #require(refusal(of: next, by: recorder.source))
      #expect(second.errno == EBUSY)
      try told(folder, recorder)
      try recorder.source.adopt(change)
      try told(folder, recorder)
    }

    @Test("with full rings the change is made, and what was lost is counted")
    func fullRing() throws {
      let folder = try Folder()
      var configuration = CaptureConfiguration.withoutSeed
      configuration.ringBytes = 256 << 10
      let recorder = try Recorder(configuration)
      let file = try folder.file("file")
      let actor = try Actor("repeat-open", "20000", file, "wait")
      #expect(actor.awaitWaiting())
      configuration.includesEnvironment = true
      try recorder.source.adopt(recorder.source.prepare(configuration))
      actor.finish()
      recorder.record(untilEndOf: actor.process)
      let hook = try #require(recorder.source.settledStatistics().hooks[.open])
      #expect(hook.lost > 1000 && hook.isBalanced)
      try told(folder, recorder)
    }

    @Test("changes leave no descriptor and no mapping behind, adopted or not")
    func nothingIsLeft() throws {
      var configuration = CaptureConfiguration.withoutSeed
      configuration.eventTypes = types(.execve)
      let source = try KernelSource(configuration: configuration)
      try source.start()
      var counts: Set<Int> = []
      for round in 0..<12 {
        configuration.includesEnvironment.toggle()
        let change = try source.prepare(configuration)
        if round % 3 == 0 { configuration.includesEnvironment.toggle() } else { try source.adopt(change) }
        let count = withExtendedLifetime(change) { Self.kernelObjects() }
        // The first generation has the entries as well, until it has gone.
        if round >= 2 { counts.insert(count) }
      }
      // Two generations at a time, which are of the same size.
      #expect(counts.count == 1, "\(counts)")
    }

    /// Descriptors of maps, programs and links that this process has.
    private static func kernelObjects() -> Int {
      (0..<1024).count { descriptor in
        var target = [CChar](repeating: 0, count: 64)
        let length = readlink("/proc/self/fd/\(descriptor)", &target, 63)
        return length > 0
          && String(decoding: target[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self).contains("bpf")
      }
    }

    /// Prepares on another thread while this one goes on with what it does.
    private func prepared(
      _ configuration: CaptureConfiguration, by source: KernelSource, meanwhile act: () -> Void
    ) throws -> CaptureChange {
      let outcome = Outcome()
      DispatchQueue.global().async {
        let result = Result { () throws(CaptureError) in try source.prepare(configuration) }
        outcome.result.withLock { $0 = result }
      }
      while true {
        act()
        if let result = outcome.result.withLock({ $0 }) { return try result.get() }
      }
    }

    private final class Outcome: Sendable {
      let result = Mutex<Result<CaptureChange, CaptureError>?>(nil)
    }

    private func refusal(of configuration: CaptureConfiguration, by source: KernelSource) -> CaptureError? {
      do {
        _ = try source.prepare(configuration)
        return nil
      } catch {
        return error
      }
    }

    /// That it still works.
    private func told(_ folder: Folder, _ recorder: Recorder) throws {
      let actor = try Actor("openat", "\(folder.path)/nothing")
      recorder.record(untilEndOf: actor.process)
      actor.finish()
      _ = try recorder.open(named: "\(folder.path)/nothing", by: actor.process)
    }
  }
}
