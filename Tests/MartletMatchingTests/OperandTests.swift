// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletMatching
import MartletRules
import MartletState
import Testing

@Suite("Transformers and fields on the right, by both engines")
struct OperandTests {
  private func expect(
    _ condition: String, _ values: [GivenEvent.Key: GivenEvent.Value], _ expected: Truth,
    sourceLocation: Testing.SourceLocation
  ) throws {
    let text = """
      - rule: R
        desc: D
        condition: >
          evt.type = openat and \(condition)
        output: x
        priority: NOTICE
      """
    let result = Ruleset.compile([SourceFile(path: "a.yaml", text: text)])
    let ruleset = try #require(result.ruleset, "\(result.diagnostics.map(\.message))", sourceLocation: sourceLocation)
    var engines = Engines([ruleset.rules[0].condition])
    var values = values
    values[.init(.eventType)] = .text("openat")
    let found = engines.match(GivenEvent(.openat, values))
    let wanted: MatchResult =
      switch expected {
      case .isTrue: .matched(RuleID(rawValue: 0), .spelled)
      case .isFalse: .none
      case .isUnknown: .undecided(RuleID(rawValue: 0))
      }
    #expect(found.reference == wanted, "reference", sourceLocation: sourceLocation)
    #expect(found.matcher == wanted, "matcher", sourceLocation: sourceLocation)
  }

  private static let event: [GivenEvent.Key: GivenEvent.Value] = [
    .init(.processName): .text("Bash"), .init(.processParentName): .text("bash"),
    .init(.processExe): .text("/bin/Bash"),
    .init(.processID): .signed(7), .init(.processParentID): .signed(7), .init(.fdNameRaw): .text("/tmp/"),
    .init(.containerID): .pending, .init(.fdNumber): .signed(3),
    .init(.processArguments): .text("aGVsbG8="),
  ]

