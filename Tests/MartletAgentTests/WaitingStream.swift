// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Foundation
import MartletAgent
import MartletAlerts
import MartletEvents
import MartletRules
import MartletTesting
import Testing

/// A stream in which things happen in containers, and what a pipeline makes of it.
enum WaitingStream {
  static let second: UInt64 = 1_000_000_000
  static let wait = 2 * second
  static var begun: TestRecord { Event.inquiry(.begun(waitNanoseconds: wait)) }
  /// Users' names are read; with `begun`, runtimes are asked, too.
  static var usersBegun: TestRecord { Event.inquiry(.usersBegun(waitNanoseconds: wait)) }

  /// Number 0 is the host.
  static func containerID(_ number: Int) -> String { String(repeating: "\(number)a", count: 32) }
  static func cgroup(_ number: Int) -> UInt64 { number == 0 ? 1 : UInt64(900 + number) }

  static func announcement(_ number: Int, at time: UInt64 = 0) -> TestRecord {
    Event.cgroup(cgroup(number), number == 0 ? "/" : "/docker/\(containerID(number))", at: time)
  }

  static func report(_ number: Int, repository: String = "shop/web", at time: UInt64 = 0) -> TestRecord {
    var report = ContainerReport(id: Array(containerID(number).utf8))
    report.name = Array("name-\(number)".utf8)
    report.imageRepository = Array(repository.utf8)
    report.podNamespace = Array((number % 2 == 0 ? "kube-system" : "shop").utf8)
    report.startedNanoseconds = 5
    return Event.report(report, at: time)
  }

  static func unanswered(_ number: Int, at time: UInt64 = 0) -> TestRecord {
    Event.inquiry(.unanswered(id: Array(containerID(number).utf8)), at: time)
  }

  /// What the users of a container are called; of the host with number 0.
  static func users(_ number: Int, named name: String = "keeper", at time: UInt64 = 0) -> TestRecord {
    var report = AccountReport(containerID: number == 0 ? [] : Array(containerID(number).utf8))
    for id in [0, 1000] as [UInt32] {
      _ = report.add(user: .init(id: id, name: Array("\(name)-\(id)".utf8), home: Array("/home/\(name)".utf8)))
      _ = report.add(group: .init(id: id, name: Array("\(name)s".utf8)))
    }
    return Event.report(report, at: time)
  }

  /// That nobody was there any more to read them from.
  static func noUsers(_ number: Int, at time: UInt64 = 0) -> TestRecord {
    var report = AccountReport(containerID: Array(containerID(number).utf8))
    report.isUnknown = true
    return Event.report(report, at: time)
  }

  static func process(_ id: UInt32, _ path: String = "/bin/cat", in number: Int) -> TestProcess {
    var process = TestProcess(id, path)
    process.cgroupID = cgroup(number)
    return process
  }

  static func rules(_ text: String, all: Bool = false) throws -> Ruleset {
    let ruleset = try #require(Ruleset.compile([SourceFile(path: "wait.yaml", text: text)]).ruleset)
    return all ? Ruleset(rules: ruleset.rules, matching: .all) : ruleset
  }

  /// What came of it: each alert as its line and as an object.
  struct Outcome {
    var lines: [String] = []
    var waits = HeldEvents.Statistics()
    var counters = PipelineCounters()

    var alerts: [[String: Any]] {
      lines.map { (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? [String: Any] ?? [:] }
    }
    var rules: [String] { alerts.map { $0["rule"] as? String ?? "" } }
    var enrichments: [String] { alerts.map { $0["enrichment"] as? String ?? "" } }

    func fields(_ name: String) -> [String?] {
      alerts.map { ($0["output_fields"] as? [String: Any])?[name] as? String }
    }

    /// The lines of each container, in order.
    var linesByContainer: [String: [String]] {
      Dictionary(grouping: zip(lines, fields("container.id")).map { $0 }) { $0.1 ?? "" }
        .mapValues { $0.map(\.0) }
    }
  }

  /// Leads the records through a pipeline, in one batch, to the end of the stream.
  static func outcome(
    of records: [TestRecord], _ ruleset: Ruleset, limits: HeldEvents.Limits = HeldEvents.Limits(), ends: Bool = true
  ) -> Outcome {
    var pipeline = Pipeline(ruleset, waitLimits: limits)
    var outcome = Outcome()
    feed(records, to: &pipeline, &outcome)
    if ends {
      pipeline.endWaits()
      feed([], to: &pipeline, &outcome)
    }
    return outcome
  }

  static func feed(_ records: [TestRecord], to pipeline: inout Pipeline, _ outcome: inout Outcome) {
    var alerts = AlertBuffer()
    withBatch(records) { batch in
      var next = 0
      repeat {
        next = pipeline.process(batch, from: next, into: &alerts)
        outcome.lines += String(decoding: alerts.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        alerts.removeAll()
      } while next < batch.count || pipeline.hasDue
    }
    outcome.waits = pipeline.waitStatistics
    outcome.counters = pipeline.counters
  }
}

extension TestRecord {
  /// As the kernel's filter does with what it would drop.
  func mark() {
    guard let flags = MemoryLayout<martlet_record>.offset(of: \.flags) else { return }
    bytes.storeBytes(of: MARTLET_FLAG_UNWANTED, toByteOffset: flags, as: UInt32.self)
  }
}
