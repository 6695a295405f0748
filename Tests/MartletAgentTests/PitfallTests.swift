// SPDX-License-Identifier: Apache-2.0

import Foundation
import MartletAlerts
import MartletEvents
import MartletRules
import MartletState
import Testing

@testable import MartletAgent

/// What implementers of Falco's language usually get wrong, each by its name; whole: from the text of a rule to an
/// alert.
@Suite("What is easily got wrong about Falco's language")
struct PitfallTests {
  /// A condition, an event line and whether a rule with it fires.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let condition: String
    let line: String
    let fires: Bool

    init(_ name: String, _ condition: String, _ line: String, _ fires: Bool) {
      self.name = name
      self.condition = condition
      self.line = line
      self.fires = fires
    }

    var testDescription: String { name }
  }

  static let cases: [Case] = [
    // Without a blank before it a group is the whole operand: a and (b or c) and d.
    Case(
      "a group needs no blank after 'and'", "proc.name=a and(proc.pid=1 or proc.pid=2) and proc.ppid=3",
      #"{"proc.name":"a","proc.pid":2,"proc.ppid":3}"#, true),
    Case(
      "and stands for itself alone", "proc.name=a and(proc.pid=1 or proc.pid=2) and proc.ppid=3",
      #"{"proc.name":"x","proc.pid":2,"proc.ppid":3}"#, false),
    Case(
      "'and' binds before 'or'", "proc.name=a or proc.name=b and proc.pid=1", #"{"proc.name":"a","proc.pid":2}"#, true),
    Case("a backslash in a bare text is itself", #"proc.name = a\b"#, #"{"proc.name":"a\\b"}"#, true),
    Case(
      "a field's name on the right is a text", "proc.name = proc.pname", #"{"proc.name":"x","proc.pname":"x"}"#, false),
    Case("the very text", "proc.name = proc.pname", #"{"proc.name":"proc.pname"}"#, true),
    Case("val() makes it a field", "proc.name = val(proc.pname)", #"{"proc.name":"x","proc.pname":"x"}"#, true),
    Case(
      "a container's start is an event", "evt.type = container and container.mount.dest[/proc*] exists",
      #"{"evt.type":"container","container.mount.dest[/proc*]":"/host"}"#, true),
    Case("<NA> as a text is there", "user.name exists", #"{"user.name":"<NA>"}"#, true),
    Case("and equals itself", "user.name = <NA>", #"{"user.name":"<NA>"}"#, true),
    Case("'in' asks for every element of a list", "fd.types in (file, ipv4)", #"{"fd.types":["file","pipe"]}"#, false),
    Case("which may all be there", "fd.types in (file, pipe)", #"{"fd.types":["file","pipe"]}"#, true),
    Case("'intersects' asks for one", "fd.types intersects (file, ipv4)", #"{"fd.types":["file","pipe"]}"#, true),
    Case("a star of glob crosses slashes", "fd.name glob /etc/*", #"{"fd.name":"/etc/a/b"}"#, true),
    Case("and takes a leading dot", "fd.name glob /etc/*", #"{"fd.name":"/etc/.a"}"#, true),
    Case("glob takes the whole text", "fd.name glob etc", #"{"fd.name":"/etc"}"#, false),
    Case("regex takes the whole text", "proc.name regex 'a.c'", #"{"proc.name":"xabc"}"#, false),
    Case("a whole text", "proc.name regex 'a.c'", #"{"proc.name":"abc"}"#, true),
    Case("a missing value is not unequal", "proc.pname != sh", #"{"proc.name":"a"}"#, false),
    Case("nor equal, so 'not' is true", "not proc.pname = sh", #"{"proc.name":"a"}"#, true),
    Case("nor out of a list", "container.image.repository in (a, b)", #"{"proc.name":"a"}"#, false),
    Case("so 'not in' is true", "not container.image.repository in (a, b)", #"{"proc.name":"a"}"#, true),
    Case("a missing right side makes it false", "proc.name != val(proc.pname)", #"{"proc.name":"a"}"#, false),
    Case(
      "'!=' asks whether some ancestor differs", "proc.aname != sshd",
      #"{"proc.aname[1]":"sshd","proc.aname[2]":"init"}"#, true),
    Case(
      "'not =' whether none is the same", "not proc.aname = sshd", #"{"proc.aname[1]":"sshd","proc.aname[2]":"init"}"#,
      false),
    Case(
      "the process itself is no ancestor", "proc.aname = sh", #"{"proc.aname[0]":"sh","proc.aname[1]":"init"}"#, false),
    Case(
      "an address differs if both ends do", "fd.ip != 10.0.0.1", #"{"fd.cip":"10.0.0.1","fd.sip":"10.0.0.2"}"#, false),
    Case("and is the same if one is", "fd.ip = 10.0.0.1", #"{"fd.cip":"10.0.0.1","fd.sip":"10.0.0.2"}"#, true),
    Case("families are never equal", "fd.sip = 10.0.0.1", #"{"fd.sip":"::ffff:a00:2"}"#, false),
    Case(
      "of several networks fd.net asks for the first", #"fd.net in ("10.0.0.0/8", "192.168.0.0/16")"#,
      #"{"fd.cip":"192.168.1.1","fd.sip":"192.168.1.2"}"#, false),
    Case(
      "fd.snet for all of them", #"fd.snet in ("10.0.0.0/8", "192.168.0.0/16")"#, #"{"fd.sip":"192.168.1.2"}"#, true),
    Case(
      "any name of an address will do", "fd.sip.name = B.example.", #"{"fd.sip.name":["a.example","b.example"]}"#, true),
    Case(
      "but all have to differ", "fd.sip.name != b.example", #"{"fd.sip.name":["a.example","b.example"]}"#, false),
    Case("case and a last dot say nothing", "fd.rip.name in (a.example)", #"{"fd.rip.name":"A.Example."}"#, true),
    Case("an address without a name is on no list", "not fd.sip.name in (a.example)", #"{"fd.sip":"10.0.0.1"}"#, true),
    Case("and does not differ", "fd.sip.name != a.example", #"{"fd.sip":"10.0.0.1"}"#, false),
    Case("a path matches by components", "fd.name pmatch (/etc)", #"{"fd.name":"/etcx"}"#, false),
    Case("what lies below", "fd.name pmatch (/etc/)", #"{"fd.name":"/etc/x/y"}"#, true),
    Case("the root takes everything", "fd.name pmatch (/)", #"{"fd.name":"/etc"}"#, true),
    Case(
      "evt.is_open_read is false, not missing, elsewhere", "evt.is_open_read = false", #"{"evt.type":"execve"}"#, true),
    Case("a rule is tried on its event types only", "not evt.type = open", #"{"evt.type":"open"}"#, false),
  ]

  @Test("conditions", arguments: cases)
  func condition(_ example: Case) throws {
    #expect(try fired(rule(example.condition), example.line) == example.fires)
  }

  private func rule(_ condition: String, name: String = "R", output: String = "x") -> String {
    "- rule: \(name)\n  desc: d\n  condition: >\n    \(condition)\n  output: \(output)\n  priority: notice\n"
  }

  private func compile(_ text: String) -> Compilation {
    Ruleset.compile([SourceFile(path: "r.yaml", text: text)], .forMatching)
  }

  private func alert(_ text: String, _ line: String) throws -> [String: Any]? {
    let compilation = compile(text)
    let ruleset = try #require(compilation.ruleset, "\(compilation.diagnostics.map(\.message))")
    var pipeline = Pipeline(ruleset)
    var alerts = AlertBuffer()
    try pipeline.process(try EventLines.event(from: Array(line.utf8), number: 1), into: &alerts)
    guard alerts.alertCount > 0 else { return nil }
    return try JSONSerialization.jsonObject(with: Data(alerts.bytes)) as? [String: Any]
  }

  private func fired(_ text: String, _ line: String) throws -> Bool { try alert(text, line) != nil }

  private func codes(_ text: String) -> [String] {
    compile(text).diagnostics.filter { $0.severity == .error }.map { $0.code.rawValue }
  }

  @Test("'nota' is a macro's name, 'orb' is none, and 'not' needs a blank or a parenthesis")
  func keywords() throws {
    let nota = "- macro: nota\n  condition: proc.name = a\n"
    #expect(try fired(nota + rule("nota"), #"{"proc.name":"a"}"#))
    #expect(try fired(nota + rule("not(nota)"), #"{"proc.name":"b"}"#))
    #expect(!codes(nota + rule("nota orb")).isEmpty)
  }

  @Test("hexadecimal and exponents are read as numbers and then refused", arguments: ["0x10", "1e+3"])
  func numbers(number: String) { #expect(codes(rule("proc.pid > \(number)")) == ["R0202"]) }

  @Test("a text that looks like a field is warned of")
  func misused() throws {
    let found = compile(rule("evt.type = open and proc.name = proc.pname")).diagnostics.map(\.upstreamCode)
    #expect(found == [.conditionWarning])
  }

  @Test("appending joins texts: 'a or b' and 'and c' is a or (b and c)")
  func append() throws {
    let text =
      rule("proc.name = a or proc.name = b")
      + "- rule: R\n  append: true\n  condition: and proc.pid = 1\n"
    #expect(try fired(text, #"{"proc.name":"a","proc.pid":2}"#))
    #expect(try !fired(text, #"{"proc.name":"b","proc.pid":2}"#))
  }

  @Test("rules see macros and lists that come later; macros only earlier macros")
  func order() throws {
    let later = "- macro: m\n  condition: proc.name in (l)\n- list: l\n  items: [a]\n"
    #expect(try fired(rule("m") + later, #"{"proc.name":"a"}"#))
    let backwards = "- macro: first\n  condition: second\n- macro: second\n  condition: proc.name = a\n"
    #expect(codes(backwards + rule("first")) == ["R0104"])
  }

  @Test("a list's name is replaced as text, wherever it stands in a list; an empty list takes nothing")
  func lists() throws {
    let shells = "- list: shells\n  items: [sh, bash]\n- list: none\n  items: []\n"
    #expect(try fired(shells + rule("proc.name in (a, shells, b)"), #"{"proc.name":"bash"}"#))
    #expect(try fired(shells + rule("proc.name in (shells)"), #"{"proc.name":"sh"}"#))
    #expect(try !fired(shells + rule("proc.name in (none)"), #"{"proc.name":"none"}"#))
  }

  @Test("an output takes the longest field that it can read, and pads or cuts to a width")
  func outputs() throws {
    let line = #"{"evt.type":"execve","proc.name":"bash","proc.args":["-c","x"]}"#
    for (output, expected) in [
      ("a %proc.name: b", "a bash: b"), ("%6proc.name|", "bash  |"), ("%2proc.name|", "ba|"), ("%proc.pname", "<NA>"),
      ("%proc.namex", "bashx"), ("%nothing.known", nil), ("trailing %", nil), ("%toupper(proc.name)!", "BASH!"),
    ] as [(String, String?)] {
      let text = rule("evt.type = execve", output: "\"\(output)\"")
      guard let expected else {
        #expect(codes(text) == ["R0041"] || codes(text) == ["R0101"], "\(output)")
        continue
      }
      let found = try #require(try alert(text, line)?["output"] as? String)
      #expect(found.hasSuffix(": Notice " + expected), "\(found)")
    }
  }

  @Test("output fields keep their types: numbers, truths, null; times in nanoseconds; keys as written")
  func types() throws {
    let text = rule(
      "evt.type = openat",
      output: "\"%proc.pid %evt.is_open_read %proc.pname %evt.rawtime %proc.aname[2] %toupper(proc.name)\"")
    let line =
      #"{"evt.type":"openat","proc.pid":7,"evt.is_open_read":true,"evt.rawtime":1795245142631979538,"proc.aname[2]":"sshd","proc.name":"a"}"#
    let fields = try #require(try alert(text, line)?["output_fields"] as? [String: Any])
    #expect(fields["proc.pid"] as? Int == 7 && fields["evt.is_open_read"] as? Bool == true)
    #expect(fields["proc.pname"] is NSNull && fields["proc.aname[2]"] as? String == "sshd")
    #expect(fields["evt.rawtime"] as? Int == 1_795_245_142_631_979_538)
    #expect(fields["toupper(proc.name)"] as? String == "A")
  }
}
