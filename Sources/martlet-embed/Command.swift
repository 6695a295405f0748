// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Turns files into Swift source that carries them, for the build plugins.
///
/// In: paths on the command line. Out: one Swift file. Without Foundation, as it is built for every clean build and
/// what it writes must not need it either.
@main
enum Command {
  static let usage = """
    usage: martlet-embed object CLANG OBJCOPY SOURCE DEFINITION,… NAME OUTPUT
           martlet-embed texts NAME FOLDER SUFFIX EXCLUDED OUTPUT
           martlet-embed bytes NAME FILE OUTPUT
    """

  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    do {
      switch arguments.first {
      case "object" where arguments.count == 7:
        try embedObject(
          compiler: arguments[1], objectCopier: arguments[2], source: arguments[3],
          definitions: arguments[4].split(separator: ",").map(String.init),
          name: arguments[5], output: arguments[6])
      case "texts" where arguments.count == 6:
        try embedTexts(
          name: arguments[1], folder: arguments[2], suffix: arguments[3], excluded: arguments[4],
          output: arguments[5])
      case "bytes" where arguments.count == 4:
        try embedBytes(name: arguments[1], file: arguments[2], output: arguments[3])
      default:
        fail(usage, status: 2)
      }
    } catch {
      fail("error: \(error)", status: 1)
    }
  }

  private static func fail(_ message: String, status: Int32) -> Never {
    let line = Array((message + "\n").utf8)
    _ = write(STDERR_FILENO, line, line.count)
    exit(status)
  }
}

/// Why a file could not be embedded.
struct EmbedError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }

  /// For a call that has just failed with an errno.
  init(operation: String, path: String) {
    description = "cannot \(operation) '\(path)': \(String(cString: strerror(errno)))"
  }
}
