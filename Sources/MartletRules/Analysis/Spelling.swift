// SPDX-License-Identifier: Apache-2.0

/// Did-you-mean.
public enum Spelling {
  /// Longer words are not corrected: the distance costs their product.
  private static let wordBytesMax = 64

  /// The one of `candidates` that is spelled most alike, within an edit distance of a third of the word.
  public static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
    let wanted = Array(word.utf8)
    guard wanted.count <= wordBytesMax else { return nil }
    // Never the whole word: then nothing would be alike.
    let bound = min(max(1, wanted.count / 3), wanted.count - 1)
    var best: (distance: Int, candidate: String)?
    for candidate in candidates {
      let other = Array(candidate.utf8)
      guard abs(other.count - wanted.count) <= bound, other != wanted else { continue }
      let distance = distance(wanted, other)
      guard distance <= bound else { continue }
      // Equally near ones in the order of the alphabet, so that the answer does not depend on hashing.
      if let best, (best.distance, best.candidate) <= (distance, candidate) { continue }
      best = (distance, candidate)
    }
    return best?.candidate
  }

  /// Insertions, deletions, replacements and swaps of neighbours that make one word of the other.
  static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var beforeLast = [Int](repeating: 0, count: right.count + 1)
    var last = Array(0...right.count)
    for row in 0..<left.count {
      var current = [row + 1]
      current.reserveCapacity(right.count + 1)
      for column in 0..<right.count {
        let replaced = last[column] + (left[row] == right[column] ? 0 : 1)
        var cost = min(replaced, last[column + 1] + 1, current[column] + 1)
        if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
          cost = min(cost, beforeLast[column - 1] + 1)
        }
        current.append(cost)
      }
      (beforeLast, last) = (last, current)
    }
    return last[right.count]
  }
}
