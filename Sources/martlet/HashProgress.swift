// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A bar on stderr while much is hashed: for people only, and only where it takes long enough to wonder.
final class HashProgress {
  private static let bytesMin: Int64 = 256 << 20
  private static let width = 30

  private let isShown = isatty(STDERR_FILENO) == 1
  private let start = ContinuousClock.now
  private var drawn: ContinuousClock.Instant?

  /// Bytes done, of all.
  func update(_ done: Int64, _ total: Int64) {
    guard isShown, total >= Self.bytesMin else { return }
    let now = ContinuousClock.now
    if done < total, let drawn, now - drawn < .milliseconds(100) { return }
    drawn = now
    guard done < total else { return write("\r\u{1B}[K", to: STDERR_FILENO) }
    let filled = Int(Double(Self.width) * Double(done) / Double(total))
    let bar = String(repeating: "=", count: filled) + ">" + String(repeating: " ", count: Self.width - filled)
    let seconds = Double((now - start).components.seconds) + Double((now - start).components.attoseconds) / 1e18
    let rate = seconds > 0 ? Double(done) / seconds : 0
    let left = rate > 0 ? Int(Double(total - done) / rate) : 0
    let line =
      "hashing [\(bar)] \(done * 100 / total)%  \(VerifyReport.size(done)) of \(VerifyReport.size(total))  "
      + "\(VerifyReport.size(Int64(rate)))/s  \(left) s left"
    write("\r" + line + "\u{1B}[K", to: STDERR_FILENO)
  }
}
