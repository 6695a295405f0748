// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The process that reads files for the agent: started when there is something to read, ended when it has had nothing to do
/// for a while or does not answer.
///
/// Used by one thread.
final class FileReader {
  /// How it is started.
  struct Program: Sendable {
    var path: String
    /// All arguments, the program's name first. Its socket is descriptor 0.
    var arguments: [String]
  }

  /// A reader that says nothing for so long is ended.
  private let patienceSeconds: Int
  private let program: Program
  /// Told which process reads, before it is asked for anything, and 0 when none does.
  private let onProcess: (Int32) -> Void
  private var process: pid_t = 0
  private var socket: Int32 = -1
  /// Those that were killed and have not ended yet: nothing kills a process that waits in the kernel.
  private var lingering: [pid_t] = []
  private static let lingeringMax = 4
  private let isStopping: () -> Bool
  private(set) var startCount = 0

  /// `isStopping`: whether what is asked is to be given up, looked at every second.
  init(
    _ program: Program, patienceSeconds: Int, isStopping: @escaping () -> Bool = { false },
    onProcess: @escaping (Int32) -> Void
  ) {
    self.program = program
    self.patienceSeconds = patienceSeconds
    self.isStopping = isStopping
    self.onProcess = onProcess
  }

  deinit { end() }

  /// Never waits longer than the patience without hearing from the reader.
  func ask(_ request: HashRequest) -> HashReply {
    guard start() else { return .failed(.noReader) }
    let bytes = request.bytes
    guard send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
      end()
      return .failed(.noReader)
    }
    return answer()
  }

  private func answer() -> HashReply {
    var silentSeconds = 0
    var message = [UInt8](repeating: 0, count: HashReply.byteCountMax)
    while true {
      var set = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
      let count = poll(&set, 1, 1000)
      if isStopping() { break }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        silentSeconds += 1
        guard silentSeconds < patienceSeconds else {
          end()
          return .failed(.stalled)
        }
        continue
      }
      let length = recv(socket, &message, message.count, 0)
      guard length > 0, let reply = HashReply(Array(message[..<length])) else {
        return .failed(wasCutOff() ? .changed : .noReader)
      }
      guard reply == .progress else { return reply }
      silentSeconds = 0
    }
    end()
    return .failed(.noReader)
  }

  /// Whether the reader, which has gone, ended because the file became shorter.
  private func wasCutOff() -> Bool {
    var status: Int32 = 0
    // It has ended already, unless it talks nonsense.
    kill(process, SIGKILL)
    let ended = waitpid(process, &status, 0)
    close(socket)
    (process, socket) = (0, -1)
    onProcess(0)
    return ended > 0 && status & 0x7f == SIGBUS
  }

  /// Ends the reader; it starts anew when it is asked again.
  func end() {
    guard process > 0 else { return }
    close(socket)
    kill(process, SIGKILL)
    lingering.append(process)
    (process, socket) = (0, -1)
    reap()
    onProcess(0)
  }

  /// It ends at once, unless it waits in the kernel for what may never come.
  private func reap() {
    for _ in 0..<20 {
      lingering.removeAll { waitpid($0, nil, WNOHANG) != 0 }
      if lingering.isEmpty { return }
      usleep(5000)
    }
  }

  private func start() -> Bool {
    guard process == 0 else { return true }
    lingering.removeAll { waitpid($0, nil, WNOHANG) != 0 }
    guard lingering.count < Self.lingeringMax else { return false }
    var ends: [Int32] = [-1, -1]
    let type = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { return false }
    defer { close(ends[1]) }
    guard let child = spawn(ends[1]) else {
      close(ends[0])
      return false
    }
    (process, socket) = (child, ends[0])
    startCount += 1
    onProcess(child)
    return true
  }

  private func spawn(_ input: Int32) -> pid_t? {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var arguments: [UnsafeMutablePointer<CChar>?] = program.arguments.map { strdup($0) } + [nil]
    defer { arguments.forEach { free($0) } }
    var environment: [UnsafeMutablePointer<CChar>?] = [nil]
    var child: pid_t = 0
    return posix_spawn(&child, program.path, &actions, &attributes, &arguments, &environment) == 0 ? child : nil
  }
}
