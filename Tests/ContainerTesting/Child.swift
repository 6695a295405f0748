// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc

/// How a program ended.
public enum ExitStatus: Equatable, Sendable {
  case exited(Int32)
  case signalled(Int32)

  init(waitStatus status: CInt) {
    let signal = status & 0x7f
    self = signal == 0 ? .exited((status >> 8) & 0xff) : .signalled(signal)
  }
}

/// A program this process started, with its output captured. Killed at the latest when the last reference goes, so
/// that a failing test leaves nothing running.
public final class Child: Sendable {
  /// Where the program's standard streams lead. Its input is always empty but for a terminal's.
  public enum Streams {
    /// Read by this process, to the end.
    case captured
    /// Nowhere: for programs whose descendants outlive them and would hold a pipe open.
    case discarded
    /// A terminal of its own; what it prints on either stream arrives as `output`.
    case terminal
  }

  public let pid: Int32
  private let end = ChildEnd()
  private let outputs: SpawnedOutputs

  /// Starts the program; the first argument is its path, or its name to be found on PATH.
  public init(_ arguments: [String], streams: Streams = .captured, environment: [String: String]? = nil) throws {
    // An agent under test asks nothing of the machine's other connections.
    let environment = ["MARTLET_CGROUP": "none"].merging(environment ?? ProcessInfo.processInfo.environment) { $1 }
    (pid, outputs) = try spawn(arguments, streams: streams, environment: environment)
    end.watch(pid)
  }

  deinit {
    end.send(SIGKILL, to: pid)
  }

  var output: CapturedOutput? { outputs.output }
  var errors: CapturedOutput? { outputs.errors }

  public func send(_ signal: Int32) {
    end.send(signal, to: pid)
  }

  /// The exit status once the program ended and all it wrote has been read; nil when time is up.
  public func wait(until deadline: Deadline) -> ExitStatus? {
    guard let status = end.wait(until: deadline) else { return nil }
    outputs.output?.waitForEnd(until: deadline)
    outputs.errors?.waitForEnd(until: deadline)
    return status
  }
}

/// A program's result when it was run to its end.
public struct Finished: Sendable {
  public let status: ExitStatus
  public let output: String
  public let errors: String

  public var succeeded: Bool { status == .exited(0) }
}

extension Child {
  /// Runs a program to its end. Throws when it does not start or is not done in time; a non-zero status is a result.
  public static func run(
    _ arguments: [String], streams: Streams = .captured, within duration: Duration = .untilHung
  ) throws -> Finished {
    let child = try Child(arguments, streams: streams)
    guard let status = child.wait(until: Deadline(in: duration)) else {
      throw HarnessError("'\(arguments.joined(separator: " "))' did not end within \(duration)")
    }
    return Finished(status: status, output: child.output?.text ?? "", errors: child.errors?.text ?? "")
  }

  /// Runs a program that has to succeed.
  @discardableResult
  static func check(
    _ arguments: [String], streams: Streams = .captured, within duration: Duration = .untilHung
  ) throws -> Finished {
    let finished = try run(arguments, streams: streams, within: duration)
    guard finished.succeeded else {
      let command = arguments.joined(separator: " ")
      throw HarnessError("'\(command)' ended with \(finished.status): \(finished.errors)\(finished.output)")
    }
    return finished
  }
}

/// A child's end, told by a thread that waits for it.
///
/// The thread looks first and reaps under the lock, so that a signal can never reach a stranger that was given the
/// same pid.
private final class ChildEnd: @unchecked Sendable {
  private let condition = NSCondition()
  private var status: ExitStatus?

  func watch(_ pid: Int32) {
    let thread = Thread { [self] in
      var ended = siginfo_t()
      while waitid(P_PID, id_t(pid), &ended, WEXITED | WNOWAIT) < 0, errno == EINTR {}
      condition.withLock {
        var raw: CInt = 0
        waitpid(pid, &raw, 0)
        status = ExitStatus(waitStatus: raw)
        condition.broadcast()
      }
    }
    thread.stackSize = 128 << 10
    thread.start()
  }

  func send(_ signal: Int32, to pid: Int32) {
    condition.withLock {
      if status == nil { kill(pid, signal) }
    }
  }

  func wait(until deadline: Deadline) -> ExitStatus? {
    condition.wait(until: deadline) { status }
  }
}