  @Test(
    "what is there",
    arguments: [
      ("tolower(proc.name) = bash", true), ("toupper(proc.name) = BASH", true), ("tolower(proc.name) = Bash", false),
      ("proc.name = val(proc.pname)", false), ("proc.name != val(proc.pname)", true),
      ("tolower(proc.name) = val(proc.pname)", true), ("proc.pid = val(proc.ppid)", true),
      ("proc.pid < val(proc.ppid)", false), ("proc.pid >= val(proc.ppid)", true),
      ("basename(proc.exe) = Bash", true), ("basename(fd.nameraw) = ''", true), ("basename(proc.name) = Bash", true),
      ("len(proc.name) = 4", true), ("len(proc.name) > 4", false), ("len(('a', 'b', proc.name)) in (3)", true),
      ("b64(proc.args) = hello", true),
      ("b64('aGVsbG8') = hello", true), ("b64('aGVsbG8==') = hello", true), ("b64('aGVsbG9=') exists", false),
      ("b64('aGVsb===') exists", false), ("b64('a') exists", false), ("b64('=') exists", false), ("b64('') = ''", true),
      ("b64('YQ') = a", true), ("b64('YR') exists", false), ("b64('a-_b') exists", false), ("b64('+/+/') exists", true),
      ("proc.pid = oneof (7, 8)", true), ("proc.pid = oneof (7, 7)", false), ("proc.pid != allof (1, 2)", true),
      ("proc.pid = anyof ()", false), ("len(()) = 0", true), ("join('-', ()) = ''", true), ("proc.name in proc", false),
      ("b64(proc.name) exists", true), ("b64(fd.nameraw) exists", false),
      ("concat(proc.name, '-', proc.pname) = Bash-bash", true),
      ("join('/', (proc.name, 'x', proc.pname)) = Bash/x/bash", true), ("join(',', (proc.pid, 8)) = '7,8'", true),
      ("join('-', (len(proc.name), 'a')) = 4-a", true), ("join('', (toupper(('a', 'b')), 'c')) = ABc", true),
      ("proc.exe endswith val(proc.name)", true), ("proc.exe contains concat('in', '/B')", true),
      ("proc.exe icontains val(proc.pname)", true), ("proc.exe glob concat('*', 'h')", true),
      ("proc.name > tolower(proc.name)", false), ("proc.name < tolower(proc.name)", true),
      ("toupper(('a', proc.name)) in (A, BASH)", true), ("toupper(('a', proc.name)) in (A, B)", false),
      ("toupper(('a', proc.name)) intersects (A, B)", true), ("toupper(('a', 'b')) intersects (X)", false),
      ("toupper(('a', 'b')) in toupper(('b', 'c', 'a'))", true),
      ("tolower(proc.name) startswith anyof (x, ba)", true), ("tolower(proc.name) in (a, bash)", true),
      ("not tolower(proc.name) = bash", false),
    ])
  func present(condition: String, expected: Bool) throws {
    try expect(condition, Self.event, Truth(expected), sourceLocation: #_sourceLocation)
  }

  @Test(
    "what is missing makes false, what is pending unknown",
    arguments: [
      ("toupper(proc.cwd) = X", .isFalse), ("toupper(proc.cwd) != X", .isFalse), ("toupper(proc.cwd) exists", .isFalse),
      ("proc.name != val(proc.cwd)", .isFalse), ("not proc.name != val(proc.cwd)", .isTrue),
      ("concat(proc.name, proc.cwd) exists", .isFalse), ("len((proc.name, proc.cwd)) > 0", .isFalse),
      ("toupper(container.id) = X", .isUnknown), ("proc.name = val(container.id)", .isUnknown),
      ("concat(proc.cwd, container.id) = x", .isFalse), ("proc.cwd = val(container.id)", .isFalse),
    ] as [(String, Truth)])
  func absent(condition: String, expected: Truth) throws {
    try expect(condition, Self.event, expected, sourceLocation: #_sourceLocation)
  }

  /// Arguments, the options that are known, and what getopt gives: letters and values.
  @Test(
    "getopt finds short options and their values",
    arguments: [
      ("'-l', '-p', '8080'", "lp:", "l,p,8080"), ("'-lp8080'", "lp:", "l,p,8080"), ("'-p'", "p:", ""),
      ("'-x'", "a", "?"), ("'-ab'", "ab", "a,b"), ("'a', '-b'", "b", ""), ("'-a', '--', '-b'", "ab", "a"),
      ("'-a', '--long', '-b'", "ab", "a,b"), ("'-', '-a'", "a", ""), ("'-p', '-a'", "ap:", "p,-a"),
      ("'-:'", "a:", "?"), ("'-ap', '1'", "ap:", "a,p,1"), ("'-pa', '1'", "ap:", "p,a"), ("'-axb'", "ab", "a,?,b"),
      ("'--'", "a", ""), ("'--a', '--b=c', '-a'", "a", "a"), ("'-a', '-a'", "a", "a,a"), ("'-p', '--'", "p:", "p,--"),
      ("''", "a", ""), ("'-a', '', '-b'", "ab", "a"), ("'-p1', '-p', '2', '-p'", "p:", "p,1,p,2,"),
      ("'-ab'", "aa:", "a,b"), ("'-ab'", ":a", "a,?"), ("'-a', 'v'", "a::b", "a,v"), ("'-@'", "@", "@"),
      ("'-a', 'x', '-b'", "ab", "a"), ("'-p', ''", "p:", "p,"),
    ] as [(String, String, String?)])
  func getopt(arguments: String, known: String, expected: String?) throws {
    let call = "getopt((\(arguments)), '\(known)')"
    try expect("\(call) exists", Self.event, Truth(expected != nil), sourceLocation: #_sourceLocation)
    guard let expected else { return }
    try expect("join(',', \(call)) = '\(expected)'", Self.event, .isTrue, sourceLocation: #_sourceLocation)
  }

  @Test("of one option getopt gives the last value, or the letter of a flag")
  func selector() throws {
    for (condition, expected) in [
      ("getopt(('-p', '1', '-p2'), 'p:')[p] = 2", Truth.isTrue), ("getopt(('-l'), 'lp:')[l] = l", .isTrue),
      ("getopt(('-l'), 'lp:')[p] exists", .isFalse), ("getopt(('-p'), 'p:')[p] = ''", .isTrue),
      ("getopt(('-p'), 'p:') in ('')", .isTrue), ("getopt(('-x'), 'p:')[?] exists", .isFalse),
      ("getopt(('-?'), '?')[?] = ?", .isTrue), ("getopt(('-B'), proc.name)[B] = B", .isTrue),
      ("getopt(('-B'), proc.cwd)[B] exists", .isFalse),
    ] {
      try expect(condition, Self.event, expected, sourceLocation: #_sourceLocation)
    }
  }
}
