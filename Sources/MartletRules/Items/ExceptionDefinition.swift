// SPDX-License-Identifier: Apache-2.0

/// One entry of a rule's `exceptions`: what the rule does not fire for. Texts know where they stand.
struct ExceptionDefinition: Sendable {
  let name: MappedText
  /// Where the entry begins.
  let place: FileRange
  let fields: [MappedText]
  /// One for each field; nil for the default.
  let comparisons: [MappedText]?
  /// `fields` was written as a text, so that each value is one and not a tuple.
  let hasOneField: Bool
  /// As they were written: their shapes are looked at when the rule is compiled.
  var values: [YAMLNode]
}

/// The exceptions of a rule, in order. Values can be appended to the first of a name.
struct ExceptionTable: Sendable {
  private(set) var items: [ExceptionDefinition] = []
  private var index: [[UInt8]: Int] = [:]

  mutating func append(_ item: ExceptionDefinition) {
    if index[item.name.bytes] == nil { index[item.name.bytes] = items.count }
    items.append(item)
  }

  func contains(_ name: MappedText) -> Bool { index[name.bytes] != nil }

  mutating func append(values: [YAMLNode], to name: MappedText) {
    if let place = index[name.bytes] { items[place].values += values }
  }
}

extension ExceptionDefinition {
  /// The exception as the condition that it stands for, in the language of conditions: tuples joined by `or`, the
  /// fields of each by `and`. As in Falco its parts are joined as texts: a value with a blank in it gets quotes, and
  /// everything else means what it would mean in a condition. Nil if a value is of the wrong shape, which is
  /// reported, or if there are none: then it excepts nothing.
  func condition(_ isBroken: inout Bool, _ log: inout DiagnosticLog) -> MappedText? {
    guard !values.isEmpty else { return nil }
    var text = MappedText(anchor: name.file)
    if hasOneField {
      for value in values {
        guard case .sequence = value.content else { continue }
        isBroken = true
        reject(
          value, "the values of an exception of one field are texts", "\(value.kindName), not a text",
          words: "Expected values array to contain a list of strings", &log)
      }
      appendComparison(0, values.map(\.exceptionText), isList: true, to: &text)
      return isBroken ? nil : text
    }
    for (number, value) in values.enumerated() {
      guard case .sequence(let elements) = value.content, elements.count == fields.count else {
        isBroken = true
        let found = if case .sequence(let elements) = value.content { "has \(elements.count)" } else { value.kindName }
        reject(
          value, "each of the values is a list of \(fields.count), one for each field", found,
          words: "Fields and values lists must have equal length", &log)
        continue
      }
      if number > 0 { text.append(" or ", near: fields[0].file) }
      for (field, element) in elements.enumerated() {
        if field > 0 { text.append(" and ", near: fields[field].file) }
        appendElement(field, element, to: &text)
      }
    }
    return isBroken ? nil : text
  }

  private func appendElement(_ field: Int, _ element: YAMLNode, to text: inout MappedText) {
    guard case .sequence(let nodes) = element.content else {
      return appendComparison(field, [element.exceptionText], isList: false, to: &text)
    }
    appendComparison(field, nodes.map(\.exceptionText), isList: true, to: &text)
  }

  private func appendComparison(_ field: Int, _ values: [MappedText], isList: Bool, to text: inout MappedText) {
    let place = fields[field].file
    text.join(fields[field])
    text.append(" ", near: place)
    let word = comparisons?[field].string ?? (hasOneField ? "in" : "=")
    if let comparisons { text.join(comparisons[field]) } else { text.append(word, near: place) }
    text.append(" ", near: place)
    if !isList, let value = values.first {
      guard ExceptionComparison(word).takesList else { return value.appendAsValue(to: &text) }
      // One value for an operator that takes several; it may have parentheses of its own.
      if value.bytes.first == .openParenthesis { return text.join(value) }
      text.append("(", near: place)
      text.join(value)
      return text.append(")", near: place)
    }
    text.append("(", near: place)
    for (number, value) in values.enumerated() {
      if number > 0 { text.append(", ", near: place) }
      value.appendAsValue(to: &text)
    }
    text.append(")", near: place)
  }

  private func reject(
    _ node: YAMLNode, _ message: String, _ label: String, words: String, _ log: inout DiagnosticLog
  ) {
    log.report(
      .invalidException, message, at: node.scalar == nil ? node.firstByte : node.file, label, words: words,
      detail: LoadLocation(.exception, name.string, place))
  }
}

/// One of an exception's `comps`: an operator, and perhaps a quantifier.
struct ExceptionComparison {
  let symbol: OperatorSymbol?
  let quantifier: Quantifier?
  /// An operator, and nothing behind it that is no quantifier of it. `exists` is one, too: without values it does no harm.
  let isValid: Bool

  init(_ text: String) {
    let words = text.split { $0 == " " || $0 == "\t" }
    symbol = words.first.flatMap { OperatorSymbol(rawValue: String($0)) }
    quantifier = words.count == 2 ? Quantifier(rawValue: String(words[1])) : nil
    let isQuantified = quantifier != nil && symbol?.shape == .text
    isValid = symbol != nil && (words.count == 1 || isQuantified)
  }

  var takesList: Bool { symbol?.shape == .list || quantifier != nil }
}

extension MappedText {
  /// As it is, in quotes if it has a blank and brings none itself. Quotes in it are not escaped, as in Falco.
  func appendAsValue(to result: inout MappedText) {
    let needsQuotes = bytes.contains(.space) && bytes[0] != .quote && bytes[0] != .apostrophe
    guard needsQuotes else { return result.join(self) }
    result.append("\"", near: file)
    result.join(self)
    result.append("\"", near: file)
  }
}
