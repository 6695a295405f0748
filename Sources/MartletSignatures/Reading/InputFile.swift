// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Files that the operator names: bundles, keys, lists.
public enum InputFile {
  /// The whole of a file, or a refusal with `tooLarge` where it holds more than `bytesMax`. Pipes are fine.
  public static func read(_ path: String, bytesMax: Int, tooLarge: Refusal.Reason) throws(Refusal) -> [UInt8] {
    let file = OpenFile(open(path, O_RDONLY | O_CLOEXEC))
    guard file.descriptor >= 0 else { throw unreadable(path) }
    var bytes: [UInt8] = []
    let pieceBytes = 64 << 10
    while bytes.count <= bytesMax {
      var problem: Int32 = 0
      let piece = [UInt8](unsafeUninitializedCapacity: pieceBytes) { buffer, count in
        let result = Glibc.read(file.descriptor, buffer.baseAddress, pieceBytes)
        problem = result < 0 ? errno : 0
        count = max(0, result)
      }
      guard problem != EINTR else { continue }
      guard problem == 0 else {
        errno = problem
        throw unreadable(path)
      }
      guard !piece.isEmpty else { return bytes }
      bytes += piece
    }
    throw Refusal(tooLarge, "'\(path)'")
  }

  private static func unreadable(_ path: String) -> Refusal {
    Refusal(.inputUnreadable, "'\(path)': \(String(cString: strerror(errno)))")
  }
}
