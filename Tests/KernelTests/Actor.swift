// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

/// A child process that does what it is told: see KernelTestActor/main.c.
///
/// Its input is a pipe that stays open until `finish()`, so a child that waits can be looked at.
final class Actor {
  let process: pid_t
  private var input: Int32
  private let output: Int32
  private var isFinished = false

  convenience init(_ verbs: String...) throws { try self.init(verbs) }

  init(_ verbs: [String], environment: [String] = []) throws {
    var toChild: [Int32] = [0, 0]
    var fromChild: [Int32] = [0, 0]
    try #require(pipe(&toChild) == 0 && pipe(&fromChild) == 0)
    // Else the child would hold our ends as well and never see its input end.
    for end in toChild + fromChild { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, toChild[0], 0)
    posix_spawn_file_actions_adddup2(&actions, fromChild[1], 1)
    var arguments: [UnsafeMutablePointer<CChar>?] = (["actor"] + verbs).map { strdup($0) } + [nil]
    defer { arguments.forEach { free($0) } }
    var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
    defer { variables.forEach { free($0) } }
    var child: pid_t = 0
    try #require(
      posix_spawn(&child, Self.path, &actions, nil, &arguments, &variables) == 0, "cannot run '\(Self.path)'")
    close(toChild[0])
    close(fromChild[1])
    process = child
    input = toChild[1]
    output = fromChild[0]
  }

  deinit { finish() }

  /// Beside the test program, where the build puts all its programs.
  static let path: String = {
    var target = [CChar](repeating: 0, count: 4096)
    let length = max(readlink("/proc/self/exe", &target, target.count - 1), 0)
    let program = String(decoding: target[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return program[...(program.lastIndex(of: "/") ?? program.startIndex)] + "KernelTestActor"
  }()

  /// Returns once the child has come to its verb `wait`; false when it does not.
  func awaitWaiting() -> Bool {
    var set = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
    var byte: UInt8 = 0
    return poll(&set, 1, Int32(secondsUntilHung) * 1000) == 1 && read(output, &byte, 1) == 1
  }

  /// Whether the child has come to its verb `wait`.
  var isWaiting: Bool {
    var set = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
    return !isFinished && poll(&set, 1, 0) == 1
  }

  /// Lets a waiting child go on.
  func letGo() {
    guard input >= 0 else { return }
    close(input)
    input = -1
  }

  /// Lets a waiting child go on, and returns how it ended, as wait(2) has it. Ends it by force if it does not.
  @discardableResult
  func finish() -> Int32 {
    guard !isFinished else { return 0 }
    isFinished = true
    letGo()
    defer { close(output) }
    var status: Int32 = 0
    // The other end of its output closes when it ends.
    var set = pollfd(fd: output, events: 0, revents: 0)
    if poll(&set, 1, Int32(secondsUntilHung) * 1000) != 1 { kill(process, SIGKILL) }
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    return status
  }
}
