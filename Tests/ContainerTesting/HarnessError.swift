// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What went wrong in the harness itself, as one line a test's failure can show.
public struct HarnessError: Error, CustomStringConvertible {
  public let description: String

  public init(_ description: String) {
    self.description = description
  }

  /// For a C call that failed: the operation and the system's word for why.
  static func system(_ operation: String, _ code: CInt) -> HarnessError {
    HarnessError("\(operation): \(String(cString: strerror(code)))")
  }
}
