// SPDX-License-Identifier: Apache-2.0

/// One line of a file as it is shown: tabs as blanks, control characters replaced, and of a very long line only a part.
struct LineView {
  let text: String
  /// Nothing was left out.
  let isWhole: Bool
  /// The number of the line.
  private let line: Int
  /// Characters of the line before those that are shown.
  private let skipped: Int

  /// The longest line that is shown whole.
  private static let charactersMax = 200

  /// `column`: what has to be visible; it counts from 1.
  init(_ index: LineIndex, line: Int, around column: Int) {
    self.line = line
    let bytes = index.line(line)
    if bytes.count <= Self.charactersMax {
      skipped = 0
      isWhole = true
      text = Self.shown(bytes)
    } else {
      let first = max(1, column - Self.charactersMax / 2)
      let start = index.offset(line: line, column: first)
      let end = min(index.offset(line: line, column: first + Self.charactersMax), bytes.endIndex)
      skipped = first - 1
      isWhole = false
      text = Self.shown(bytes[min(start, end)..<end])
    }
  }

  /// Whether the line goes on with something that began further up: then the lines before it are shown too. A line
  /// that has a key or begins an item speaks for itself.
  var needsContext: Bool {
    guard isWhole, line > 1 else { return false }
    let bytes = Array(text.utf8.drop { $0 == .space })
    guard let first = bytes.first, first != .dash else { return false }
    let word = bytes.prefix { $0.isWord || $0 == .dash }
    return bytes.byte(at: word.count) != .colon
  }

  /// Where a span begins in `text`, from 0, and how much of it is visible there.
  func columns(of span: SourceSpan, atLeast widthMin: Int = 1) -> (column: Int, width: Int) {
    let length = text.unicodeScalars.count
    let start = min(max(span.start.column - 1 - skipped, 0), length)
    let isOneLine = span.end.line == span.start.line
    let end = isOneLine ? min(span.end.column - 1 - skipped, length) : length
    return (start, max(widthMin, end - start))
  }

  static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    // C0 and C1, and the marks that turn the direction of text around.
    scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || (0x202a...0x202e).contains(scalar.value)
      || (0x2066...0x2069).contains(scalar.value)
  }

  private static func shown(_ bytes: ArraySlice<UInt8>) -> String {
    var result = String.UnicodeScalarView()
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
      result.append(scalar == "\t" ? " " : isControl(scalar) ? "\u{fffd}" : scalar)
    }
    return String(result)
  }
}
