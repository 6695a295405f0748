// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What this thread may do.
enum Privileges {
  private struct Header {
    var version: UInt32 = 0x2008_0522
    var thread: Int32 = 0
  }
  private struct Sets {
    var effective: UInt32 = 0
    var permitted: UInt32 = 0
    var inheritable: UInt32 = 0
  }
  private typealias Call = @convention(c) (UnsafeMutableRawPointer, UnsafeMutableRawPointer) -> Int32

  /// Runs `body` on a thread without any capability in effect, which all others keep.
  static func without<Result>(_ body: () throws -> Result) rethrows -> Result {
    var header = Header()
    var sets = [Sets(), Sets()]
    let (get, set) = (function("capget"), function("capset"))
    precondition(get(&header, &sets) == 0)
    var none = sets
    for index in none.indices { none[index].effective = 0 }
    precondition(set(&header, &none) == 0)
    defer { precondition(set(&header, &sets) == 0) }
    return try body()
  }

  private static func function(_ name: String) -> Call {
    unsafeBitCast(dlsym(nil, name), to: Call.self)
  }
}
