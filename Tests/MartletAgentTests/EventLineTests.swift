// SPDX-License-Identifier: Apache-2.0

import Glibc
import MartletAlerts
import MartletEvents
import MartletRules
import MartletState
import Testing

@testable import MartletAgent

@Suite("Event lines")
struct EventLineTests {
  private static func event(_ line: String) throws -> GivenEvent {
    var bytes = Array(line.utf8)
    let file = try #require(fmemopen(&bytes, bytes.count, "r"))
    return try #require(try EventLines(file, path: "lines").next())
  }

  /// The value as text; nil where it is missing.
  private static func text(_ field: String, _ brackets: String? = nil, in line: String) throws -> String? {
    let event = try event(line)
    let (field, argument) = try FieldRegistry.resolve(field, brackets: brackets.map { Array($0.utf8) }).get()
    return withExtendedLifetime(event) {
      var context = EventContext(event)
      return switch context.value(of: field, argument) {
      case .missing: nil
      case .pending: "<pending>"
      case .text(let text): text.string
      case .signed(let number): "\(number)"
      case .unsigned(let number): "\(number)"
      case .boolean(let flag): "\(flag)"
      case .double(let number): "\(number)"
      case .address(let address): "\(address)"
      }
    }
  }

  @Test("a moment may be given as alerts have it")
  func moment() throws {
    let line = #"{"evt.time": 1470327116746609046}"#
    #expect(try Self.text("evt.time", in: line) == "16:11:56.746609046")
    #expect(try Self.text("evt.rawtime", in: line) == "1470327116746609046")
    #expect(try Self.text("evt.rawtime", in: #"{"evt.time": 7, "evt.rawtime": 9}"#) == "9")
    #expect(try Self.text("evt.time", in: #"{"evt.time": "noon"}"#) == "noon")
  }

