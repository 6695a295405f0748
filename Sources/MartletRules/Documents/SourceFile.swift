// SPDX-License-Identifier: Apache-2.0

/// One rule file, already read.
public struct SourceFile: Sendable {
  /// As diagnostics show it.
  public let path: String
  public let bytes: [UInt8]

  public init(path: String, bytes: [UInt8]) {
    self.path = path
    self.bytes = bytes
  }

  public init(path: String, text: String) {
    self.init(path: path, bytes: Array(text.utf8))
  }
}

/// A place in a rule file. Lines and columns count from 1, columns in characters (Unicode scalars).
public struct SourceLocation: Hashable, Sendable {
  public let path: String
  public let line: Int
  public let column: Int
  /// Bytes before it in the file.
  public let offset: Int

  public init(path: String, line: Int, column: Int, offset: Int) {
    self.path = path
    self.line = line
    self.column = column
    self.offset = offset
  }
}

extension SourceLocation: CustomStringConvertible {
  public var description: String { "\(path):\(line):\(column)" }
}

/// A stretch of a rule file.
public struct SourceSpan: Hashable, Sendable {
  public let start: SourceLocation
  /// The first place behind it. It may lie on a later line.
  public let end: SourceLocation

  public init(start: SourceLocation, end: SourceLocation) {
    self.start = start
    self.end = end
  }

  public var path: String { start.path }
  public var line: Int { start.line }
  public var column: Int { start.column }
  public var offsets: Range<Int> { start.offset..<max(start.offset, end.offset) }
}
