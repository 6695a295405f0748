// SPDX-License-Identifier: Apache-2.0

/// One entry of a rule's `exceptions`: what the rule does not fire for. Texts know where they stand.
struct ExceptionDefinition: Sendable {
  let name: MappedText
  let fields: [MappedText]
  /// One for each field; nil for the default.
  let comparisons: [MappedText]?
  /// `fields` was written as a text, so that each value is one and not a tuple.
  let hasOneField: Bool
  /// Checked to have an element for each field.
  var tuples: [[Element]]

  /// What one field is compared with.
  enum Element: Sendable {
    case one(YAMLScalar)
    case several([YAMLScalar])
  }
}

extension ExceptionDefinition {
  /// The exception as the condition that it stands for, in the language of conditions: tuples joined by `or`, the
  /// fields of each by `and`. Nil if it has no values: then it excepts nothing.
  func condition() -> MappedText? {
    guard !tuples.isEmpty else { return nil }
    var text = MappedText(anchor: name.file)
    if hasOneField {
      appendComparison(0, .several(tuples.flatMap { $0.flatMap(\.scalars) }), to: &text)
      return text
    }
    for (number, tuple) in tuples.enumerated() {
      if number > 0 { text.append(" or ", near: fields[0].file) }
      for (field, element) in tuple.enumerated() {
        if field > 0 { text.append(" and ", near: fields[field].file) }
        appendComparison(field, element, to: &text)
      }
    }
    return text
  }

  private func appendComparison(_ field: Int, _ element: Element, to text: inout MappedText) {
    let place = fields[field].file
    text.join(fields[field])
    text.append(" ", near: place)
    let word: String
    if let comparisons {
      text.join(comparisons[field])
      word = comparisons[field].string
    } else {
      word = hasOneField ? "in" : "="
      text.append(word, near: place)
    }
    text.append(" ", near: place)
    switch element {
    case .one(let value) where !ExceptionComparison(word).takesList: value.appendAsValue(to: &text)
    default:
      text.append("(", near: place)
      for (number, value) in element.scalars.enumerated() {
        if number > 0 { text.append(", ", near: place) }
        value.appendAsValue(to: &text)
      }
      text.append(")", near: place)
    }
  }
}

extension ExceptionDefinition.Element {
  var scalars: [YAMLScalar] {
    switch self {
    case .one(let scalar): [scalar]
    case .several(let scalars): scalars
    }
  }
}

/// One of an exception's `comps`: an operator, and perhaps a quantifier.
struct ExceptionComparison {
  let symbol: OperatorSymbol?
  let quantifier: Quantifier?
  /// An operator that takes a value, and nothing behind it that is no quantifier of it.
  let isValid: Bool

  init(_ text: String) {
    let words = text.split { $0 == " " || $0 == "\t" }
    symbol = words.first.flatMap { OperatorSymbol(rawValue: String($0)) }
    quantifier = words.count == 2 ? Quantifier(rawValue: String(words[1])) : nil
    let isQuantified = quantifier != nil && symbol?.shape == .text
    isValid = symbol != nil && symbol?.shape != .nothing && (words.count == 1 || isQuantified)
  }

  var takesList: Bool { symbol?.shape == .list || quantifier != nil }
}

extension YAMLScalar {
  /// As it is where a condition reads that as one value, and in quotes otherwise. What looks like a transformer is one,
  /// unless YAML has it in quotes.
  fileprivate func appendAsValue(to result: inout MappedText) {
    let bytes = text.bytes
    let isQuoted = bytes.count > 1 && bytes[0] == bytes[bytes.count - 1] && [.quote, .apostrophe].contains(bytes[0])
    let isBare = !bytes.isEmpty && bytes.allSatisfy(ConditionLexer.isBare)
    if isBare || isQuoted || (isPlain && looksLikeTransformer) { return result.join(text) }
    result.append("\"", near: text.file)
    for (offset, byte) in bytes.enumerated() {
      switch byte {
      case .quote: result.append("\\\"", near: text.file(offset..<offset + 1))
      // Not `\\`: a quoted text ends at a quote that no backslash precedes, whatever precedes that.
      case .backslash: result.append("\\x5c", near: text.file(offset..<offset + 1))
      default: result.append(byte, in: text.file(offset..<offset + 1))
      }
    }
    result.append("\"", near: text.file)
  }

  private var looksLikeTransformer: Bool {
    guard let open = text.bytes.firstIndex(of: .openParenthesis), text.bytes.last == .closeParenthesis else {
      return false
    }
    let name = text.bytes[..<open].string
    return TransformerNames.all.contains(name) || name == "val"
  }
}
