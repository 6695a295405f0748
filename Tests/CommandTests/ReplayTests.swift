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

  @Test("a recording ends by itself after its time or at its size, and is whole")
  func bounds() throws {
    let folder = try TestFolder()
    let recording = folder.path + "/r.martlet"
    let timed = try Command.run(["record", "-o", recording, "--duration", "0.2"])
    #expect(timed.succeeded && timed.errors.contains("martlet: recorded "))
    #expect(try Command.run(["replay", recording]).succeeded)
    #expect(try Command.run(["record", "-o", recording, "--duration", "-1"]).status == .exited(2))
    #expect(try Command.run(["record", "-o", "/nonexistent/r"]).status == .exited(1))
    #expect(try Command.run(["record", "-o", "/dev/full", "--duration", "0.2"]).status == .exited(1))
  }
}
