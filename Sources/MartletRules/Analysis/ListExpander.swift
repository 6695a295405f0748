// SPDX-License-Identifier: Apache-2.0

/// Puts the items of lists in the place of their names, before a condition is read: as in Falco a list is text, and
/// its name is replaced wherever it stands between blanks, parentheses, commas and `=`, in quotes, too.
///
/// Lists take turns in the order of their definition: an item that names a later list is replaced in its turn, one
/// that names an earlier list stays a text.
struct ListExpander {
  private let library: Library
  private let itemsMax: Int
  private let depthMax: Int
  /// Items that all conditions together may still take.
  private var budget: Int
  private var depth = 0
  /// Items with those of lists in them, one level deep.
  private var items: [[MappedText]?]
  private(set) var isUsed: [Bool]
  /// Lists whose names have several words, by the first: such a name is warned of, and works.
  private var spacedNames: [[UInt8]: [Int]] = [:]
  /// Items that turned out to name an earlier list.
  private var textsThatNameLists: [FileRange: String] = [:]
  private var toldTexts: Set<FileRange> = []

  /// A condition with all lists in it.
  struct Expanded {
    var text: MappedText
    /// What came from lists, in the order of the text.
    fileprivate(set) var origins: [Origin] = []
    /// There are more items than a condition may have; the text is not whole.
    var isTooLarge = false

    struct Origin {
      let range: Range<Int>
      /// Where the item stands in its list.
      let item: FileRange
    }

    init(_ text: MappedText) { self.text = text }

    /// The list's item that stands at an offset of the text; nil for what the condition has itself.
    func item(at offset: Int) -> FileRange? {
      var (low, high) = (0, origins.count)
      while low < high {
        let middle = (low + high) / 2
        if origins[middle].range.upperBound <= offset { low = middle + 1 } else { high = middle }
      }
      return low < origins.count && origins[low].range.contains(offset) ? origins[low].item : nil
    }
  }

  init(_ library: Library, _ limits: Limits) {
    self.library = library
    itemsMax = limits.conditionSize
    depthMax = limits.conditionDepth
    budget = limits.rulesetSize
    items = Array(repeating: nil, count: library.lists.count)
    isUsed = Array(repeating: false, count: library.lists.count)
    for (index, slot) in library.lists.enumerated() {
      let words = slot.definition.name.bytes.split(omittingEmptySubsequences: false, whereSeparator: Self.isDelimiter)
      if words.count > 1, let first = words.first, !first.isEmpty {
        spacedNames[Array(first), default: []].append(index)
      }
      // One list in another is used, whether that one is or not.
      for item in slot.definition.items {
        if let inner = library.listIndex[item.string], slot.sees(library.lists[inner]) { isUsed[inner] = true }
      }
    }
  }

  /// Items that turned out to name an earlier list since this was asked for last, in the order of their places.
  mutating func takeTextsThatNameLists() -> [(place: FileRange, name: String)] {
    guard !textsThatNameLists.isEmpty else { return [] }
    let found = textsThatNameLists.filter { toldTexts.insert($0.key).inserted }
    textsThatNameLists = [:]
    return found.map { (place: $0.key, name: $0.value) }.sorted {
      $0.place.range.lowerBound < $1.place.range.lowerBound
    }
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == .space || byte == .tab || byte.isLineBreak }

  private static func isDelimiter(_ byte: UInt8) -> Bool {
    isBlank(byte) || byte == .openParenthesis || byte == .closeParenthesis || byte == .comma || byte == .equals
  }

  mutating func expand(_ text: MappedText) -> Expanded {
    guard !library.lists.isEmpty else { return Expanded(text) }
    var result = Expanded(MappedText(anchor: text.anchor))
    var itemCount = 0
    guard expand(text, after: -1, near: nil, into: &result, &itemCount) else { return Expanded(text) }
    return result
  }

