// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

/// Recordings and event lines, as their users meet them.
@Suite("replay", .timeLimit(.minutes(5)))
struct ReplayTests {
  /// The demonstration's recording, as a file of the source tree.
  private static let recording = Repository.path("Sources/MartletAgent/Demo/demo.martlet")

  private func rules(in output: String) throws -> [String] {
    try output.split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return try #require(object?["rule"] as? String)
    }
  }

  private static let families = [
    "Shell in container", "Password file read in container", "Unknown egress from container",
    "Model opened in container",
  ]

  @Test("the demonstration gives an alert of each family, the same bytes each time, with and without root")
  func demo() throws {
    // Whoever it runs as, capabilities are gone; that it needs no root to read its files is not in question as the
    // binary carries them.
    let unprivileged = geteuid() == 0 ? ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"] : []
    let runs = try [[], [], [], unprivileged].map { try Command.run(["demo"], behind: $0) }
    #expect(runs.allSatisfy { $0.succeeded && $0.errors.contains(" 4 matched, 4 alerts written, 0 lost") })
    #expect(try rules(in: runs[0].output) == Self.families)
    #expect(Set(runs.map(\.output)).count == 1)
  }

  @Test("a recording replays the same as a file")
  func file() throws {
    let folder = try TestFolder()
    let result = try Command.run(["replay", Self.recording, "--stats", folder.path + "/stats.json"])
    let demo = try Command.run(["demo"])
    #expect(result.succeeded && result.output == demo.output)
    let data = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/stats.json"))
    let statistics = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(statistics["matched"] as? Int == 4 && statistics["alerts"] as? Int == 4)
    #expect((statistics["lost"] as? [String: Int])?["total"] == 0)
  }

  @Test("of a damaged file everything before the damage is replayed, and the place is told")
  func damaged() throws {
    let folder = try TestFolder()
    let whole = try Data(contentsOf: URL(fileURLWithPath: Self.recording))
    let full = try Command.run(["demo"]).output
    let cut = folder.path + "/cut"
    try whole.prefix(whole.count - 100).write(to: URL(fileURLWithPath: cut))
    let truncated = try Command.run(["replay", cut])
    #expect(truncated.status == .exited(1) && truncated.output == full)
    #expect(truncated.errors.contains("'\(cut)' ends too early, at byte \(whole.count - 100)"))

    var flipped = whole
    flipped[whole.count / 2] ^= 0x10
    let damaged = folder.path + "/damaged"
    try flipped.write(to: URL(fileURLWithPath: damaged))
    let result = try Command.run(["replay", damaged])
    #expect(result.status == .exited(1) && !result.output.isEmpty && full.hasPrefix(result.output))
    #expect(result.errors.contains(#/is damaged at byte \d+/#))
  }

  @Test("files that are no recordings are told apart")
  func foreign() throws {
    let folder = try TestFolder()
    let empty = try Command.run(["replay", try folder.write("empty", "")])
    #expect(empty.status == .exited(1) && empty.errors.contains("is empty"))
    let foreign = try Command.run(["replay", try Command.path])
    #expect(foreign.status == .exited(1) && foreign.errors.contains("is not a recording"))
    let missing = try Command.run(["replay", "/nonexistent/file"])
    #expect(missing.status == .exited(1) && missing.errors.contains("No such file or directory"))
  }

  @Test("event lines give alerts; a line that cannot be read is named, and those before it count")
  func lines() throws {
    let folder = try TestFolder()
    let read = #"""
      {"evt.type":"openat","fd.num":3,"fd.typechar":"f","evt.is_open_read":true,"fd.name":"/etc/shadow","container.id":"4f1c9e0b2a77","evt.rawtime":1470327116746609046}
      """#
    let connect = #"""
      {"evt.type":"connect","evt.rawres":0,"fd.sip":"203.0.113.7","fd.sport":443,"fd.l4proto":"tcp","container.id":"4f1c9e0b2a77"}
      """#
    let good = try Command.run(["replay", try folder.write("good", "# two\n\(read)\n\n\(connect)\n")])
    #expect(good.succeeded, "\(good.errors)")
    #expect(try rules(in: good.output) == ["Password file read in container", "Unknown egress from container"])
    #expect(good.output.contains(#""time":"2016-08-04T16:11:56.746609046Z""#))

    let mistakes: [(line: String, message: String)] = [
      ("{", "not a JSON object"), ("[1]", "not a JSON object"),
      (#"{"evt.type":"open","fd.nmae":"x"}"#, "unknown field 'fd.nmae'"),
      (#"{"evt.type":"open","user.uid":"root"}"#, "'user.uid' takes a whole number (uint32)"),
      (#"{"evt.type":"connect","fd.sip":"localhost"}"#, "'fd.sip' takes an address"),
      (#"{"evt.type":"open","proc.name[1]":"x"}"#, "'proc.name' takes nothing in brackets"),
    ]
    for mistake in mistakes {
      let result = try Command.run(["replay", try folder.write("bad", read + "\n" + mistake.line + "\n" + connect)])
      #expect(result.status == .exited(1) && result.output.split(separator: "\n").count == 1)
      #expect(result.errors.contains("line 2: ") && result.errors.contains(mistake.message), "\(result.errors)")
    }
  }

  @Test("a value that is still pending leaves the event undecided")
  func pending() throws {
    let folder = try TestFolder()
    let line =
      #"{"evt.type":"openat","fd.num":3,"fd.typechar":"f","evt.is_open_read":true,"fd.name":"/etc/shadow","container.id":{"$pending":true}}"#
    let statistics = folder.path + "/stats.json"
    let result = try Command.run(["replay", try folder.write("lines", line), "--stats", statistics])
    #expect(result.succeeded && result.output.isEmpty)
    #expect(try String(contentsOfFile: statistics, encoding: .utf8).contains(#""undecided":1"#))
  }
}

/// What stands on standard input, and where alerts cannot go.
@Suite("replay: streams", .timeLimit(.minutes(5)))
struct ReplayStreamTests {
  private static let recording = Repository.path("Sources/MartletAgent/Demo/demo.martlet")

  /// By bash; `$0` is the command.
  private func shell(_ script: String, _ arguments: String...) throws -> Finished {
    try Child.run(["/bin/bash", "-c", script, Command.path] + arguments)
  }

  @Test("on standard input a recording is one, by file and by pipe, and all else is event lines")
  func standardInput() throws {
    let demo = try Command.run(["demo"]).output
    for script in [#"exec "$0" replay - <"$1""#, #"cat "$1" | "$0" replay -"#, #"exec "$0" replay <(cat "$1")"#] {
      let result = try shell(script, Self.recording)
      #expect(result.succeeded && result.output == demo, "\(script): \(result.errors)")
    }
    for command in ["replay -", "match 'proc.name = bash'"] {
      let garbage = try shell("printf 'hello\\nthere\\n' | \"$0\" \(command)")
      #expect(garbage.status == .exited(1) && garbage.output.isEmpty)
      #expect(garbage.errors.contains("standard input, line 1: not a JSON object"), "\(garbage.errors)")
    }
    let late = try shell(#"printf '{"proc.name": "bash"}\n\n?' | "$0" match 'proc.name = bash'"#)
    #expect(late.status == .exited(1) && late.output == "true\n" && late.errors.contains("standard input, line 3: "))
  }

  @Test("a byte order mark before event lines is skipped")
  func byteOrderMark() throws {
    let folder = try TestFolder()
    let path = try folder.write("lines", "\u{feff}{\"proc.name\": \"bash\"}\n")
    let file = try Command.run(["match", "proc.name = bash", path])
    #expect(file.succeeded && file.output == "true\n", "\(file.errors)")
    let piped = try shell(#"cat "$1" | "$0" match 'proc.name = bash'"#, path)
    #expect(piped.succeeded && piped.output == "true\n", "\(piped.errors)")
  }

  @Test("alerts that cannot be written are a failure, a reader that has gone is none")
  func lostAlerts() throws {
    let full = try shell(#"exec "$0" demo >/dev/full"#)
    #expect(full.status == .exited(1) && full.errors.contains("cannot write alerts: No space left on device"))
    #expect(full.errors.contains(" 0 alerts written, 4 not written"))
    let replayed = try shell(#"exec "$0" replay "$1" >/dev/full"#, Self.recording)
    #expect(replayed.status == .exited(1))
    #expect(try shell(#""$0" demo | true; exit ${PIPESTATUS[0]}"#).succeeded)
  }

  @Test("a file that can grow no more holds whole lines", arguments: [">", ">>"])
  func wholeLines(redirection: String) throws {
    let folder = try TestFolder()
    let path = folder.path + "/alerts"
    // A kibibyte and a half of four alerts is not all of them, and its end lies within one.
    let result = try shell(
      #"printf '%0511d\n' 0 >"$1"; ulimit -f 2; trap '' XFSZ; exec "$0" demo \#(redirection) "$1""#, path)
    #expect(result.status == .exited(1) && result.errors.contains("cannot write alerts: File too large"))
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.utf8.count < 2048 && (text.isEmpty || text.hasSuffix("\n")))
    for line in text.split(separator: "\n") where line.hasPrefix("{") { #expect(line.hasSuffix("}")) }
  }

  @Test("statistics are tried before anything else, and leave nothing behind")
  func statistics() throws {
    let folder = try TestFolder()
    for path in ["/nonexistent/stats.json", folder.path, "/dev/null"] {
      let result = try Command.run(["demo", "--stats", path])
      #expect(result.status == .exited(1) && result.output.isEmpty)
      #expect(result.errors.contains("cannot write statistics to '\(path)'"), "\(result.errors)")
    }
    let path = folder.path + "/stats.json"
    let small = try shell(#"ulimit -f 1; trap '' XFSZ; exec "$0" demo --stats "$1""#, path)
    #expect(small.status == .exited(1) && small.errors.contains("cannot write statistics to"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    #expect(try Command.run(["demo", "--stats", path]).succeeded)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["stats.json"])
  }

  @Test("the event line of the help raises an alert")
  func helpLine() throws {
    let help = try Command.run(["replay", "--help"]).output
    let start = try #require(help.range(of: "{")?.lowerBound)
    let end = try #require(help.range(of: "}")?.upperBound)
    let line = help[start..<end].split(whereSeparator: \.isWhitespace).joined(separator: " ")
    let result = try shell(#"printf '%s\n' "$1" | "$0" replay -"#, line)
    #expect(result.succeeded && result.output.contains("Password file read in container"), "\(line): \(result.errors)")
  }
}

/// Recording on the real kernel.
@Suite(
  "record", .timeLimit(.minutes(5)),
  .enabled(if: KernelSupport.isAvailable, Comment(rawValue: KernelSupport.missing ?? "")))
struct RecordTests {
  @Test("a recorded run replays to the very alerts that it gave, in their order")
  func sameAlerts() throws {
    let folder = try TestFolder()
    let rules = try folder.write("any.yaml", LifeTests.anyExec)
    let recording = folder.path + "/run.martlet"
    let agent = try AgentProcess(["run", "-r", rules, "--record", recording])
    try agent.waitUntilReady()
    for _ in 0..<20 { try Command.shell("/bin/true; /bin/echo done >/dev/null") }
    #expect(try agent.terminate() == .exited(0))
    let live = agent.printed.map(\.text)
    let replayed = try Command.run(["replay", recording, "-r", rules])
    #expect(replayed.succeeded, "\(replayed.errors)")
    #expect(live.count >= 40 && replayed.output.split(separator: "\n").map(String.init) == live)
  }

  @Test("a recording that finds no room is given up, alerts go on, and status 1 says so")
  func givenUp() throws {
    let folder = try TestFolder()
    let rules = try folder.write("any.yaml", LifeTests.anyExec)
    let agent = try AgentProcess(["run", "-r", rules, "--record", "/dev/full"])
    try agent.waitUntilReady()
    try Command.shell("/bin/true")
    _ = try agent.alerts { $0.field("proc.exepath")?.hasSuffix("/true") == true }
    #expect(try agent.terminate() == .exited(1))
    let complaints = agent.log.split(separator: "\n").filter { $0.contains("the recording was given up: ") }
    #expect(complaints.count == 1 && complaints[0].contains("alerts go on; it can be replayed up to here"))
  }

  @Test("a recording ends by itself after its time or at its size, and is whole")
  func bounds() throws {
    let folder = try TestFolder()
    let recording = folder.path + "/r.martlet"
    let timed = try Command.run(["record", "-o", recording, "--duration", "0.2"])
    #expect(timed.succeeded && timed.errors.contains("martlet: recorded "))
    #expect(try Command.run(["replay", recording]).succeeded)
    #expect(try Command.run(["record", "-o", recording, "--duration", "-1"]).status == .exited(2))
    #expect(try Command.run(["record", "-o", "/nonexistent/r"]).status == .exited(1))
    let link = folder.path + "/link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: recording)
    let linked = try Command.run(["record", "-o", link, "--duration", "0.2"])
    #expect(linked.status == .exited(1) && linked.errors.contains("is a symbolic link"))
    #expect(try Command.run(["record", "-o", "/dev/full", "--duration", "0.2"]).status == .exited(1))
  }
}
