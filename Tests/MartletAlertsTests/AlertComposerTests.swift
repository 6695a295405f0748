// SPDX-License-Identifier: Apache-2.0

import Foundation
import MartletAlerts
import MartletEvents
import MartletRules
import MartletState
import MartletTesting
import Testing

@Suite("Alerts")
struct AlertComposerTests {
  private static let template = OutputTemplate(pieces: [
    .literal(Array("read ".utf8)), .field(FieldReference(.fdName), width: nil), .literal(Array(" by ".utf8)),
    .field(FieldReference(.processName), width: 5), .literal(Array("|".utf8)),
    .field(FieldReference(.processParentName), width: nil), .literal(Array(" ".utf8)),
    .field(FieldReference(.processAncestorName), width: nil), .literal(Array(" ".utf8)),
    .field(FieldReference(.fdServerAddress), width: nil), .literal(Array(" ".utf8)),
    .transformed(upperName, text: "toupper(proc.name)", width: 4), .literal(Array("|".utf8)),
    .transformed(names, text: "basename((proc.name, fd.name))", width: nil),
  ])

  private static let upperName = Operand.transformed(.toUpper, [.field(FieldReference(.processName))], selector: nil)
  private static let names = Operand.transformed(
    .basename, [.list([.field(FieldReference(.processName)), .field(FieldReference(.fdName))])], selector: nil)

  private func rule(_ priority: Priority = .informational) -> Ruleset {
    let location = MartletRules.SourceLocation(path: "t.yaml", line: 1, column: 1, offset: 0)
    return Ruleset(rules: [
      Rule(
        id: RuleID(rawValue: 0), name: "Say \"it\"", description: "", condition: .all([]), output: Self.template,
        priority: priority, tags: ["a", "b"], source: "syscall", isEnabled: true, eventTypes: .all, location: location)
    ])
  }

  /// The line of the last event's alert, and the same parsed by a JSON reader of somebody else.
  private func alert(
    _ records: [TestRecord], under view: PathView = .spelled
  ) throws -> (line: String, object: [String: Any], fields: [String: Any]) {
    var state = SystemState()
    var buffer = AlertBuffer()
    var context: EventContext?
    for record in records { context = record.record.flatMap { state.apply($0) } }
    var last = try #require(context)
    AlertComposer(rule()).compose(RuleID(rawValue: 0), under: view, &last, into: &buffer)
    withExtendedLifetime(records) {}
    #expect(buffer.alertCount == 1 && buffer.bytes.count { $0 == 10 } == 1 && buffer.bytes.last == 10)
    let parsed = try JSONSerialization.jsonObject(with: Data(buffer.bytes))
    let object = try #require(parsed as? [String: Any])
    let fields = try #require(object["output_fields"] as? [String: Any])
    return (String(decoding: buffer.bytes, as: UTF8.self), object, fields)
  }

  private let host = Event.host("node-1", realtimeOffset: 1_470_327_116_000_000_000)
  private let root = Event.cgroup(1, "/")

