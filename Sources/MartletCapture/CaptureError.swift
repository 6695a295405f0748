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

extension CaptureError {
  /// What to do about it, where that can be said.
  public var remedy: String? {
    let missing = CaptureRequirements.check()
    if !missing.isEmpty { return missing.map(\.remedy).joined(separator: "; ") }
    switch (code, errno) {
    case (.notPermitted, _):
      return "the capabilities are there, but something else forbids it: a seccomp profile that leaves out bpf(2), "
        + "a security module, or a kernel that is locked down ('martlet doctor' tells)"
    case (.refused, ENOMEM):
      return "give the process more memory, or, before kernel 5.11, the capability CAP_SYS_RESOURCE"
    case (.refused, ENOSPC): return "another program of this kind is attached to the cgroup and lets none beside it"
    case (.refused, EINVAL), (.refused, ENOENT), (.refused, EOPNOTSUPP):
      return "this kernel lacks what '\(subject)' needs; a newer one, or a distribution's own, has it"
    default: return nil
    }
  }
}

/// A C array of characters, up to its NUL.
private func text<Characters>(_ characters: Characters) -> String {
  withUnsafeBytes(of: characters) { bytes in
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}
