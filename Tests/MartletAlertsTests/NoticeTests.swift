// SPDX-License-Identifier: Apache-2.0

import Foundation
import MartletAlerts
import MartletEvents
import MartletState
import MartletTesting
import Testing

@Suite("Notices")
struct NoticeTests {
  /// The alert of the last record, parsed by a JSON reader of somebody else.
  private func alert(_ records: [TestRecord]) throws -> (object: [String: Any], fields: [String: Any]) {
    var state = SystemState()
    var buffer = AlertBuffer()
    for record in records.dropLast() { _ = record.record.flatMap { state.apply($0) } }
    let record = try #require(records.last?.record)
    let applied = state.apply(record)
    var context = try #require(applied)
    NoticeComposer.compose(try #require(Notice(record)), &context, into: &buffer)
    withExtendedLifetime(records) {}
    #expect(buffer.alertCount == 1 && buffer.bytes.count { $0 == 10 } == 1 && buffer.bytes.last == 10)
    let object = try #require(try JSONSerialization.jsonObject(with: Data(buffer.bytes)) as? [String: Any])
    let fields = try #require(object["output_fields"] as? [String: Any])
    return (object, fields)
  }

  private static let id = String(repeating: "4f1c9e0b2a77", count: 5) + "abcd"
  private static let pod = "0f4d2a1e-90ab-4cde-8f01-23456789abcd"
  private let host = Event.host("node-1", realtimeOffset: 1_470_327_116_000_000_000)
  private let container = Event.container(cgroup: 77, containerID: id, podUID: pod)

  @Test("a loss names hook, count and container, in the shape of other alerts")
  func loss() throws {
    let alert = try alert([host, container, Event.notice(.lost, count: 12, hook: .open, cgroup: 77, at: 5)])
    #expect(alert.object["rule"] as? String == "Martlet: events lost")
    #expect(alert.object["source"] as? String == "internal" && alert.object["priority"] as? String == "Warning")
    #expect(alert.object["time"] as? String == "2016-08-04T16:11:56.000000005Z")
    #expect(alert.object["hostname"] as? String == "node-1" && alert.object["tags"] as? [String] == ["martlet"])
    let output = try #require(alert.object["output"] as? String)
    #expect(output.hasPrefix("16:11:56.000000005: Warning Events were seen"))
    #expect(output.contains("| count=12 hook=open container.id=4f1c9e0b2a77 "))
    #expect(output.contains(" container.name=<NA> ") && output.contains(" k8s.pod.uid=\(Self.pod) "))
    #expect(alert.fields["martlet.count"] as? Int == 12 && alert.fields["martlet.hook"] as? String == "open")
    #expect(alert.fields["container.id"] as? String == "4f1c9e0b2a77")
    #expect(alert.fields["proc.pid"] == nil)
  }

  @Test("who tampers is told as far as it is known")
  func tamper() throws {
    let known = TestProcess(50, "/usr/bin/gdb", arguments: ["-p", "1"])
    let alert = try alert([host, Event.exec(known), Event.notice(.tamper, detail: "ptrace", about: known)])
    #expect(alert.fields["proc.cmdline"] as? String == "gdb -p 1")
    #expect(alert.fields["martlet.detail"] as? String == "ptrace" && alert.fields["martlet.hook"] is NSNull)
    #expect(alert.object["priority"] as? String == "Alert")

    let stranger = try self.alert([host, Event.notice(.tamper, detail: "ptrace", about: TestProcess(51, "/bin/x"))])
    #expect(stranger.fields["proc.pid"] as? Int == 51 && stranger.fields["proc.name"] as? String == "x")
    #expect(stranger.fields["proc.exepath"] is NSNull)
  }

  @Test("a notice changes nothing of what is known", arguments: NoticeSubject.allCases)
  func pure(subject: NoticeSubject) throws {
    let process = TestProcess(50, "/bin/sh")
    var other = process
    other.comm = "other"
    let before = [Event.exec(process), Event.notice(subject, about: other)]
    var state = SystemState()
    for record in before { _ = record.record.flatMap { state.apply($0) } }
    let open = Event.open("/x", by: process)
    let applied = open.record.flatMap { state.apply($0) }
    var context = try #require(applied)
    guard case .text(let name) = context.value(of: .processName) else {
      Issue.record("no name")
      return
    }
    #expect(name.string == "sh" && state.statistics.processCount == 1)
    withExtendedLifetime((before, open)) {}
  }

  @Test("a subject that nobody knows gives no alert, and a detail of anybody's bytes one line")
  func hostile() throws {
    let alert = try alert([host, Event.notice(.tamper, detail: "a\n\"}\u{7f}")])
    #expect(alert.fields["martlet.detail"] as? String == "a\n\"}\u{7f}")

    let unknown = Event.notice(.lost)
    unknown.bytes.storeBytes(of: 999, toByteOffset: 88, as: UInt32.self)
    let record = try #require(unknown.record)
    #expect(Notice(record) == nil)
  }
}
