// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import MartletEnrichment

/// How the kernel is watched.
struct CaptureOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What the buffers between the kernel and the agent may take, all together.",
      discussion: """
        Each CPU has one: of the largest power of two that fits its share, from 256 KiB to 256 MiB. Without this option it
        is 4 MiB a CPU, and 128 MiB for all. An agent that is held up loses no event until they are full: a program that
        does nothing but open files fills 4 MiB in about 20 ms.
        """, valueName: "mebibytes"))
  var ringBudget: UInt64?

  private static let nameWaitSecondsMax = 60.0

  var ringBudgetBytes: UInt64? { ringBudget.map { $0 << 20 } }

  @Option(
    name: .customLong("runtime"),
    help: ArgumentHelp(
      "Ask this container runtime for the names of containers; may be given several times.",
      discussion: """
        'cri:PATH' for the socket of containerd or CRI-O, 'docker:PATH' for that of docker or podman, 'folder:PATH' for the folder in which one keeps a folder for each container, 'none' for nobody.
        Without this option it is what MARTLET_RUNTIMES in the environment lists in the same form, with commas between;
        without that, whoever listens at the usual places.
        """, valueName: "runtime"))
  var runtimeTexts: [String] = []

  /// Whom to ask, as the option or the environment says.
  var runtimes: [RuntimeSocket] { Self.runtimes(named: givenRuntimes) }

  /// Whom the agent asks that is given no option.
  static var runtimesOfEnvironment: [RuntimeSocket] { runtimes(named: environment) }

  private static func runtimes(named texts: [String]) -> [RuntimeSocket] {
    texts.isEmpty ? RuntimeSocket.usual : texts.compactMap { RuntimeSocket(text: $0) }
  }

  private static var environment: [String] {
    getenv("MARTLET_RUNTIMES").map { String(cString: $0).split(separator: ",").map(String.init) } ?? []
  }

  private var givenRuntimes: [String] { runtimeTexts.isEmpty ? Self.environment : runtimeTexts }

  @Option(
    help: ArgumentHelp(
      "How long an event may wait for the names of its container.",
      discussion: """
        Counted from when the container was first seen. Where a rule needs the names to decide, or an alert to tell them,
        the event waits for the runtime's answer; then it is decided without, and the alert says so: 'enrichment' is
        'partial'. 0 for no wait.
        """, valueName: "seconds"))
  var nameWait = 2.0

  func validate() throws {
    guard (0...Self.nameWaitSecondsMax).contains(nameWait) else {
      throw ValidationError("'--name-wait' takes 0 to \(Int(Self.nameWaitSecondsMax)) seconds")
    }
    for text in givenRuntimes where RuntimeSocket(text: text) == nil && givenRuntimes != ["none"] {
      throw ValidationError("a runtime is 'cri:PATH', 'docker:PATH', 'folder:PATH' or alone 'none', and not '\(text)'")
    }
    if let ringBudget, ringBudget == 0 || ringBudget > 1 << 20 {
      throw ValidationError("'--ring-budget' takes 1 to 1048576 mebibytes")
    }
  }
}
