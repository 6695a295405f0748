// SPDX-License-Identifier: Apache-2.0

/// Block scalars: `|` keeps lines, `>` folds them. The value says which breaks became what, so that neither the
/// indicators nor YAML's rules for lines that are indented further have to be known here.
extension ScalarScanner {
  mutating func block() -> Int? {
    guard peek() == .pipe || peek() == .greater else { return nil }
    skipLine()
    var end = position
    guard skipLineBreak() != nil, let indent = indent() else { return end }
    // Since the last line with text: the break that ended it, and those of empty lines behind it.
    var breaks: [Range<Int>] = []
    while text.bytes.count < value.count {
      let lineStart = position
      while peek() == .space, position - lineStart < indent { position += 1 }
      if let lineBreak = skipLineBreak() {
        breaks.append(lineBreak)
        continue
      }
      append(breaks)
      guard text.bytes.count < value.count, position < bytes.count else { break }
      while let byte = peek(), !byte.isLineBreak { copy() }
      end = position
      breaks = skipLineBreak().map { [$0] } ?? []
    }
    return end
  }

  /// How far the text is indented: blanks that stand in the file and not in the value. Nil if there is no text.
  private func indent() -> Int? {
    var probe = self
    repeat {
      let lineStart = probe.position
      while probe.peek() == .space { probe.position += 1 }
      if probe.peek()?.isLineBreak == false {
        let spaces = value.drop { $0 == .newline }.prefix { $0 == .space }.count
        return max(probe.position - lineStart - spaces, 0)
      }
    } while probe.skipLineBreak() != nil
    return nil
  }

  /// Appends what the value has made of line breaks: a blank of a single one, or a line feed of each, of each but the
  /// first, or at the end of as many as are kept.
  private mutating func append(_ breaks: [Range<Int>]) {
    let rest = value[text.bytes.count...]
    let count = rest.prefix { $0 == .newline }.count
    if count == 0, breaks.count == 1, rest.first == .space {
      text.append(CollectionOfOne(.space), for: breaks[0])
    } else {
      let kept = count == rest.count ? breaks.prefix(count) : breaks.suffix(count)
      for lineBreak in kept { text.append(CollectionOfOne(.newline), for: lineBreak) }
    }
  }
}
