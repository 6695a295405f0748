// SPDX-License-Identifier: Apache-2.0

/// A process for tests: who acts.
public struct TestProcess: Sendable {
  public var id: UInt32
  public var startNanoseconds: UInt64
  public var threadID: UInt32
  public var comm: String
  public var exePath: String
  public var arguments: [String]
  public var directory = "/"
  public var parentID: UInt32 = 1
  public var parentStartNanoseconds: UInt64 = 1_000_000_000
  public var namespaceID: UInt32
  public var sessionID: UInt32
  public var userID: UInt32 = 0
  public var loginUserID: UInt32 = .max
  public var terminal: UInt32 = 0
  public var cgroupID: UInt64 = 1
  public var cgroupV1ID: UInt64 = 0
  public var exeFlags: UInt32 = 0

  public init(_ id: UInt32, _ exePath: String = "/usr/bin/true", arguments: [String] = [], start: UInt64? = nil) {
    self.id = id
    startNanoseconds = start ?? UInt64(id) * 1_000_000_000
    threadID = id
    namespaceID = id
    sessionID = id
    self.exePath = exePath
    let name = exePath.split(separator: "/").last.map(String.init) ?? exePath
    comm = String(name.prefix(15))
    self.arguments = [name] + arguments
  }

  /// Another process with this one as its parent, otherwise alike.
  public func child(_ id: UInt32, _ exePath: String, arguments: [String] = []) -> TestProcess {
    var child = TestProcess(id, exePath, arguments: arguments)
    child.parentID = self.id
    child.parentStartNanoseconds = startNanoseconds
    child.cgroupID = cgroupID
    child.cgroupV1ID = cgroupV1ID
    child.userID = userID
    child.loginUserID = loginUserID
    child.terminal = terminal
    child.sessionID = sessionID
    return child
  }
}
