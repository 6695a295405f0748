// SPDX-License-Identifier: Apache-2.0

/// What Swift code outside tests must not do.
enum CodeChecks {
  /// Calls that bring in the world: time, environment, files, sockets, output. All of them belong to the edges. Without
  /// something opened there is nothing to read or write, so those, common names for methods of ours, are not here.
  static let impureCalls = [
    "clock_gettime", "clock_getres", "gettimeofday", "time", "localtime", "localtime_r", "getenv", "setenv", "open",
    "openat", "fopen", "socket", "socketpair", "pipe", "ioctl", "getpid", "print", "debugPrint", "syslog",
  ]
  static let impureTypes = [
    "ContinuousClock", "SuspendingClock", "SystemRandomNumberGenerator", "Date", "ProcessInfo", "FileManager", "Task",
  ]

  /// The pure core replays: nothing in it may depend on when or where it runs.
  static func purity(_ file: SourceFile) -> [Finding] {
    guard let target = file.target, ImportMap.pureCore.contains(target), file.language == .swift else { return [] }
    // A member (`Event.open(…)`) or a declaration of ours is not the C library's function.
    let calls = #"(?:^|[^\w.`])(?:"# + impureCalls.joined(separator: "|") + #")\("#
    let types = #"\b(?:"# + impureTypes.joined(separator: "|") + #")\b(?=[.({])"#
    let code = TextChecks.withoutMatches(of: #"\b(?:func|case)\s+\w+"#, in: file.code)
    return TextChecks.findings(of: calls, in: code, of: file) {
      "the pure core may not call '\($0.filter(isNamePart))'"
    }
      + TextChecks.findings(of: types, in: code, of: file) { "the pure core may not use '\($0)'" }
  }

  /// A failure is diagnosed, thrown or counted; a trap names the invariant that was broken.
  static func traps(_ file: SourceFile) -> [Finding] {
    guard !file.isTest, file.language == .swift else { return [] }
    return TextChecks.findings(of: #"[\w)\]]+!(?![=\w])"#, in: file.code, of: file) { match in
      "'\(match)' traps without saying why"
    }
  }

  private static func isNamePart(_ character: Character) -> Bool {
    character.isLetter || character.isNumber || character == "_"
  }
}