  @Test(
    "fields of every kind",
    arguments: [
      (#"{"proc.name": "sh"}"#, "proc.name", nil, "sh"), (#"{"proc.name": null}"#, "proc.name", nil, nil),
      (#"{"proc.name": ""}"#, "proc.name", nil, ""), (#"{}"#, "proc.name", nil, nil),
      (#"{"proc.name": "a", "proc.name": "b"}"#, "proc.name", nil, "b"),
      (#"{"proc.name": {"$pending": true}}"#, "proc.name", nil, "<pending>"),
      (#"{"proc.name": {"$hex": "2f6574"}}"#, "proc.name", nil, "/et"),
      (#"{"proc.name": "\u00e9\ud83d\ude00\n\""}"#, "proc.name", nil, "é😀\n\""), (#" { } "#, "proc.name", nil, nil),
      (#"{"evt.buffer": {"$hex": ""}}"#, "evt.buffer", nil, ""),
      (#"{"evt.type": "ptrace"}"#, "evt.type", nil, "ptrace"), (#"{"proc.name": "a"}"#, "evt.type", nil, nil),
      (#"{"proc.aname[2]": "sshd"}"#, "proc.aname", "2", "sshd"),
      (#"{"proc.aname": ["a", "b"]}"#, "proc.aname", "2", "b"),
      (#"{"proc.aname": ["a", "b"]}"#, "proc.aname", "0", nil),
      (#"{"proc.aname": "a"}"#, "proc.aname", "1", "a"), (#"{"proc.apid": [10, 1]}"#, "proc.apid", "2", "1"),
      (#"{"proc.args": ["-c", "ls"]}"#, "proc.args", nil, "-c ls"),
      (#"{"proc.args": ["-c", "ls"]}"#, "proc.args", "1", "ls"),
      (#"{"proc.args[0]": "-c"}"#, "proc.args", "0", "-c"), (#"{"proc.args[0]": "-c"}"#, "proc.args", nil, nil),
      (#"{"proc.env[HOME]": "/root"}"#, "proc.env", "HOME", "/root"),
      (#"{"proc.env[\"HOME\"]": "/root"}"#, "proc.env", "HOME", "/root"),
      (#"{"proc.env": ["A=1", "B=2=3"]}"#, "proc.env", "B", "2=3"),
      (#"{"proc.env": ["A=1", "B=2"]}"#, "proc.env", nil, "A=1 B=2"),
      (#"{"evt.arg.flags": "O_RDONLY"}"#, "evt.arg.flags", nil, "O_RDONLY"),
      (#"{"evt.arg[0]": "x"}"#, "evt.arg", "0", "x"), (#"{"evt.arg.uid": 0}"#, "evt.arg.uid", nil, "0"),
      (#"{"evt.rawarg.res": -2}"#, "evt.rawarg.res", nil, "-2"),
      (#"{"container.mount.dest[/etc*]": "/x"}"#, "container.mount.dest", "/etc*", "/x"),
      (#"{"container.image.repository": "nginx"}"#, "container.image.repository", nil, "nginx"),
      (#"{"container.privileged": true}"#, "container.privileged", nil, "true"),
      (#"{"thread.cpu": 12.5}"#, "thread.cpu", nil, "12.5"), (#"{"thread.cpu": 12}"#, "thread.cpu", nil, "12.0"),
      (#"{"user.uid": -1}"#, "user.uid", nil, "4294967295"), (#"{"fd.sport": 65537}"#, "fd.sport", nil, "1"),
      (#"{"evt.rawtime": 18446744073709551615}"#, "evt.rawtime", nil, "18446744073709551615"),
      (#"{"user.loginuid": -1}"#, "user.loginuid", nil, "-1"), (#"{"fd.sip": "::1"}"#, "fd.sip", nil, "::1"),
      (#"{"proc.name": "a"}"#, "evt.is_open_read", nil, "false"),
      (#"{"evt.is_open_read": true}"#, "evt.is_open_read", nil, "true"),
    ] as [(String, String, String?, String?)])
  func values(line: String, field: String, brackets: String?, expected: String?) throws {
    #expect(try Self.text(field, brackets, in: line) == expected)
  }

  @Test(
    "what does not fit is named",
    arguments: [
      (#"{"proc.nmae": "a"}"#, "unknown field 'proc.nmae'"), (#"{"proc.name[1]": "a"}"#, "takes nothing in brackets"),
      (#"{"proc.aname[x]": "a"}"#, "a number has to stand"), (#"{"evt.arg": "a"}"#, "needs an argument"),
      (#"{"evt.type": "execv"}"#, "unknown event type 'execv'; did you mean 'execve'?"),
      (#"{"evt.type": ""}"#, "unknown event type ''"), (#"{"evt.type": "no such call"}"#, "unknown event type"),
      (#"{"evt.arg.nope": "a"}"#, "unknown argument in 'evt.arg.nope'"),
      (#"{"evt.rawarg[res]": 1}"#, "stands behind a dot"), (#"{"user.uid": "abc"}"#, "'user.uid' takes a whole number"),
      (#"{"user.uid": 1.5}"#, "whole number"), (#"{"fd.sip": "1.2.3"}"#, "an address"),
      (#"{"container.privileged": 1}"#, "true or false"), (#"{"proc.name": ["a"]}"#, "a text"),
      (#"{"proc.aname[1]": ["a"]}"#, "a text"), (#"{"fd.ip": ["1.1.1.1", "2.2.2.2", "3.3.3.3"]}"#, "an address"),
      (#"{"proc.name": {"$hex": "2"}}"#, "not a JSON object"), (#"{"proc.name": {"a": 1}}"#, "not a JSON object"),
      (#"{"proc.name": {"$hex": "+1"}}"#, "not a JSON object"), ("{", "not a JSON object"),
      (#"{"proc.name": 01x}"#, "not a JSON object"), (#"{"proc.name": "a"} x"#, "not a JSON object"),
      (#"{"proc.name": [[[[["a"]]]]]}"#, "not a JSON object"), (#"{"proc.name": "\ud800"}"#, "not a JSON object"),
    ])
  func mistakes(line: String, reason: String) {
    let error = #expect(throws: EventLineError.self) { try Self.event(line) }
    #expect(error?.description.hasPrefix("'lines', line 1: ") == true)
    #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
  }

  @Test(
    "what Falco calls an event is one, captured or not",
    arguments: ["execve", "clone3", "procexit", "futex", "container", "model_verdict", "syscall"])
  func types(name: String) throws {
    #expect(try Self.text("evt.type", in: #"{"evt.type": "\#(name)"}"#) == name)
  }

  @Test("a line without an end is refused before all of it is read")
  func endless() {
    let line = #"{"proc.name": ""# + String(repeating: "a", count: 2 * EventLines.lineByteCountMax)
    let error = #expect(throws: EventLineError.self) { try Self.event(line) }
    #expect(error?.description == "'lines', line 1: longer than \(EventLines.lineByteCountMax) bytes")
  }

  @Test("any index may be given, and takes no memory for what is not")
  func indices() throws {
    let line = #"{"evt.type": "execve", "proc.aname[9223372036854775807]": "x", "proc.aname[2000000000]": "y"}"#
    #expect(try Self.text("proc.aname", "2000000000", in: line) == "y")
    let event = try Self.event(line)
    let context = EventContext(event)
    #expect(context.listCount(of: .processAncestorName) <= 4096)
    withExtendedLifetime(event) {}
  }

  @Test(
    "conditions on given events",
    arguments: [
      ("proc.aname = sshd", #"{"proc.aname": ["bash", "sshd"]}"#, true),
      ("proc.aname != sshd", #"{"proc.aname": ["bash", "sshd"]}"#, true),
      ("proc.aname = sshd", #"{"proc.aname[0]": "sshd"}"#, false),
      ("fd.net = 10.0.0.0/8", #"{"fd.cip": "1.1.1.1", "fd.sip": "10.0.0.1"}"#, true),
      ("fd.net = 10.0.0.0/8", #"{"fd.ip": "10.0.0.1"}"#, true),
      ("fd.net = 10.0.0.0/8", #"{"fd.net": "10.0.0.1"}"#, true),
      ("fd.ip != 10.0.0.1", #"{"fd.ip": ["10.0.0.1", "10.0.0.2"]}"#, false),
      ("fd.snet = 10.0.0.0/8", #"{"fd.sip": "10.0.0.1"}"#, true), ("fd.port = 22", #"{"fd.sport": 22}"#, true),
      ("fd.port = 22", #"{"fd.port": 22}"#, true), ("fd.port = 22", #"{"fd.rport": 22}"#, false),
      ("fd.types in (file, ipv4)", #"{"fd.types": ["file", "ipv4"]}"#, true),
      ("fd.types in (file)", #"{"fd.types": ["file", "ipv4"]}"#, false),
      ("fd.types intersects (file)", #"{"fd.types": ["file", "ipv4"]}"#, true),
      ("fd.types exists", #"{"fd.types": []}"#, false), ("fd.types exists", #"{"fd.types": ["file"]}"#, true),
      ("evt.type = ptrace", #"{"evt.type": "ptrace"}"#, true), ("evt.type = open", #"{"evt.type": "ptrace"}"#, false),
      ("evt.type != open", #"{"evt.type": "ptrace"}"#, true), ("evt.type != open", #"{"proc.name": "a"}"#, false),
      ("proc.name = a", #"{"proc.name": "a"}"#, true), ("not evt.type = open", #"{"proc.name": "a"}"#, true),
      ("evt.is_open_write = false", #"{"evt.type": "openat"}"#, true),
      ("thread.cpu > 12", #"{"thread.cpu": 12.5}"#, true),
      ("evt.rawarg.res < 0", #"{"evt.type": "kill", "evt.rawarg.res": -1}"#, true),
      ("proc.env[HOME] startswith /r", #"{"proc.env[HOME]": "/root"}"#, true),
    ])
  func conditions(condition: String, line: String, expected: Bool) throws {
    let rule = "- {rule: r, desc: d, output: o, priority: info, condition: '\(condition)'}"
    let source = SourceFile(path: "r.yaml", bytes: Array(rule.utf8))
    let compilation = Ruleset.compile([source], .forMatching)
    let ruleset = try #require(compilation.ruleset, "\(compilation.diagnostics.map(\.message))")
    var pipeline = Pipeline(ruleset)
    var alerts = AlertBuffer()
    try pipeline.process(try Self.event(line), into: &alerts)
    #expect((alerts.alertCount == 1) == expected)
  }
}