  @Test("the shape is Falco's")
  func shape() throws {
    let shell = TestProcess(50, "/bin/sh")
    let cat = shell.child(51, "/usr/bin/cat", arguments: ["/etc/shadow"])
    let alert = try alert([
      host, root, Event.exec(shell), Event.exec(cat),
      Event.open("../etc/shadow", resolved: "/data/shadow", below: "/tmp", by: cat, at: 746_609_046),
    ])
    #expect(alert.object["time"] as? String == "2016-08-04T16:11:56.746609046Z")
    #expect(alert.object["priority"] as? String == "Informational")
    #expect(alert.object["rule"] as? String == "Say \"it\"")
    #expect(alert.object["source"] as? String == "syscall")
    #expect(alert.object["hostname"] as? String == "node-1")
    #expect(alert.object["tags"] as? [String] == ["a", "b"])
    #expect(alert.object["path_view"] as? String == "spelled")
    #expect(
      alert.object["output"] as? String
        == "16:11:56.746609046: Informational read /etc/shadow by cat  |sh sh <NA> CAT |(cat,shadow)")
    #expect(
      Set(alert.object.keys) == [
        "alert_id", "enrichment", "hostname", "output", "output_fields", "path_view", "priority", "rule", "source",
        "tags", "time",
      ])
    #expect(alert.object["enrichment"] as? String == "complete")
    #expect(alert.fields["evt.time"] as? Int64 == 1_470_327_116_746_609_046)
    #expect(alert.fields["proc.pid"] as? Int == 51)
    #expect(alert.fields["proc.tty"] as? Int == 0)
    #expect(alert.fields["user.loginuid"] as? Int == -1)
    #expect(alert.fields["container.id"] as? String == "host")
    #expect(alert.fields["proc.aname[2]"] is NSNull && alert.fields["k8s.pod.uid"] is NSNull)
    #expect(
      alert.fields["fd.name"] as? String == "/etc/shadow" && alert.fields["fd.realpath"] as? String == "/data/shadow")
    #expect(alert.line.contains(#""container.name":"host","evt.time":1470327116746609046,"evt.type":"openat""#))
  }

  @Test("an event of a container bears the names that its runtime gave")
  func names() throws {
    var report = ContainerReport(id: Array(repeating: 0x61, count: 64))
    report.name = Array("web".utf8)
    report.imageRepository = Array("shop/web".utf8)
    report.imageTag = Array("1.2".utf8)
    report.podName = Array("web-0".utf8)
    report.podNamespace = Array("shop".utf8)
    let id = String(repeating: "a", count: 64)
    var cat = TestProcess(51, "/usr/bin/cat")
    cat.cgroupID = 7
    let alert = try alert([
      host, Event.cgroup(7, "/docker/\(id)"), Event.report(report), Event.exec(cat), Event.open("/x", by: cat),
    ])
    let expected = [
      "container.id": "aaaaaaaaaaaa", "container.name": "web", "container.image.repository": "shop/web",
      "container.image.tag": "1.2", "k8s.pod.name": "web-0", "k8s.ns.name": "shop",
    ]
    for (name, value) in expected { #expect(alert.fields[name] as? String == value, "\(name)") }
  }

  @Test("under the resolved name the alert shows that one, and says so")
  func resolved() throws {
    let cat = TestProcess(51, "/usr/bin/cat")
    let alert = try alert(
      [host, Event.exec(cat), Event.open("/tmp/x", resolved: "/etc/shadow", by: cat)], under: .resolved)
    #expect(alert.object["path_view"] as? String == "resolved")
    #expect(alert.fields["fd.name"] as? String == "/etc/shadow")
    #expect((alert.object["output"] as? String)?.contains("read /etc/shadow by") == true)
  }

  @Test("only opens have a path view")
  func noView() throws {
    let curl = TestProcess(51, "/usr/bin/curl")
    let alert = try alert([host, Event.exec(curl), Event.connect(to: "203.0.113.7", port: 80, by: curl)])
    #expect(alert.object["path_view"] == nil)
    #expect(alert.fields["fd.name"] as? String == "0.0.0.0:0->203.0.113.7:80")
    #expect((alert.object["output"] as? String)?.contains("<NA>  203.0.113.7 ") == true)
  }

  @Test("whatever a name holds, the line stays one line of valid JSON", arguments: hostileNames)
  func hostile(name: [UInt8]) throws {
    var json = JSONWriter()
    json.value(name)
    let parsed = try JSONSerialization.jsonObject(with: Data(json.bytes), options: [.fragmentsAllowed])
    #expect(parsed as? String == String(decoding: name, as: UTF8.self))
    #expect(json.bytes.allSatisfy { $0 >= 0x20 })

    let repaired = String(decoding: name, as: UTF8.self)
    var process = TestProcess(51, "/bin/x", arguments: [repaired])
    process.comm = String(repaired.prefix(3))
    process.cgroupID = 7
    var report = ContainerReport(id: Array(repeating: 0x61, count: 64))
    report.name = name
    report.podNamespace = name
    let alert = try alert([
      Event.host(repaired), Event.cgroup(7, "/docker/" + String(repeating: "a", count: 64)), Event.report(report),
      Event.exec(process), Event.open("/tmp/n" + repaired + "/x", by: process),
    ])
    // The empty name is none; what is longer than a name may be is cut.
    let shown = name.isEmpty ? nil : String(decoding: name.prefix(ContainerReport.textByteCountMax), as: UTF8.self)
    #expect(alert.fields["container.name"] as? String == shown && alert.fields["k8s.ns.name"] as? String == shown)
    #expect(alert.object["hostname"] as? String == repaired)
    #expect(alert.fields["fd.name"] as? String == "/tmp/n" + repaired + "/x")
    #expect((alert.object["output"] as? String)?.contains("read /tmp/n\(repaired)/x by") == true)
    #expect(alert.object["priority"] as? String == "Informational")
  }

  static let hostileNames: [[UInt8]] = [
    Array("a\nb\r\t\"\\\u{7f}\u{1}".utf8), [0x2f, 0xff, 0xfe], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xc0, 0xaf],
    Array("日本🙂é".utf8), [0xf4, 0x90, 0x80, 0x80], [0xf0, 0x9f, 0x99], Array("\",\"priority\":\"Debug".utf8),
    Array("\u{9b}31m\u{85}".utf8),
  ]

  @Test("a full buffer says so")
  func full() throws {
    var buffer = AlertBuffer()
    var state = SystemState()
    let record = Event.open("/" + String(repeating: "x", count: 4000), by: TestProcess(5))
    let composer = AlertComposer(rule())
    var count = 0
    while !buffer.isFull {
      var context = try #require(record.record.flatMap { state.apply($0) })
      composer.compose(RuleID(rawValue: 0), under: .spelled, &context, into: &buffer)
      count += 1
    }
    #expect(count == buffer.alertCount && count > 10 && buffer.bytes.count < AlertBuffer.fullByteCount + 65_536)
    buffer.removeAll()
    #expect(buffer.bytes.isEmpty && buffer.alertCount == 0)
  }
}

