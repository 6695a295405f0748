// SPDX-License-Identifier: Apache-2.0

/// Block scalars: `|` keeps lines, `>` folds them.
extension YAMLReader {
  private enum Chomping { case clip, strip, keep }

  private struct BlockHeader {
    var isFolded = false
    var chomping = Chomping.clip
    var indent: Int?
  }

  mutating func blockScalar(parentIndent: Int) throws(YAMLProblem) -> YAMLNode {
    let start = position
    let header = try blockHeader(parentIndent: parentIndent)
    let indent = header.indent ?? detectIndent(atLeast: max(parentIndent + 1, 1))
    var text = MappedText(anchor: FileRange(source: source, range: start..<position))
    var end = position
    // Breaks that wait for the next line to say what they amount to: the one that ended the last line of text, and
    // those of empty lines behind it.
    var lineEnd: Range<Int>?
    var emptyLines = emptyLines(indent)
    var previousWasIndented = false
    while position < bytes.count, column == indent, peek()?.isLineBreak == false {
      let isIndented = peek() == .space || peek() == .tab
      if let lineEnd {
        let folds = header.isFolded && !previousWasIndented && !isIndented
        if !folds {
          text.append(CollectionOfOne(.newline), for: lineEnd)
        } else if emptyLines.isEmpty {
          text.append(CollectionOfOne(.space), for: lineEnd)
        }
      }
      for emptyLine in emptyLines { text.append(CollectionOfOne(.newline), for: emptyLine) }
      previousWasIndented = isIndented
      while let byte = peek(), !byte.isLineBreak {
        text.append(byte, at: position)
        position += 1
      }
      end = position
      let lineBreak = position
      lineEnd = skipLineBreak() ? lineBreak..<position : nil
      emptyLines = self.emptyLines(indent)
    }
    if header.chomping != .strip, let lineEnd { text.append(CollectionOfOne(.newline), for: lineEnd) }
    if header.chomping == .keep {
      for emptyLine in emptyLines { text.append(CollectionOfOne(.newline), for: emptyLine) }
    }
    return node(.scalar(YAMLScalar(text: text, isPlain: false)), start..<end)
  }

  private mutating func blockHeader(parentIndent: Int) throws(YAMLProblem) -> BlockHeader {
    var header = BlockHeader(isFolded: peek() == .greater)
    position += 1
    while let byte = peek(), byte == .plus || byte == .dash || byte.isDigit {
      if byte.isDigit {
        guard byte != UInt8(ascii: "0") else {
          throw problem("an indentation of nothing", at: position, "1 to 9")
        }
        header.indent = max(parentIndent, 0) + Int(byte - UInt8(ascii: "0"))
      } else {
        header.chomping = byte == .plus ? .keep : .strip
      }
      position += 1
    }
    skipBlanks()
    if peek() == .hash, isBlankOrEnd(position - 1) { skipLine() }
    guard position == bytes.count || skipLineBreak() else {
      throw problem(
        "text on the line of '>' or '|'", at: position, "not expected here", help: "begin the text on the next line")
    }
    return header
  }

  /// The indentation of the first line that has text; the position stays.
  private func detectIndent(atLeast minimum: Int) -> Int {
    var probe = self
    var deepest = minimum
    while true {
      while probe.peek() == .space { probe.position += 1 }
      deepest = max(deepest, probe.column)
      guard probe.skipLineBreak() else { return max(probe.position < bytes.count ? probe.column : 0, minimum) }
    }
  }

  /// Steps over empty lines and the indentation of the line behind them; returns the breaks of the empty ones.
  private mutating func emptyLines(_ indent: Int) -> [Range<Int>] {
    var breaks: [Range<Int>] = []
    while true {
      let lineStart = position
      while peek() == .space, position - lineStart < indent { position += 1 }
      let lineBreak = position
      guard skipLineBreak() else { return breaks }
      breaks.append(lineBreak..<position)
    }
  }
}
