// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import Testing

@testable import MartletRules

@Suite("Checked conditions")
struct ConditionTests {
  @Test("a condition becomes a typed tree, printed canonically", arguments: canonical)
  func prints(text: String, expected: String) throws {
    #expect(try compiledRule(text, before: Self.definitions).condition.description == expected)
  }

  @Test("what is printed is read again as the same", arguments: canonical)
  func roundTrip(text: String, expected: String) throws {
    // The one thing that Falco prints and cannot read: texts with parentheses or commas.
    guard !text.contains("quoted"), !text.contains("a,b") else { return }
    let again = try compiledRule(expected).condition
    // `not (not x)` is printed as `not not x`, and read as `x`.
    #expect(again.description == expected.replacing("not not ", with: ""))
  }

  static let definitions = """
    - list: shells
      items: [sh, bash, "a b"]
    - list: quoted
      items: ['"(systemd)"']
    - list: both
      items: [shells, zsh]
    - list: nothing
      items: []
    - list: one
      items: [sh]
    - list: numbers
      items: [80, 443]
    - macro: opened
      condition: evt.type = open or evt.type = openat
    - macro: shell
      condition: proc.name in (shells)
    - macro: negated
      condition: not shell
    """

  static let canonical: [(String, String)] = [
    ("proc.name = sh", "proc.name = sh"),
    ("proc.name == sh and not proc.pname!=x", "(proc.name == sh and not proc.pname != x)"),
    ("not not proc.name = sh", "proc.name = sh"),
    ("proc.name = a or proc.name = b and proc.name = c", "(proc.name = a or (proc.name = b and proc.name = c))"),
    ("(proc.name = a or proc.name = b) and proc.name = c", "((proc.name = a or proc.name = b) and proc.name = c)"),
    ("(proc.name = a and proc.name = b) and proc.name = c", "((proc.name = a and proc.name = b) and proc.name = c)"),
    ("opened and proc.name = c", "((evt.type = open or evt.type = openat) and proc.name = c)"),
    ("not negated", "not not proc.name in (sh, bash, \"a b\")"),
    ("not (not (proc.name = a))", "not not proc.name = a"),
    ("proc.name in (x, shells, y)", "proc.name in (x, sh, bash, \"a b\", y)"),
    ("proc.name in (both)", "proc.name in (sh, bash, \"a b\", zsh)"),
    ("proc.name in (quoted)", "proc.name in ((systemd))"),
    ("proc.name in (nothing)", "proc.name in ()"),
    ("proc.name in (\"shells\")", "proc.name in (shells)"),
    ("proc.name = one", "proc.name = sh"),
    ("fd.name pmatch (/etc, '/usr/*')", "fd.name pmatch (/etc, /usr/*)"),
    ("proc.aname[2] = sshd and proc.aname exists", "(proc.aname[2] = sshd and proc.aname exists)"),
    ("fd.sport in (numbers) or fd.sport = ssh", "(fd.sport in (80, 443) or fd.sport = ssh)"),
    (
      "fd.sip = \"10.0.0.1\" and fd.snet in (10.0.0.0/8, fd00::/8)",
      "(fd.sip = 10.0.0.1 and fd.snet in (10.0.0.0/8, fd00::/8))"
    ),
    ("evt.is_open_read=true", "evt.is_open_read = true"),
    ("evt.rawres >= 0 and evt.rawres<-1", "(evt.rawres >= 0 and evt.rawres < -1)"),
    ("proc.tty = -1 or fd.num > +7", "(proc.tty = -1 or fd.num > +7)"),
    (
      "fd.name glob /a/*.so and fd.name iglob /B* and fd.name icontains X",
      "(fd.name glob /a/*.so and fd.name iglob /B* and fd.name icontains X)"
    ),
    ("fd.name startswith '' and fd.name endswith \"x y\"", "(fd.name startswith \"\" and fd.name endswith \"x y\")"),
    ("proc.name contains \"a\\\\b\"", "proc.name contains \"a\\\\b\""),
    ("proc.name = 'a b\\\\c'", "proc.name = \"a b\\\\c\""),
    ("proc.name = <NA>", "proc.name = <NA>"),
    ("proc.name = é", "proc.name = é"),
    ("proc.name < 10", "proc.name < 10"),
    ("evt.type in (accept, open)", "evt.type in (accept, open)"),
    ("proc.name contains oneof", "proc.name contains oneof"),
    (
      "proc.name = 'a=b' or proc.name in ('a,b', '', \"it's\")",
      "(proc.name = \"a=b\" or proc.name in (a,b, \"\", \"it's\"))"
    ),
    ("proc.name = \"a\\tb\\x41\\nc\\b\\f\\r/\"", "proc.name = \"a\\tbA\\nc\\b\\f\\r/\""),
    ("proc.name in shells2", "proc.name in shells2"), ("proc.name in one", "proc.name in sh"),
    ("proc.name contains oneof (x, shells)", "proc.name contains oneof (x, sh, bash, \"a b\")"),
    ("proc.name == anyof one and fd.name iglob allof ()", "(proc.name == anyof sh and fd.name iglob allof ())"),
    ("toupper(proc.name) = X and len( proc.name )>3", "(toupper(proc.name) = X and len(proc.name) > 3)"),
    (
      "proc.name=val(proc.pname) or proc.pid == val( proc.ppid )",
      "(proc.name = val(proc.pname) or proc.pid == val(proc.ppid))"
    ),
    ("fd.name startswith concat(proc.cwd, \"x y\")", "fd.name startswith concat(proc.cwd, \"x y\")"),
    ("join(',', (proc.name, 'b')) in (a, one)", "join(\",\", (proc.name, \"b\")) in (a, sh)"),
    ("getopt((proc.args, '-p'), 'lp:')[p] = 80", "getopt((proc.args, \"-p\"), \"lp:\")[p] = 80"),
    (
      "getopt((\"-a\", proc.name), \"a\") intersects (a, b)", "getopt((\"-a\", proc.name), \"a\") intersects (a, b)"
    ),
    ("tolower(proc.aname[2]) = basename(proc.exe)", "tolower(proc.aname[2]) = basename(proc.exe)"),
    ("toupper(('a', proc.name)) in toupper(('b', 'a'))", "toupper((\"a\", proc.name)) in toupper((\"b\", \"a\"))"),
    ("proc.name regex '^a.*$' and fd.name regex anyof (a+)", "(proc.name regex ^a.*$ and fd.name regex anyof (a+))"),
    ("b64(proc.name) exists", "b64(proc.name) exists"),
    ("evt.type = anyof (open, openat)", "evt.type = anyof (open, openat)"),
  ]

