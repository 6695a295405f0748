// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc

/// What a started program writes, as far as somebody reads it.
struct SpawnedOutputs: Sendable {
  var output: CapturedOutput?
  var errors: CapturedOutput?
}

/// Starts a program with the given streams.
///
/// Tests start programs side by side, and a pipe inherited by a neighbour would never end. So every descriptor made here
/// is close-on-exec, and because `pipe2` is not offered to Swift, one program is started at a time.
func spawn(
  _ arguments: [String], streams: Child.Streams, environment: [String: String]
) throws -> (pid: Int32, outputs: SpawnedOutputs) {
  guard let program = arguments.first else { throw HarnessError("nothing to start") }
  spawning.lock()
  defer { spawning.unlock() }
  var actions = FileActions()
  defer { actions.destroy() }

  var outputs = SpawnedOutputs()
  var childEnds: [CInt] = []
  defer { for descriptor in childEnds { close(descriptor) } }
  switch streams {
  case .discarded:
    actions.open("/dev/null", as: STDIN_FILENO, O_RDONLY)
    actions.open("/dev/null", as: STDOUT_FILENO, O_WRONLY)
    actions.open("/dev/null", as: STDERR_FILENO, O_WRONLY)
  case .captured:
    actions.open("/dev/null", as: STDIN_FILENO, O_RDONLY)
    let output = try makePipe()
    let errors = try makePipe()
    childEnds = [output.write, errors.write]
    actions.duplicate(output.write, as: STDOUT_FILENO)
    actions.duplicate(errors.write, as: STDERR_FILENO)
    outputs = SpawnedOutputs(
      output: CapturedOutput(reading: output.read), errors: CapturedOutput(reading: errors.read))
  case .terminal:
    let terminal = try makeTerminal()
    // Opened here once, so that the child's first close is not taken for the terminal's end by the reader.
    childEnds = [terminal.slave]
    for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] { actions.duplicate(terminal.slave, as: stream) }
    outputs.output = CapturedOutput(reading: terminal.master)
  }

  var attributes = unmaskedSignals()
  defer { posix_spawnattr_destroy(&attributes) }
  var pid: Int32 = 0
  let code = withCStrings(arguments) { argv in
    withCStrings(environment.map { "\($0)=\($1)" }) { envp in
      posix_spawnp(&pid, program, &actions.actions, &attributes, argv, envp)
    }
  }
  guard code == 0 else { throw HarnessError.system("cannot start '\(program)'", code) }
  return (pid, outputs)
}

private let spawning = NSLock()

/// What the child does with its descriptors before it becomes the program.
private struct FileActions {
  var actions = posix_spawn_file_actions_t()

  init() {
    posix_spawn_file_actions_init(&actions)
  }

  mutating func open(_ path: String, as descriptor: CInt, _ flags: CInt) {
    posix_spawn_file_actions_addopen(&actions, descriptor, path, flags, 0)
  }

  mutating func duplicate(_ source: CInt, as descriptor: CInt) {
    posix_spawn_file_actions_adddup2(&actions, source, descriptor)
  }

  mutating func destroy() {
    posix_spawn_file_actions_destroy(&actions)
  }
}

/// Tests run on threads that block every signal, which a program would inherit: it would ignore a request to stop and
/// never hear its own alarm.
private func unmaskedSignals() -> posix_spawnattr_t {
  var attributes = posix_spawnattr_t()
  var none = sigset_t()
  var all = sigset_t()
  sigemptyset(&none)
  sigfillset(&all)
  posix_spawnattr_init(&attributes)
  posix_spawnattr_setsigmask(&attributes, &none)
  posix_spawnattr_setsigdefault(&attributes, &all)
  posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
  return attributes
}

private func makePipe() throws -> (read: CInt, write: CInt) {
  var ends: [CInt] = [-1, -1]
  guard pipe(&ends) == 0 else { throw HarnessError.system("pipe", errno) }
  for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
  return (ends[0], ends[1])
}

/// A pseudo-terminal: the program gets the slave, the harness reads the master.
///
/// By the two requests that `unlockpt` and `ptsname` make, for Swift's Glibc offers neither function.
private func makeTerminal() throws -> (master: CInt, slave: CInt) {
  let setLock: UInt = 0x4004_5431  // TIOCSPTLCK
  let getNumber: UInt = 0x8004_5430  // TIOCGPTN
  let master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
  guard master >= 0 else { throw HarnessError.system("open /dev/ptmx", errno) }
  var unlocked: CInt = 0
  var number: CInt = 0
  var slave: CInt = -1
  if ioctl(master, setLock, &unlocked) == 0, ioctl(master, getNumber, &number) == 0 {
    slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
  }
  guard slave >= 0 else {
    defer { close(master) }
    throw HarnessError.system("pseudo-terminal", errno)
  }
  return (master, slave)
}

/// The strings as a C vector that ends in a null pointer, for the time of the call.
private func withCStrings<Result>(
  _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
  let vector = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: strings.count + 1)
  for (index, string) in strings.enumerated() { (vector + index).initialize(to: strdup(string)) }
  (vector + strings.count).initialize(to: nil)
  defer {
    for index in strings.indices { free(vector[index]) }
    vector.deallocate()
  }
  return body(vector)
}