@Suite("Identity of alerts")
struct AlertIdentityTests {
  /// The ids of the alerts that two opens give.
  private func identifiers(node: String, startedAt start: UInt64 = 5, rule name: String = "R") throws -> [String] {
    let location = MartletRules.SourceLocation(path: "t.yaml", line: 1, column: 1, offset: 0)
    let rule = Rule(
      id: RuleID(rawValue: 0), name: name, description: "", condition: .all([]), output: OutputTemplate(pieces: []),
      priority: .notice, tags: [], source: "syscall", isEnabled: true, eventTypes: .all, location: location)
    let composer = AlertComposer(Ruleset(rules: [rule]))
    var state = SystemState()
    var buffer = AlertBuffer()
    let open = Event.open("/x", by: TestProcess(7))
    for record in [Event.host("n", nodeID: node, at: start), open, Event.host("n", nodeID: node, at: 99), open] {
      guard var context = record.record.flatMap({ state.apply($0) }) else { continue }
      composer.compose(rule.id, under: .spelled, &context, into: &buffer)
    }
    let text = String(decoding: buffer.bytes, as: UTF8.self)
    return text.matches(of: #/"alert_id":"([0-9a-f]{32})"/#).map { String($0.1) }
  }

  @Test("the same stream gives the same ids; another node, run, event or rule gives others")
  func identity() throws {
    let first = try identifiers(node: "a")
    #expect(first.count == 2 && Set(first).count == 2)
    #expect(try identifiers(node: "a") == first)
    let others = try identifiers(node: "b") + identifiers(node: "a", startedAt: 6) + identifiers(node: "a", rule: "S")
    #expect(others.count == 6 && Set(others + first).count == 8)
  }
}