  @Test("a predicate knows its place and the macros it came through")
  func places() throws {
    let before = """
      - macro: inner
        condition: proc.name = sh
      - macro: outer
        condition: inner and proc.pname = x
      """
    let condition = try compiledRule("evt.type = execve and outer", before: before).condition
    guard case .all(let operands) = condition, case .all(let inner) = operands[1],
      case .predicate(let predicate) = inner[0]
    else {
      Issue.record("unexpected tree")
      return
    }
    #expect(predicate.span.start.description == "a.yaml:2:14")
    #expect(predicate.span.end.column == 28)
    #expect(predicate.macros.map(\.name) == ["outer", "inner"])
    #expect(predicate.macros.map(\.span.line) == [8, 4])
  }

  @Test("event types follow the tree", arguments: eventTypes)
  func types(text: String, expected: [EventType]) throws {
    let set = try compiledRule(text).eventTypes
    #expect(EventType.allCases.filter { set.contains($0) } == expected)
  }

  /// What the agent says of models is no call: rules that do not speak of it are not tried on it.
  static let all = EventType.allCases.filter { $0.kind != .model }
  static let eventTypes: [(String, [EventType])] = [
    ("proc.name = a", all), ("evt.type = open", [.open]), ("evt.type == open", [.open]),
    ("evt.type != open", all.filter { $0 != .open }), ("evt.type in (open, openat)", [.open, .openat]),
    ("evt.type = semop", []), ("evt.type != semop", all), ("evt.type in (semop, connect)", [.connect]),
    ("not evt.type = semop", all), ("not evt.type in (open)", all.filter { $0 != .open }),
    ("evt.type = open and proc.name = a", [.open]), ("evt.type = open or proc.name = a", all),
    ("not (evt.type = open and proc.name = a)", all),
    ("not (evt.type = open or proc.name = a)", all.filter { $0 != .open }),
    ("not (evt.type != open)", [.open]), ("evt.type = open and evt.type = connect", []),
    ("evt.type intersects (open)", all), ("evt.type exists", all), ("evt.type startswith open", all),
    ("evt.num = 0", []), ("not evt.num = 0", all), ("evt.num >= 0", all), ("evt.num < 1", []), ("evt.num < 2", all),
    ("evt.num <= 0", []), ("evt.num in (0, 0)", []), ("evt.num in (0, 1)", all), ("evt.num in ()", []),
    ("not evt.num != 0", []), ("not evt.num > 0", []), ("not evt.num >= 1", []), ("not evt.num >= 2", all),
    ("not evt.type exists", []), ("evt.type in ()", []), ("not evt.type in ()", all),
    ("evt.type = pread64", []), ("not evt.type = pread64", all), ("evt.type != anyof (open, openat)", all),
    ("evt.num = 0 or evt.type = execve", [.execve]),
    ("evt.type = model_verdict", [.modelVerdict]), ("evt.type in (model_verdict, open)", [.open, .modelVerdict]),
    ("evt.type != model_verdict", all),
    ("evt.type in (model_verdict, model_changed) and proc.name = a", [.modelVerdict, .modelChanged]),
    ("evt.type = model_verdict or evt.type = open", [.open, .modelVerdict]),
    ("model.state = unsigned", EventType.allCases), ("evt.type = open and model.state = pending", [.open]),
    ("model.last_open.age < 5", all),
    ("not (not evt.type = open or not proc.name = x)", [.open]),
  ]
}
