// SPDX-License-Identifier: Apache-2.0

/// What a rule writes behind a field: `proc.aname[2]`, `proc.env[HOME]`, `evt.arg.flags`.
public enum FieldArgument: Hashable, Sendable {
  case none
  /// Not negative.
  case index(Int)
  case key([UInt8])
}

/// The same as the hot path carries it: a trivial value, whose key somebody else keeps.
///
/// Fields that have several values at once are asked for them by index: the ancestors from 1, the ends of a connection
/// as 0 and 1, the names of one thing from 0.
public enum FieldSelector {
  case whole
  case index(Int)
  case key(ByteView)

  /// For a field whose whole value is the one at 0: `proc.aname[0]` is the process itself.
  public var index: Int { if case .index(let index) = self { index } else { 0 } }
}

extension FieldArgument {
  public init(_ selector: FieldSelector) {
    switch selector {
    case .whole: self = .none
    case .index(let index): self = .index(index)
    case .key(let key): self = .key(key.array)
    }
  }

  /// Hands out the selector that says the same; it holds within `body` only.
  public func withSelector<Result>(_ body: (FieldSelector) -> Result) -> Result {
    switch self {
    case .none: return body(.whole)
    case .index(let index): return body(.index(index))
    case .key(let key):
      return key.withUnsafeBufferPointer { bytes in
        body(.key(bytes.baseAddress.map { ByteView(start: $0, count: bytes.count) } ?? .empty))
      }
    }
  }
}
