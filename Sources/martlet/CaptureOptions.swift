// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

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

  var ringBudgetBytes: UInt64? { ringBudget.map { $0 << 20 } }

  func validate() throws {
    if let ringBudget, ringBudget == 0 || ringBudget > 1 << 20 {
      throw ValidationError("'--ring-budget' takes 1 to 1048576 mebibytes")
    }
  }
}
