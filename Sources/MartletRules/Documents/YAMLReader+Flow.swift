// SPDX-License-Identifier: Apache-2.0

/// Flow collections: `[a, b]` and `{key: value}`, over several lines if need be.
extension YAMLReader {
  mutating func flowNode() throws(YAMLProblem) -> YAMLNode {
    try enter()
    defer { leave() }
    let firstNode = nodeCount
    let anchor = try properties(parentIndent: -1, underKey: false)
    skipTrivia()
    let result: YAMLNode
    switch peek() {
    case .openBracket: result = try flowSequence()
    case .openBrace: result = try flowMapping()
    case .star: result = try alias()
    case .comma, .closeBracket, .closeBrace, .colon, nil: result = null(at: position)
    default: result = try scalar(parentIndent: -1, inFlow: true)
    }
    register(anchor, result, since: firstNode)
    return result
  }

  private mutating func flowSequence() throws(YAMLProblem) -> YAMLNode {
    let start = position
    position += 1
    var items: [YAMLNode] = []
    while try !closes(.closeBracket, openedAt: start) {
      let item = try flowNode()
      skipTrivia()
      if peek() == .colon {
        throw problem(.unsupportedYAML, "a key inside '[…]'", at: position, "use '{key: value}'")
      }
      items.append(item)
      try separator(before: .closeBracket, openedAt: start)
    }
    return node(.sequence(items), start..<position)
  }

  private mutating func flowMapping() throws(YAMLProblem) -> YAMLNode {
    let start = position
    position += 1
    var entries: [YAMLEntry] = []
    while try !closes(.closeBrace, openedAt: start) {
      let keyStart = position
      guard let key = try implicitKey(inFlow: true) else {
        throw problem("expected 'key: value'", range: keyStart..<max(position, keyStart), "not followed by ':'")
      }
      let value = try flowNode()
      entries.append(YAMLEntry(key: key, value: value))
      skipTrivia()
      try separator(before: .closeBrace, openedAt: start)
    }
    return node(.mapping(entries), start..<position)
  }

  /// Steps over the closing bracket if that comes next.
  private mutating func closes(_ close: UInt8, openedAt start: Int) throws(YAMLProblem) -> Bool {
    skipTrivia()
    guard let byte = peek() else { throw unclosed(start) }
    if byte == close { position += 1 }
    return byte == close
  }

  private mutating func separator(before close: UInt8, openedAt start: Int) throws(YAMLProblem) {
    switch peek() {
    case close: return
    case .comma: position += 1
    case nil: throw unclosed(start)
    default: throw problem("expected ',' or '\(Character(Unicode.Scalar(close)))'", at: position, "not expected here")
    }
  }

  private func unclosed(_ start: Int) -> YAMLProblem {
    problem("the file ends inside '\(Character(Unicode.Scalar(bytes[start])))…'", at: start, "never closed")
  }
}
