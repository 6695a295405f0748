// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Glibc
import Testing

/// The bar of `martlet verify` as a person sees it, on a pseudo-terminal.
@Suite(
  "progress of verify", .serialized, .enabled(if: access("/usr/bin/python3", X_OK) == 0, "needs /usr/bin/python3"),
  .timeLimit(.minutes(5)))
struct VerifyProgressTests {
  /// A model of zeros that takes no place: one file, or a folder of several; and the list of what its files should be.
  private struct World {
    let folder: TestFolder
    var list: String { folder.path + "/SHA256SUMS" }

    init(_ files: [String: Int64]) throws {
      folder = try TestFolder()
      try FileManager.default.createDirectory(atPath: folder.path + "/model", withIntermediateDirectories: true)
      for (name, size) in files { truncate(try folder.write("model/\(name)", ""), off_t(size)) }
      let lines = files.keys.map { "\(String(repeating: "0", count: 64))  \($0)\n" }
      _ = try folder.write("SHA256SUMS", lines.joined())
    }
  }

  /// What came on the terminal, and the status as a shell says it.
  private struct Seen: Decodable {
    var text: String
    var status: Int

    /// The states of the line, in order: each overwrites the one before.
    var lines: [String] { text.components(separatedBy: "\r").dropFirst().map { $0.replacing("\u{1B}[K", with: "") } }
    var bars: [String] { lines.filter { $0.contains("%") } }
  }

  /// Runs the command on a terminal of so many columns, and presses ^C when something is drawn if that is asked for.
  private static let onTerminal = """
    import fcntl, json, os, pty, struct, sys, termios
    columns, presses = int(sys.argv[1]), sys.argv[2] == "interrupt"
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
        os.execv(sys.argv[3], sys.argv[3:])
    text = b""
    while True:
        try: part = os.read(terminal, 65536)
        except OSError: break
        if not part: break
        text += part
        if presses and b"%" in text:
            presses = False
            os.write(terminal, b"\\x03")
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps({"text": text.decode(), "status": code if code >= 0 else 128 - code}))
    """

  private func look(
    _ arguments: [String], columns: Int = 100, interrupts: Bool = false, terminal: String = "xterm"
  ) throws -> Seen {
    let prefix = ["/usr/bin/python3", "-I", "-S", "-c", Self.onTerminal, "\(columns)", interrupts ? "interrupt" : ""]
    let result = try Command.run(
      ["verify"] + arguments, behind: prefix + ["/usr/bin/env", "-u", "COLUMNS", "TERM=\(terminal)"])
    try #require(result.succeeded, "\(result.errors)")
    return try JSONDecoder().decode(Seen.self, from: Data(result.output.utf8))
  }

  @Test(
    "it fits on any terminal, says less where there is less room, and is gone at the end",
    arguments: [
      (200, "/s"), (90, "/s"), (60, " of "), (40, "]"), (20, "hashing "), (8, "%"), (0, "/s"),
    ])
  func width(columns: Int, says: String) throws {
    let world = try World(["weights.gguf": 300 << 20])
    let seen = try look([world.folder.path + "/model", "--manifest", world.list], columns: columns)
    let columns = columns == 0 ? 80 : columns
    #expect(!seen.bars.isEmpty && seen.bars.allSatisfy { $0.count < columns && $0.contains(says) }, "\(seen.bars)")
    let end = try #require(seen.text.range(of: "\r\u{1B}[Knot verified: ", options: .backwards))
    #expect(!seen.text[end.upperBound...].contains("%") && seen.status == 1)
  }

  @Test("of a folder it counts all files together")
  func folder() throws {
    let world = try World(["a.gguf": 200 << 20, "b.gguf": 200 << 20, "c.json": 10])
    let seen = try look([world.folder.path + "/model", "--manifest", world.list])
    #expect(!seen.bars.isEmpty && seen.bars.allSatisfy { $0.contains(" of 419.4 MB") }, "\(seen.bars)")
    let shares = seen.bars.compactMap { $0.split(separator: "]").last?.split(separator: "%").first }
      .compactMap { Int($0.drop { $0 == " " }) }
    #expect(shares.count == seen.bars.count && shares == shares.sorted())
  }

  @Test("^C leaves an empty line, and the status that shells know")
  func interrupted() throws {
    let world = try World(["weights.gguf": 256 << 30])
    let seen = try look([world.folder.path + "/model", "--manifest", world.list], interrupts: true)
    #expect(seen.status == 130 && seen.text.hasSuffix("\r\u{1B}[K") && !seen.bars.isEmpty, "\(seen)")
  }

  @Test("there is none for programs, nor for what is quick, nor on a terminal that cannot move back")
  func none() throws {
    let (large, small) = (try World(["weights.gguf": 300 << 20]), try World(["weights.gguf": 1 << 20]))
    let model = large.folder.path + "/model"
    let json = try look([model, "--manifest", large.list, "--format", "json"])
    let quick = try look([small.folder.path + "/model", "--manifest", small.list])
    #expect(json.text.hasPrefix("{") && quick.text.hasPrefix("not verified: "))
    let piped = try Command.run(["verify", model, "--manifest", large.list])
    #expect(piped.status == .exited(1) && piped.errors.isEmpty)
    let dumb = try look([model, "--manifest", large.list], terminal: "dumb")
    #expect(dumb.text.hasPrefix("not verified: "))
  }
}
