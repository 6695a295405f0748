// SPDX-License-Identifier: Apache-2.0

/// A text that knows where in which file each of its bytes came from.
///
/// YAML joins lines, drops indentation and decodes escapes; mistakes have to be shown in the file all the same.
/// A text may have pieces of several files: definitions can be appended to.
struct MappedText: Sendable {
  private(set) var bytes: [UInt8] = []
  private(set) var pieces: [Piece] = []
  /// Where the text points when it is empty: the scalar's place in its file.
  var anchor: FileRange

  /// A stretch of text that stands in one stretch of a file: byte by byte when both are equally long, otherwise as a
  /// whole (an escape, a folded line break).
  struct Piece: Sendable {
    var textStart: Int
    var textCount: Int
    var file: FileRange

    var isVerbatim: Bool { textCount == file.range.count }
  }

  init(anchor: FileRange) { self.anchor = anchor }

  var string: String { bytes.string }
  var isEmpty: Bool { bytes.isEmpty }

  /// Appends the byte at `offset` of `file`, joining it to the piece before where it goes on from there.
  mutating func append(_ byte: UInt8, at offset: Int) {
    if let last = pieces.indices.last, pieces[last].isVerbatim, pieces[last].file.range.upperBound == offset {
      pieces[last].textCount += 1
      pieces[last].file.range = pieces[last].file.range.lowerBound..<offset + 1
    } else {
      let file = FileRange(source: anchor.source, range: offset..<offset + 1)
      pieces.append(Piece(textStart: bytes.count, textCount: 1, file: file))
    }
    bytes.append(byte)
  }

  /// Appends bytes that the file spells otherwise, in `range`.
  mutating func append(_ decoded: some Collection<UInt8>, for range: Range<Int>) {
    guard !decoded.isEmpty else { return }
    let file = FileRange(source: anchor.source, range: range)
    pieces.append(Piece(textStart: bytes.count, textCount: decoded.count, file: file))
    bytes.append(contentsOf: decoded)
  }

  /// Appends a byte that stands in one place of any file, or is spelled otherwise there.
  mutating func append(_ byte: UInt8, in place: FileRange) {
    pieces.append(Piece(textStart: bytes.count, textCount: 1, file: place))
    bytes.append(byte)
  }

  /// Appends what no file has: it is shown as `place`.
  mutating func append(_ words: String, near place: FileRange) {
    pieces.append(Piece(textStart: bytes.count, textCount: words.utf8.count, file: place))
    bytes += words.utf8
  }

  /// Appends a blank and another text, each byte of which stays where it stands.
  mutating func append(_ other: MappedText) {
    append(.space, in: other.file(0..<0))
    join(other)
  }

  /// Appends another text, each byte of which stays where it stands.
  mutating func join(_ other: MappedText) {
    for var piece in other.pieces {
      piece.textStart += bytes.count
      pieces.append(piece)
    }
    bytes += other.bytes
  }

  /// Where a stretch of the text stands. It may hold more than the stretch where lines were joined.
  func file(_ range: Range<Int>) -> FileRange {
    guard !pieces.isEmpty else { return anchor }
    let first = pieces[pieceIndex(of: range.lowerBound)]
    let lower = first.fileOffset(of: min(range.lowerBound, bytes.count))
    guard !range.isEmpty else { return FileRange(source: first.file.source, range: lower..<lower) }
    let last = pieces[pieceIndex(of: range.upperBound - 1)]
    let upper = last.fileEnd(of: min(range.upperBound, bytes.count) - 1)
    // Pieces of two files: what stands in the first is shown.
    guard last.file.source == first.file.source, upper >= lower else {
      return FileRange(source: first.file.source, range: lower..<max(lower, first.file.range.upperBound))
    }
    return FileRange(source: first.file.source, range: lower..<upper)
  }

  /// The text without blanks and line breaks around it.
  func trimmed() -> MappedText {
    let isBlank: (UInt8) -> Bool = { $0 == .space || $0 == .tab || $0.isLineBreak }
    let lower = bytes.firstIndex { !isBlank($0) } ?? bytes.count
    let upper = (bytes.lastIndex { !isBlank($0) } ?? lower - 1) + 1
    return slice(lower..<upper)
  }

  private func slice(_ range: Range<Int>) -> MappedText {
    guard range != 0..<bytes.count else { return self }
    var result = MappedText(anchor: anchor)
    result.join(self, range)
    return result
  }

  /// Appends a stretch of another text, each byte of which stays where it stands.
  mutating func join(_ other: MappedText, _ range: Range<Int>) {
    guard !range.isEmpty else { return }
    var index = other.pieceIndex(of: range.lowerBound)
    while index < other.pieces.count, other.pieces[index].textStart < range.upperBound {
      let piece = other.pieces[index]
      index += 1
      let lower = max(piece.textStart, range.lowerBound)
      let upper = min(piece.textStart + piece.textCount, range.upperBound)
      guard lower < upper else { continue }
      var part = piece
      part.textStart = bytes.count + lower - range.lowerBound
      part.textCount = upper - lower
      if piece.isVerbatim { part.file.range = piece.fileOffset(of: lower)..<piece.fileEnd(of: upper - 1) }
      pieces.append(part)
    }
    bytes += other.bytes[range]
  }

  /// Takes bytes away at the end.
  mutating func truncate(to count: Int) {
    guard count < bytes.count else { return }
    bytes.removeSubrange(count...)
    while let last = pieces.last, last.textStart >= count { pieces.removeLast() }
    guard let last = pieces.indices.last, pieces[last].textStart + pieces[last].textCount > count else { return }
    let piece = pieces[last]
    pieces[last].textCount = count - piece.textStart
    if piece.isVerbatim { pieces[last].file.range = piece.file.range.lowerBound..<piece.fileEnd(of: count - 1) }
  }

  /// The piece that holds a byte; the last one for what lies behind the end.
  private func pieceIndex(of textOffset: Int) -> Int {
    var low = 0
    var high = pieces.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if pieces[middle].textStart <= textOffset { low = middle } else { high = middle }
    }
    return low
  }
}

extension MappedText.Piece {
  fileprivate func fileOffset(of textOffset: Int) -> Int {
    if textOffset >= textStart + textCount { return file.range.upperBound }
    return isVerbatim ? file.range.lowerBound + (textOffset - textStart) : file.range.lowerBound
  }

  fileprivate func fileEnd(of textOffset: Int) -> Int {
    isVerbatim ? file.range.lowerBound + (textOffset - textStart) + 1 : file.range.upperBound
  }
}

/// A stretch of one of the files that are compiled together.
struct FileRange: Hashable, Sendable {
  /// Index in the list of sources.
  var source: Int
  var range: Range<Int>
}
