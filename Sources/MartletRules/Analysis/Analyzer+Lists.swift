// SPDX-License-Identifier: Apache-2.0

/// One value of a list, or one written in a condition.
struct ListValue {
  let bytes: [UInt8]
  let isQuoted: Bool
  /// The item in the list's definition; nil for a value of the condition itself.
  let file: FileRange?
}

struct ResolvedList {
  var values: [ListValue]
}

/// Lists. In Falco the name of a list is replaced by its items before a condition is read; here the name stays where
/// it is, so that mistakes can be shown there, and stands for the same values.
extension Analyzer {
  /// What a value of a condition stands for: itself, or the items of the list it names. Nil if that list is broken.
  mutating func resolved(_ value: ConditionSyntax.Value) -> [ListValue]? {
    guard !value.isQuoted, let index = library.listIndex[value.bytes.string] else {
      return [ListValue(bytes: value.bytes, isQuoted: value.isQuoted, file: nil)]
    }
    return resolvedList(index)
  }

  mutating func resolvedList(_ index: Int) -> [ListValue]? {
    if let list = lists[index] { return list.values }
    let slot = library.lists[index]
    var values: [ListValue] = []
    for item in slot.definition.items {
      guard let inner = library.listIndex[item.string], slot.sees(library.lists[inner]) else {
        if let value = listValue(item) { values.append(value) }
        continue
      }
      // Used, even if only through this list.
      if lists[inner] == nil { _ = resolvedList(inner) }
      values += oneLevel(of: inner, in: slot.definition)
      guard values.count <= limits.conditionSize else {
        log.report(
          .conditionTooLarge, "list '\(slot.definition.name.string)' has more than \(limits.conditionSize) items",
          at: item.file, "lists in it included")
        break
      }
    }
    lists[index] = ResolvedList(values: values)
    return values
  }

  /// The items of a list inside another one. Falco expands one level: names of lists in them stay texts.
  private mutating func oneLevel(of inner: Int, in outer: ListDefinition) -> [ListValue] {
    let slot = library.lists[inner]
    return slot.definition.items.compactMap { item in
      if let deeper = library.listIndex[item.string], slot.sees(library.lists[deeper]) {
        log.report(
          .nestedListAsText,
          "list '\(item.string)' is taken as a text in '\(outer.name.string)', two levels further out",
          at: item.file, "expanded here only",
          help: [Suggestion("name '\(item.string)' in '\(outer.name.string)' as well")])
      }
      return listValue(item)
    }
  }

  /// An item as the value it is. One that brings its own quotes is read like a quoted text of a condition.
  private mutating func listValue(_ item: MappedText) -> ListValue? {
    guard let first = item.bytes.first, first == .quote || first == .apostrophe else {
      return ListValue(bytes: item.bytes, isQuoted: false, file: item.file)
    }
    var lexer = ConditionLexer(item.bytes)
    let value = lexer.quoted()
    guard lexer.problems.isEmpty, lexer.isAtEnd else {
      log.report(
        .unclosedQuote, "a list item with quotes of its own is not one quoted text", at: item.file,
        "begins with a quote", help: [Suggestion("leave the inner quotes out; blanks need none in a list")])
      return nil
    }
    return ListValue(bytes: value.bytes, isQuoted: true, file: item.file)
  }
}
