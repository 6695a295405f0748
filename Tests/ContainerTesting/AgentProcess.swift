// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The agent under test, as its users meet it: a process that prints alerts on stdout and logs on stderr.
///
///     let agent = try AgentProcess(["run", "-r", "rules/"])
///     try agent.waitUntilReady()
///     …something suspicious…
///     let alerts = try agent.alerts(within: .seconds(5)) { $0.rule == "Shell in container" }
///     let status = try agent.terminate()
public final class AgentProcess: Sendable {
  /// What the agent says on stderr once all its hooks are attached.
  public static let readySign = "watching"

  private let child: Child
  private let output: CapturedOutput
  private let errors: CapturedOutput

  /// Starts `binary` (by default the `martlet` built beside these tests) with the arguments given.
  public init(
    _ arguments: [String], binary: String? = nil, environment: [String: String] = [:]
  ) throws {
    let path = try binary ?? AgentBinary.path()
    let merged = ProcessInfo.processInfo.environment.merging(environment) { _, ours in ours }
    child = try Child([path] + arguments, environment: merged)
    guard let output = child.output, let errors = child.errors else {
      throw HarnessError("the agent's output is not captured")
    }
    self.output = output
    self.errors = errors
  }

  public var pid: Int32 { child.pid }

  /// All that the agent has logged so far.
  public var log: String { errors.text }

  /// Every whole line on stdout so far, in order.
  public var printed: [ArrivedLine] { output.lines() }

  /// Returns when the hooks are attached: what happens from here on must be seen.
  public func waitUntilReady(within duration: Duration = .untilHung) throws {
    let ready = errors.wait(until: Deadline(in: duration)) { lines in
      lines.first { $0.text.contains(Self.readySign) }
    }
    guard ready != nil else { throw failure("did not get ready within \(duration)") }
  }

  /// Waits until `count` alerts that satisfy the condition have arrived; gives all such that are there by then.
  public func alerts(
    count: Int = 1, within duration: Duration = .untilHung, matching condition: (ArrivedAlert) -> Bool
  ) throws -> [ArrivedAlert] {
    let search = AlertSearch()
    let found = output.wait(until: Deadline(in: duration)) { lines in
      search.extend(with: lines, matching: condition)
      return search.matches.count >= count ? search.matches : nil
    }
    guard let found else {
      throw failure("printed \(search.matches.count) of \(count) expected alerts within \(duration)")
    }
    return found
  }

  /// Waits the whole duration, or to the agent's end, and gives what satisfied the condition: to show that nothing did.
  public func alertsArriving(
    for duration: Duration, matching condition: (ArrivedAlert) -> Bool
  ) -> [ArrivedAlert] {
    output.waitForEnd(until: Deadline(in: duration))
    return printed.compactMap(ArrivedAlert.init).filter(condition)
  }

  /// Asks the agent to stop (with SIGTERM when nothing else is given) and waits for it, and for all it had to say.
  @discardableResult
  public func terminate(_ signal: Int32? = nil, within duration: Duration = .untilHung) throws -> ExitStatus {
    child.send(signal ?? SIGTERM)
    return try waitForExit(within: duration)
  }

  /// Waits for an agent that ends by itself.
  public func waitForExit(within duration: Duration = .untilHung) throws -> ExitStatus {
    guard let status = child.wait(until: Deadline(in: duration)) else {
      throw failure("did not end within \(duration)")
    }
    return status
  }

  /// A signal that does not end the agent, such as SIGHUP for a reload.
  public func send(_ signal: Int32) {
    child.send(signal)
  }

  private func failure(_ what: String) -> HarnessError {
    HarnessError("the agent \(what); \(printed.count) lines on stdout; its log:\n\(log)")
  }
}

/// Looks at each line once, however often the search is continued.
private final class AlertSearch {
  private var linesSeen = 0
  private(set) var matches: [ArrivedAlert] = []

  func extend(with lines: [ArrivedLine], matching condition: (ArrivedAlert) -> Bool) {
    matches += lines[linesSeen...].compactMap(ArrivedAlert.init).filter(condition)
    linesSeen = lines.count
  }
}

/// Finds the agent to test.
public enum AgentBinary {
  /// `MARTLET_BINARY` when it is set; else the `martlet` in the directory of the running test program.
  public static func path() throws -> String {
    if let given = ProcessInfo.processInfo.environment["MARTLET_BINARY"] { return given }
    let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    let built = tests.deletingLastPathComponent().appendingPathComponent("martlet").path
    guard FileManager.default.isExecutableFile(atPath: built) else {
      throw HarnessError("no agent at \(built); build the product 'martlet' or set MARTLET_BINARY")
    }
    return built
  }
}