  /// Copies a text, lists behind `after` expanded; false if it has none. `origin`: where the name stands whose items
  /// these are, and the item's place.
  private mutating func expand(
    _ text: MappedText, after: Int, near origin: (name: FileRange, item: FileRange)?, into result: inout Expanded,
    _ itemCount: inout Int
  ) -> Bool {
    var position = 0
    var copied = 0
    var hasLists = false
    while position < text.bytes.count {
      guard !Self.isDelimiter(text.bytes[position]) else {
        position += 1
        continue
      }
      var end = text.bytes[position...].firstIndex(where: Self.isDelimiter) ?? text.bytes.count
      guard let list = list(named: text.bytes, position, &end, after: after, origin?.item) else {
        position = end
        continue
      }
      hasLists = true
      isUsed[list] = true
      copy(text, copied..<position, origin, into: &result)
      put(list, at: origin?.name ?? text.file(position..<end), isFirst: position == 0, into: &result, &itemCount)
      guard !result.isTooLarge else { return true }
      position = end
      while position < text.bytes.count, Self.isBlank(text.bytes[position]) { position += 1 }
      if items(of: list).allSatisfy(\.isEmpty) { skipComma(text, &position, in: &result) }
      copied = position
    }
    guard hasLists || origin != nil else { return false }
    copy(text, copied..<text.bytes.count, origin, into: &result)
    return true
  }

  /// The list that is named at a position, if it has its turn.
  private mutating func list(
    named bytes: [UInt8], _ start: Int, _ end: inout Int, after: Int, _ item: FileRange?
  ) -> Int? {
    let word = Array(bytes[start..<end])
    for index in spacedNames[word] ?? [] where index > after {
      let name = library.lists[index].definition.name.bytes
      guard bytes[start...].starts(with: name) else { continue }
      let behind = start + name.count
      guard behind >= bytes.count || Self.isDelimiter(bytes[behind]) else { continue }
      end = behind
      return index
    }
    guard let index = library.listIndex[word.string] else { return nil }
    if index > after { return index }
    if let item, index < after { textsThatNameLists[item] = word.string }
    return nil
  }

  private func copy(
    _ text: MappedText, _ range: Range<Int>, _ origin: (name: FileRange, item: FileRange)?, into result: inout Expanded
  ) {
    guard let origin else { return result.text.join(text, range) }
    // What comes from a list is shown where the list is named.
    let start = result.text.bytes.count
    result.text.append(text.bytes[range].string, near: origin.name)
    result.origins.append(.init(range: start..<result.text.bytes.count, item: origin.item))
  }

  /// The items in place of the name, one blank on either side.
  private mutating func put(
    _ list: Int, at name: FileRange, isFirst: Bool, into result: inout Expanded, _ itemCount: inout Int
  ) {
    while let last = result.text.bytes.last, Self.isBlank(last) {
      result.text.truncate(to: result.text.bytes.count - 1)
    }
    if !isFirst || !result.text.isEmpty { result.text.append(" ", near: name) }
    var hasText = false
    for item in items(of: list) {
      itemCount += 1
      budget -= 1
      guard itemCount <= itemsMax, budget >= 0, depth < depthMax else {
        result.isTooLarge = true
        return
      }
      if hasText { result.text.append(", ", near: name) }
      var value = MappedText(anchor: item.anchor)
      item.appendAsValue(to: &value)
      depth += 1
      _ = expand(value, after: list, near: (name, item.file), into: &result, &itemCount)
      depth -= 1
      guard !result.isTooLarge else { return }
      hasText = hasText || !item.isEmpty
    }
    result.text.append(" ", near: name)
  }

  /// Nothing in the place of a name takes a comma beside it away.
  private func skipComma(_ text: MappedText, _ position: inout Int, in result: inout Expanded) {
    var end = result.text.bytes.count
    while end > 0, Self.isBlank(result.text.bytes[end - 1]) { end -= 1 }
    if end > 0, result.text.bytes[end - 1] == .comma {
      result.text.truncate(to: end - 1)
      result.text.append(" ", near: text.file(0..<0))
    } else if position < text.bytes.count, text.bytes[position] == .comma {
      position += 1
    }
  }

  /// The items of a list, those of lists defined before it in their place: one level, from their definitions.
  private mutating func items(of list: Int) -> [MappedText] {
    if let known = items[list] { return known }
    let slot = library.lists[list]
    var all: [MappedText] = []
    for item in slot.definition.items {
      if let inner = library.listIndex[item.string], slot.sees(library.lists[inner]) {
        all += library.lists[inner].definition.items
        budget -= library.lists[inner].definition.items.count
        // Beyond this no condition takes them.
        if all.count > itemsMax || budget < 0 { break }
      } else {
        all.append(item)
      }
    }
    items[list] = all
    return all
  }
}
