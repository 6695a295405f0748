// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import MartletAgent

/// `martlet`: alerts and results on stdout, everything else on stderr.
@main
struct MartletCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "martlet",
    abstract: "Watches what containers on this node do and says when it is not what they should be doing.",
    discussion: """
      Exit status: 0 fine, 1 failure, 2 usage, 3 rules or configuration invalid, 4 rule tests failed.
      """,
    version: Martlet.version,
    subcommands: [
      RunCommand.self, CheckCommand.self, RecordCommand.self, ReplayCommand.self, DemoCommand.self, RulesCommand.self,
      MatchCommand.self, TestCommand.self, VerifyCommand.self, FieldsCommand.self, AliveCommand.self,
      DoctorCommand.self, ReadModelsCommand.self,
    ])

  static func main() async {
    // What the agent runs to prove that starts and ends of programs are seen.
    if CommandLine.arguments.dropFirst().elementsEqual(["canary"]) { Glibc.exit(ExitStatus.fine.rawValue) }
    openStandardDescriptors()
    // A reader that goes away is an error of write(2) here, not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch let status as ExitStatus {
      Glibc.exit(status.rawValue)
    } catch {
      // Help and version are "errors" that succeed; all others here are about usage.
      let isHelp = exitCode(for: error).isSuccess
      write(fullMessage(for: error) + "\n", to: isHelp ? STDOUT_FILENO : STDERR_FILENO)
      Glibc.exit(isHelp ? ExitStatus.fine.rawValue : ExitStatus.usage.rawValue)
    }
  }
}

/// Whoever starts a program with one of these closed would find its files there: alerts would go into them.
private func openStandardDescriptors() {
  for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
    _ = open("/dev/null", O_RDWR)
  }
}

/// The contract with scripts.
enum ExitStatus: Int32, Error {
  case fine = 0
  case failure = 1
  case usage = 2
  case rulesInvalid = 3
  case testsFailed = 4
}
