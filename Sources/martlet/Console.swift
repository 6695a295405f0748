// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Writes all of `text`. A reader that has gone is no failure of ours; a disk that is full is, and ends the program.
func write(_ text: String, to descriptor: Int32) {
  var bytes = Array(text.utf8)[...]
  while !bytes.isEmpty {
    let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    if count < 0 && errno == EINTR { continue }
    if count <= 0 && descriptor == STDOUT_FILENO && errno != EPIPE {
      report(["cannot write to standard output: \(String(cString: strerror(errno)))"])
      exit(ExitStatus.failure.rawValue)
    }
    guard count > 0 else { return }
    bytes = bytes.dropFirst(count)
  }
}

/// `error: …` on stderr for each message, and what to do about it.
func report(_ messages: [String], help: [String] = []) {
  let lines = messages.map { "error: \($0)" } + help.map { "help: \($0)" }
  write(lines.joined(separator: "\n") + "\n", to: STDERR_FILENO)
}

/// Colour only where a person looks at it and has not asked for none.
func wantsColor(_ descriptor: Int32) -> Bool {
  isatty(descriptor) == 1 && getenv("NO_COLOR") == nil
}
