// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A bar on stderr while much is hashed: for people only, and only where it takes long enough to wonder. The line is empty
/// again when this goes, and when the program is interrupted.
final class HashProgress {
  private static let bytesMin: Int64 = 256 << 20
  private static let barWidths = 10...30
  private static let usualColumns = 80
  private static let empty: StaticString = "\r\u{1B}[K"

  private let isShown: Bool
  private let start = ContinuousClock.now
  private var drawn: ContinuousClock.Instant?

  /// `isWanted`: whether people read what comes of it.
  init(isWanted: Bool) {
    isShown = isWanted && isatty(STDERR_FILENO) == 1 && getenv("TERM").map { strcmp($0, "dumb") != 0 } ?? true
  }

  deinit {
    if drawn != nil { Self.clear() }
  }

  /// Bytes done, of all.
  func update(_ done: Int64, _ total: Int64) {
    guard isShown, total >= Self.bytesMin else { return }
    let now = ContinuousClock.now
    if let drawn, now - drawn < .milliseconds(100) { return }
    if drawn == nil { Self.clearOnSignals() }
    drawn = now
    let seconds = (now - start) / .seconds(1)
    let rate = seconds > 0 ? Double(done) / seconds : 0
    write("\r" + Self.line(done, total, rate, columns: Self.columns) + "\u{1B}[K", to: STDERR_FILENO)
  }

  /// What fits: a line that wraps is not overwritten by the next one. The last column stays free, as some terminals wrap
  /// upon it.
  private static func line(_ done: Int64, _ total: Int64, _ rate: Double, columns: Int) -> String {
    let share = padded("\(total > 0 ? done * 100 / total : 100)%", to: 4)
    let sizes = "\(share)  \(padded(VerifyReport.size(done), to: 8)) of \(VerifyReport.size(total))"
    let left = rate > 0 ? Int(Double(total - done) / rate) : 0
    let all = "\(sizes)  \(padded(VerifyReport.size(Int64(rate)), to: 8))/s  \(padded("\(left)", to: 4)) s left"
    let room = columns - 1
    for text in [all, sizes, share] {
      let width = min(room - "hashing [>] \(text)".count, barWidths.upperBound)
      guard width >= barWidths.lowerBound else { continue }
      let filled = total > 0 ? Int(Double(width) * Double(done) / Double(total)) : width
      let bar = String(repeating: "=", count: filled) + ">" + String(repeating: " ", count: width - filled)
      return "hashing [\(bar)] \(text)"
    }
    return ["hashing \(share)", share].first { $0.count <= room } ?? ""
  }

  /// So that the bar does not change its width while it grows.
  private static func padded(_ text: String, to count: Int) -> String {
    String(repeating: " ", count: max(0, count - text.count)) + text
  }

  /// Of the terminal as it is now; where it does not say, as the shell says.
  private static var columns: Int {
    var size = winsize()
    if ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
    return getenv("COLUMNS").flatMap { Int(String(cString: $0)) } ?? usualColumns
  }

  private static func clear() { _ = Glibc.write(STDERR_FILENO, empty.utf8Start, empty.utf8CodeUnitCount) }

  /// Whoever interrupts this gets an empty line, and the program ends as it would have.
  private static func clearOnSignals() {
    for number in [SIGINT, SIGTERM] {
      var action = sigaction()
      guard sigaction(number, nil, &action) == 0, action.__sigaction_handler.sa_handler == nil else { continue }
      action.__sigaction_handler.sa_handler = { number in
        HashProgress.clear()
        raise(number)
      }
      // By the raise, which takes effect at the return, the signal does what it did before.
      action.sa_flags = CInt(bitPattern: UInt32(SA_RESETHAND))
      sigaction(number, &action, nil)
    }
  }
}
