// SPDX-License-Identifier: Apache-2.0

import MartletRules
import Testing

@Suite("One condition alone")
struct ConditionCheckTests {
  private func check(_ text: String) -> ConditionCheck { ConditionCheck(Array(text.utf8)) }

  @Test(
    "each mistake has a stage; the canonical text is there whenever the syntax is right",
    arguments: [
      ("", "syntax", nil), ("proc.name = ", "syntax", nil), ("a b", "syntax", nil), ("proc.name in (", "syntax", nil),
      ("mac and proc.name=x", "names", "(mac and proc.name = x)"), ("proc.nmae==x", "names", "proc.nmae == x"),
      ("proc.aname[x] = y", "names", "proc.aname[x] = y"), ("evt.type=opne", "names", "evt.type = opne"),
      ("and", "names", "and"), ("proc.pid contains 1", "types", "proc.pid contains 1"),
      ("proc.pid = 0x10", "types", "proc.pid = 0x10"), ("thread.cpu > 1.5", "types", "thread.cpu > 1.5"),
      ("getopt(('-a'), 'a')[ab] = a", "types", "getopt((\"-a\"), \"a\")[ab] = a"),
      ("fd.snet=10.0.0.1", "types", "fd.snet = 10.0.0.1"),
      ("evt.is_open_read = yes", "types", "evt.is_open_read = yes"), ("fd.sport = -1", "types", "fd.sport = -1"),
      ("fd.sip = ::ffff:10.0.0.1", "types", "fd.sip = ::ffff:10.0.0.1"),
      ("toupper(proc.pid) = X", "types", "toupper(proc.pid) = X"),
      ("proc.name = val(proc.pid)", "types", "proc.name = val(proc.pid)"),
      ("fd.name pmatch val(proc.exe)", "types", "fd.name pmatch val(proc.exe)"),
      ("evt.type = val(proc.name)", "types", "evt.type = val(proc.name)"),
      ("toupper(evt.type) = OPEN", "types", "toupper(evt.type) = OPEN"),
      ("concat(proc.name) = x", "types", "concat(proc.name) = x"),
      ("fd.ip = val(fd.sip)", "types", "fd.ip = val(fd.sip)"),
      ("proc.name bcontains 00", "types", "proc.name bcontains 00"),
    ] as [(String, String, String?)])
  func mistakes(text: String, stage: String, canonical: String?) {
    let found = check(text)
    #expect(found.condition == nil && found.events == [])
    #expect(found.canonical == canonical)
    #expect(found.diagnostics.first { $0.severity == .error }?.code.stage.rawValue == stage)
  }

  @Test(
    "what Falco takes",
    arguments: [
      "proc.name in shells", "fd.sport = ''", "fd.sport in (ssh, 80000)", "proc.tty = -1", "fd.num = 00012",
      "proc.name = val(evt.type)", "evt.type startswith val(proc.name)", "toupper(evt.type) startswith OPE",
      "fd.sport = oneof (22, ssh)", "fd.sip != allof (10.0.0.1, ::1)", "proc.aname = x", "b64(proc.name) exists",
      "len(('a', proc.name)) = 2", "thread.cpu < -1", "getopt((proc.args), proc.name)[a] = x",
      "join(',', (proc.pid, 0x1f, fd.types)) = x", "join(',', ()) = ''", "evt.type in ()", "proc.name = <NA>",
      "proc.name < 12",
      "tolower(proc.aname[2]) = val(proc.aname[3])", "fd.net in (10.0.0.0/8, ::/0)", "proc.name regex '[[:alpha:]]'",
    ])
  func good(text: String) {
    let found = check(text)
    #expect(found.condition != nil, "\(found.diagnostics.map(\.message))")
  }

  @Test(
    "Falco's names of events",
    arguments: [
      ("evt.type = openat", ["openat"]), ("evt.type in (sysinfo, setuid)", ["setuid", "sysinfo"]),
      ("evt.type = pread64", []), ("evt.type = pread", ["pread"]), ("evt.type = syscall", []),
      ("evt.type = open and proc.name = x", ["open"]), ("evt.type = open and evt.type = close", []),
      ("not (evt.type != open or proc.name = x)", ["open"]), ("evt.num = 0", []), ("not evt.type exists", []),
      ("evt.type = container or evt.type = procexit", ["container", "procexit"]),
    ])
  func events(text: String, expected: [String]) { #expect(check(text).events == expected) }

  @Test("what restricts nothing matches every event, and the rest of one is all others")
  func everything() {
    let all = check("proc.name = x").events
    #expect(all.count > 400 && all == all.sorted() && all.contains("asyncevent") && all.contains("getpid"))
    for text in [
      "not proc.name = x", "evt.type intersects (open)", "evt.type exists", "evt.num > 0", "not evt.num = 0",
    ] {
      #expect(check(text).events == all, "\(text)")
    }
    #expect(check("evt.type != open").events == all.filter { $0 != "open" })
    #expect(check("not evt.type in (open, pread64)").events == all.filter { $0 != "open" })
  }

  @Test("constants that were perhaps meant otherwise are warned of, and no more")
  func doubts() {
    let cases: [(String, String?)] = [
      ("proc.name = proc.pname", "'proc.pname' may be a valid field misused as a const string value"),
      ("proc.name in (a, 'proc.aname[2]')", "'proc.aname[2]' may be a valid field misused as a const string value"),
      ("proc.name = 'toupper(x)'", "'toupper(x)' may be a valid field transformer misused as a const string value"),
      ("proc.name = proc.nmae", nil), ("proc.name = toupper", nil), ("proc.name regex 'a.*b'", nil),
      (
        "proc.name regex ^abc.*",
        "regex check with '^abc.*' may be optimized with simpler operators such as '=', 'contains', 'startswith', 'endswith'"
      ),
    ]
    for (text, message) in cases {
      let found = check(text)
      #expect(found.condition != nil)
      #expect(found.diagnostics.map(\.message) == (message.map { [$0] } ?? []))
    }
  }

  @Test(
    "any bytes are read, and explained in time", arguments: ["(", "a and ", "not ", "\"", "a.b in (c,", "\u{0}", "é"])
  func hostile(piece: String) {
    let bytes = Array(String(repeating: piece, count: 1_000_000 / piece.utf8.count).utf8)
    #expect(ConditionCheck(bytes).condition == nil)
    #expect(ConditionCheck([0xff, 0xfe] + bytes).condition == nil)
    #expect(ConditionCheck([UInt8](repeating: 0x20, count: 10 << 20)).diagnostics.map(\.code) == [.fileTooLarge])
  }

  @Test("invalid UTF-8 may stand in quotes only")
  func bytes() {
    #expect(ConditionCheck(Array("proc.name = '".utf8) + [0xff] + Array("'".utf8)).condition != nil)
    #expect(ConditionCheck(Array("proc.name = a".utf8) + [0xff]).canonical == nil)
  }

  @Test("JSON has what programs need")
  func json() {
    #expect(
      check("evt.type=open").json
        == #"{"canonical":"evt.type = open","diagnostics":[],"events":["open"],"ok":true}"#)
    #expect(
      check("x").json.hasPrefix(#"{"canonical":"x","diagnostics":[{"code":"R0102","column":1,"help":"","line":1,"#))
  }
}
