// SPDX-License-Identifier: Apache-2.0

import CMartletBPF
import Glibc

/// Why capturing could not start or went wrong.
public struct CaptureError: Error, Sendable {
  public enum Code: Sendable {
    /// The configuration cannot be used as it is.
    case configuration
    /// The kernel does not let this process use BPF.
    case notPermitted
    /// The kernel refused a program or a map.
    case refused
    /// Processes could not be read.
    case seed
  }

  public let code: Code
  /// What was being done, as a verb: "load".
  public let operation: String
  /// What it was done to: "handle_exec".
  public let subject: String
  public let errno: Int32
  /// The most telling line of libbpf's or the verifier's log; empty when they said nothing.
  public let logLine: String
}

extension CaptureError {
  init(_ error: martlet_probe_error, code: Code) {
    self.init(
      code: error.code == EPERM ? .notPermitted : code,
      operation: text(error.operation), subject: text(error.subject), errno: error.code, logLine: text(error.line))
  }
}

extension CaptureError: CustomStringConvertible {
  public var description: String {
    let cause = logLine.isEmpty ? String(cString: strerror(errno)) : logLine
    return "cannot \(operation) '\(subject)': \(cause)"
  }
}

/// A C array of characters, up to its NUL.
private func text<Characters>(_ characters: Characters) -> String {
  withUnsafeBytes(of: characters) { bytes in
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}
