// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import MartletAgent

/// `martlet record`: save what happens on this node.
struct RecordCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record",
    abstract: "Save what happens on this node, to be replayed elsewhere.",
    discussion: """
      The file holds paths and command lines of every process on the node: only its owner may read it. Ends on SIGINT,
      on SIGTERM, after --duration, and when the file has reached --max-size.
      """)

  @Option(
    name: [.customShort("o"), .customLong("output")], help: ArgumentHelp("File to write.", valueName: "file"),
    completion: .file())
  var output: String

  @Option(help: ArgumentHelp("How long to record.", valueName: "seconds"))
  var duration: Double?

  @Option(help: ArgumentHelp("Largest size of the file.", valueName: "mebibytes"))
  var maxSize: UInt64 = 1024

  @OptionGroup var capture: CaptureOptions

  func validate() throws {
    if let duration, !(duration > 0 && duration < 1e9) {
      throw ValidationError("'--duration' takes a number of seconds above 0")
    }
    if maxSize == 0 || maxSize > 1 << 20 { throw ValidationError("'--max-size' takes 1 to 1048576 mebibytes") }
  }

  func run() async throws {
    try await reporting {
      let agent = Agent(
        ringBudgetBytes: capture.ringBudgetBytes, runtimes: capture.runtimes, nameWaitSeconds: capture.nameWait)
      let summary = try await agent.watch(
        nil, recording: Agent.Recording(path: output, byteCountMax: maxSize << 20), durationSeconds: duration)
      close(with: summary)
    }
  }
}
