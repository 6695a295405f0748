// SPDX-License-Identifier: Apache-2.0

/// Texts that were meant as names of lists: a slip in a name makes a text of it, and the list is not looked at.
enum ListSpelling {
  private static let bytesMin = 6
  private static let bytesMax = 64
  private static let distanceMax = 2

  /// Names of lists have words joined by `_`, and what rules look for on a system rarely has.
  static func isLikeName(_ text: [UInt8]) -> Bool {
    (bytesMin...bytesMax).contains(text.count) && text.contains(.underscore)
      && text.allSatisfy { $0.isWord || $0 == UInt8(ascii: "-") }
  }

  static func isNear(_ text: String, _ name: String) -> Bool {
    let (left, right) = (Array(text.utf8), Array(name.utf8))
    guard abs(left.count - right.count) <= distanceMax else { return false }
    return (1...distanceMax).contains(Spelling.distance(left, right))
  }

  static func itemCounts(_ library: Library) -> [String: Int] {
    library.lists.reduce(into: [:]) { counts, slot in
      for item in slot.definition.items where isLikeName(item.bytes) { counts[item.string, default: 0] += 1 }
    }
  }
}

extension Analyzer {
  /// A text without quotes that is almost a list's name. One that lists have in several places is meant as it is.
  mutating func warnOfListName(_ value: ConditionSyntax.Value, _ scope: Scope) {
    guard !value.isQuoted, ListSpelling.isLikeName(value.bytes) else { return }
    let text = value.bytes.string
    let item = scope.item(at: value.range.lowerBound)
    let place = item ?? scope.place(value.range)
    guard library.listIndex[text] == nil, itemCounts[text, default: 0] <= (item == nil ? 0 : 1), !isQuoted(place),
      toldTexts.insert(place).inserted, nameComparisonsLeft > library.lists.count
    else { return }
    nameComparisonsLeft -= library.lists.count
    guard let name = library.listIndex.keys.filter({ ListSpelling.isNear(text, $0) }).min() else { return }
    report(
      .misspelledList, "'\(text)' is compared as a text, and there is a list '\(name)'", value.range,
      "the text itself", in: scope, related: item.map { [SourceLabel(log.span($0), "this item")] } ?? [],
      help: Suggestion.didYouMean(name, replacing: log.span(place)), saysUpstream: false)
  }

  /// In the file, where quotes of YAML stand around an item.
  private func isQuoted(_ place: FileRange) -> Bool {
    let before = log.indexes[place.source].bytes.byte(at: place.range.lowerBound - 1)
    return before == .quote || before == .apostrophe
  }
}
