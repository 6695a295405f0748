// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletCapture
import MartletEvents
import Testing

extension KernelTests {
  /// What happens when more comes than the rings take.
  @Suite("Losses")
  struct LossTests {
    private static let flood = "/etc/hostname"
    private static let cpus = min(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 2)

    private static var smallRings: CaptureConfiguration {
      var configuration = CaptureConfiguration.withoutSeed
      configuration.ringBytes = 256 << 10
      return configuration
    }

    @Test("every open of a flood is delivered or counted as lost for its container, to the last one")
    func exact() throws {
      let recorder = try Recorder(Self.smallRings)
      let cgroups = try (0..<Self.cpus).map { _ in try TestCgroup() }
      let actors = try cgroups.enumerated().map { cpu, cgroup in
        try Actor("join", cgroup.path, "pin", "\(cpu)", "repeat-open", "10000", Self.flood, "wait")
      }
      // Nothing is read meanwhile.
      for actor in actors { try #require(actor.awaitWaiting()) }
      recorder.record(until: "a notice of the last flood") { $0.kind == .notice }
      for actor in actors {
        actor.finish()
        recorder.record(untilEndOf: actor.process)
      }
      let statistics = recorder.source.settledStatistics()
      for (cgroup, actor) in zip(cgroups, actors) {
        let losses = statistics.losses.filter { $0.cgroupID == cgroup.id }
        #expect(losses.map(\.hook) == [.open])
        let lost = losses.reduce(0) { $0 + $1.total }
        #expect(UInt64(opens(of: Self.flood, by: actor, in: recorder)) + lost == 10_000)
        #expect(lost > 5000)
      }
      #expect(attributed(statistics) == statistics.lost)
      #expect(statistics.isBalanced)
    }

    @Test("a ring that holds a whole burst loses none of it, however late it is read")
    func roomForAll() throws {
      var configuration = CaptureConfiguration.withoutSeed
      configuration.ringBytes = 16 << 20
      let recorder = try Recorder(configuration)
      let actor = try Actor("pin", "0", "repeat-open", "20000", Self.flood, "wait")
      try #require(actor.awaitWaiting())
      actor.finish()
      recorder.record(untilEndOf: actor.process)
      #expect(opens(of: Self.flood, by: actor, in: recorder) == 20_000)
    }

    @Test("a container that floods a ring leaves room in it for the others, and is named")
    func governor() throws {
      let recorder = try Recorder(Self.smallRings)
      let (cgroup, other) = (try TestCgroup(), try TestCgroup())
      let flooder = try Actor("join", cgroup.path, "pin", "0", "repeat-open", "4000", Self.flood, "wait")
      try #require(flooder.awaitWaiting())
      let quiet = try Actor("join", other.path, "pin", "0", "repeat-open", "20", Self.flood, "wait")
      try #require(quiet.awaitWaiting())
      // Nothing was read meanwhile.
      var notices: [EventRecord] = []
      recorder.record(until: "a notice of the flood") { record in
        if record.kind == .notice, record.common.pointee.cgroup_id == cgroup.id { notices.append(record) }
        return !notices.isEmpty
      }
      let loss = try #require(recorder.source.statistics().losses.first { $0.cgroupID == cgroup.id })
      #expect(loss.hook == .open && loss.lost == 0 && loss.shed > 2000)
      #expect(opens(of: Self.flood, by: quiet, in: recorder) == 20)
      let notice = try #require(notices.first?.notice.pointee)
      #expect(notice.subject == MARTLET_NOTICE_FLOOD.rawValue)
      #expect(notice.hook == MARTLET_HOOK_OPEN.rawValue)
      #expect(notice.count == loss.shed)
    }

    @Test("while others flood every ring, each exec and each end is delivered, and what the opens lost is known")
    func execs() throws {
      let recorder = try Recorder(Self.smallRings)
      let (cgroup, other) = (try TestCgroup(), try TestCgroup())
      let flooders = try (0..<Self.cpus).map { cpu in
        try Actor("join", cgroup.path, "pin", "\(cpu)", "repeat-open", "100000", Self.flood, "wait")
      }
      let actor = try Actor("join", other.path, "repeat-open", "100", "/etc/passwd", "children", "20")
      recorder.record(untilEndOf: actor.process)
      for flooder in flooders {
        try #require(flooder.awaitWaiting())
        flooder.finish()
        recorder.record(untilEndOf: flooder.process)
      }
      let children = recorder.records.filter {
        $0.kind == .fork && $0.fork.pointee.creator_id == UInt32(actor.process)
      }
      #expect(children.count == 20)
      for child in children {
        let process = pid_t(child.common.pointee.process_id)
        #expect(recorder.records(of: .exec, by: process).count == 1)
        #expect(recorder.records(of: .exit, by: process).count == 1)
      }
      let statistics = recorder.source.statistics()
      #expect(statistics.hooks[.exec]?.lost == 0 && statistics.hooks[.exit]?.lost == 0)
      let lost = { (id: UInt64) in
        statistics.losses.reduce(0) { $0 + ($1.cgroupID == id && $1.hook == .open ? $1.total : 0) }
      }
      #expect(UInt64(opens(of: "/etc/passwd", by: actor, in: recorder)) + lost(other.id) >= 100)
      let delivered = flooders.reduce(0) { $0 + opens(of: Self.flood, by: $1, in: recorder) }
      #expect(UInt64(delivered) + lost(cgroup.id) == 100_000 * UInt64(Self.cpus))
      #expect(attributed(statistics) == statistics.lost)
    }

    @Test("what was not complete when the rings were read comes late, is counted, and keeps the order of its task")
    func late() throws {
      let recorder = try Recorder()
      let actors = try (0..<Self.cpus).map { cpu in
        try Actor("pin", "\(cpu)", "repeat-open", "200000", Self.flood, "wait")
      }
      var latest: [UInt32: UInt64] = [:]
      var (newest, overtaken): (UInt64, UInt64) = (0, 0)
      var isInOrder = true
      for actor in actors {
        recorder.look(untilEndOf: actor) { record in
          let common = record.common.pointee
          if common.time_ns < newest { overtaken += 1 } else { newest = common.time_ns }
          guard record.kind != .tick && record.kind != .host else { return }
          isInOrder = isInOrder && common.time_ns >= latest[common.thread_id, default: 0]
          latest[common.thread_id] = common.time_ns
        }
      }
      #expect(isInOrder)
      let late = recorder.source.statistics().late
      #expect(late > 0)
      // Late is also what came behind the time of a drain that found nothing.
      #expect(overtaken <= late)
    }

    private func opens(of path: String, by actor: Actor, in recorder: Recorder) -> Int {
      recorder.records(of: .open, by: actor.process).count { $0.bytes($0.open.pointee.name).string == path }
    }

    private func attributed(_ statistics: CaptureStatistics) -> UInt64 {
      statistics.losses.reduce(0) { $0 + $1.total } + statistics.otherLosses + (statistics.fullTables[.losses] ?? 0)
    }
  }
}
