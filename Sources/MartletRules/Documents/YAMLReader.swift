// SPDX-License-Identifier: Apache-2.0

/// Reads the YAML that rule files are written in, keeping for each scalar where its bytes came from.
///
/// It knows block and flow collections, all five scalar styles, comments, anchors and aliases, tags (skipped) and
/// several documents. It refuses complex keys (`? `) and collections as keys: no rule file has any, and a parser that
/// hashes them can be made to run for ever. Depth and number of nodes are bounded.
struct YAMLReader {
  let index: LineIndex
  let source: Int
  let limits: Limits
  var position = 0
  /// Nodes made so far, those behind aliases counted at each use.
  var nodeCount = 0
  private var depth = 0
  private var anchors: [[UInt8]: (node: YAMLNode, size: Int)] = [:]

  init(_ index: LineIndex, source: Int, limits: Limits) {
    self.index = index
    self.source = source
    self.limits = limits
  }

  /// All documents that are not empty.
  mutating func documents() throws(YAMLProblem) -> [YAMLNode] {
    var documents: [YAMLNode] = []
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
    while true {
      skipTrivia()
      while peek() == .percent, column == 0 {
        skipLine()
        skipTrivia()
      }
      if isDocumentMarker {
        position += 3
        skipTrivia()
      }
      guard position < bytes.count else { return documents }
      if isDocumentMarker { continue }
      anchors = [:]
      let node = try blockNode(parentIndent: -1)
      if !node.isNull { documents.append(node) }
      skipTrivia()
      guard position == bytes.count || isDocumentMarker else {
        throw problem("this does not belong to what stands before it", at: position, "not expected here")
      }
    }
  }

  // MARK: Nodes

  /// A node of block context. Its content lies right of `parentIndent`; a sequence may also stand right below a key.
  mutating func blockNode(parentIndent: Int, underKey: Bool = false) throws(YAMLProblem) -> YAMLNode {
    try enter()
    defer { depth -= 1 }
    let firstNode = nodeCount
    let anchor = try properties(parentIndent: parentIndent, underKey: underKey)
    let node = try blockContent(parentIndent: parentIndent, underKey: underKey)
    register(anchor, node, since: firstNode)
    return node
  }

  private mutating func blockContent(parentIndent: Int, underKey: Bool) throws(YAMLProblem) -> YAMLNode {
    let start = position
    let crossedLine = skipTrivia()
    guard let byte = peek(), !isDocumentMarker else { return null(at: start) }
    let startsLine = crossedLine || isFirstOnLine
    if crossedLine, let tab = tabInIndentation {
      throw problem("a tab in the indentation", at: tab, "YAML counts blanks only", help: "indent with blanks")
    }
    let mayBeCollection = startsLine || !underKey
    if byte == .dash, isBlankOrEnd(position + 1) {
      let isDeepEnough = column > parentIndent || (underKey && column == parentIndent && startsLine)
      guard isDeepEnough else { return null(at: start) }
      guard mayBeCollection else {
        throw problem("a list cannot begin on the line of its key", at: position, "move it to the next line")
      }
      return try blockSequence()
    }
    if startsLine, column <= parentIndent { return null(at: start) }
    switch byte {
    case .star: return try alias()
    case .pipe, .greater: return try blockScalar(parentIndent: parentIndent)
    case .openBracket, .openBrace: return try blockFlow(parentIndent: parentIndent)
    case .question where isBlankOrEnd(position + 1):
      throw complexKey()
    default: return try scalarOrMapping(parentIndent: parentIndent, mayBeMapping: mayBeCollection)
    }
  }

  /// A flow collection that is a value of block context: nothing may follow it on its line.
  private mutating func blockFlow(parentIndent: Int) throws(YAMLProblem) -> YAMLNode {
    let node = try flowNode()
    skipBlanks()
    if peek() == .colon, isBlankOrEnd(position + 1) {
      throw problem(.unsupportedYAML, "a collection cannot be a key", range: node.file.range, "keys are words")
    }
    return node
  }

  private mutating func scalarOrMapping(parentIndent: Int, mayBeMapping: Bool) throws(YAMLProblem) -> YAMLNode {
    let start = position
    let keyIndent = column
    if try implicitKey(inFlow: false) != nil {
      guard mayBeMapping else {
        throw problem(
          "a second ': ' on the line of a key", at: position, "ends a key",
          help: "put quotes around the value, or a line break before the key")
      }
      position = start
      return try blockMapping(indent: keyIndent)
    }
    position = start
    let node = try scalar(parentIndent: parentIndent, inFlow: false)
    skipBlanks()
    if peek() == .colon, isBlankOrEnd(position + 1) {
      throw problem(
        "a ': ' inside a text of several lines", at: position, "ends a key",
        help: "write the text as a block, with '>' or '|' behind its key")
    }
    return node
  }

  private mutating func blockSequence() throws(YAMLProblem) -> YAMLNode {
    let indent = column
    let start = position
    var end = position
    var items: [YAMLNode] = []
    while position < bytes.count, column == indent, peek() == .dash, isBlankOrEnd(position + 1), !isDocumentMarker {
      position += 1
      let item = try blockNode(parentIndent: indent)
      items.append(item)
      end = max(end, item.file.range.upperBound)
      let crossedLine = skipTrivia()
      if position < bytes.count, !crossedLine, !isFirstOnLine { throw trailing() }
    }
    try checkIndent(indent)
    return node(.sequence(items), start..<end)
  }

  private mutating func blockMapping(indent: Int) throws(YAMLProblem) -> YAMLNode {
    let start = position
    var end = position
    var entries: [YAMLEntry] = []
    while position < bytes.count, column == indent, !isDocumentMarker {
      if peek() == .dash, isBlankOrEnd(position + 1) { break }
      guard let key = try implicitKey(inFlow: false) else {
        throw problem("expected 'key: value'", at: position, "not followed by ':'")
      }
      let value = try blockNode(parentIndent: indent, underKey: true)
      entries.append(YAMLEntry(key: key, value: value))
      end = max(end, value.file.range.upperBound)
      let crossedLine = skipTrivia()
      if position < bytes.count, !crossedLine, !isFirstOnLine { throw trailing() }
    }
    try checkIndent(indent)
    return node(.mapping(entries), start..<end)
  }

  /// A key and its colon; nil, wherever the position then is, if what stands here is no key.
  mutating func implicitKey(inFlow: Bool) throws(YAMLProblem) -> YAMLNode? {
    let line = index.lineIndex(of: position)
    // An anchor and a tag at most: what they would mean for a key, nothing asks.
    for _ in 0..<2 where peek() == .ampersand || peek() == .bang {
      skipProperty()
      skipBlanks()
    }
    let key: YAMLNode
    switch peek() {
    case .quote, .apostrophe: key = try scalar(parentIndent: -1, inFlow: inFlow)
    case .star: key = try alias()
    case .question where isBlankOrEnd(position + 1): throw complexKey()
    default: key = try plainScalar(parentIndent: -1, inFlow: inFlow, onlyOneLine: true)
    }
    skipBlanks()
    guard peek() == .colon, isBlankOrEnd(position + 1) || inFlow, index.lineIndex(of: position) == line else {
      return nil
    }
    guard key.scalar != nil else {
      throw problem(.unsupportedYAML, "a collection cannot be a key", range: key.file.range, "keys are words")
    }
    position += 1
    return key
  }

  // MARK: Anchors and aliases

  /// Skips a tag and an anchor; returns the anchor's name.
  mutating func properties(parentIndent: Int, underKey: Bool) throws(YAMLProblem) -> [UInt8]? {
    var anchor: [UInt8]?
    var count = 0
    while true {
      let start = position
      let crossedLine = skipTrivia()
      let byte = peek()
      let belongs = !(crossedLine && column <= parentIndent)
      guard byte == .ampersand || byte == .bang, belongs, !startsKey() else {
        position = start
        return anchor
      }
      count += 1
      guard count <= 2 else { throw problem("more than one anchor and one tag", at: position, "one too many") }
      let nameStart = position + 1
      skipProperty()
      if byte == .ampersand { anchor = Array(bytes[nameStart..<position]) }
    }
  }

  private mutating func skipProperty() {
    position += 1
    let ends: [UInt8] = [.space, .tab, .newline, .carriageReturn, .comma, .closeBracket, .closeBrace]
    while let byte = peek(), !ends.contains(byte) { position += 1 }
  }

  /// Whether the anchor or tag here belongs to a key of a mapping rather than to the whole mapping: something other
  /// than a line break follows it, and that is a key. Such anchors are dropped: nothing refers to keys.
  private func startsKey() -> Bool {
    var probe = self
    let line = index.lineIndex(of: position)
    probe.skipProperty()
    probe.skipBlanks()
    guard let byte = probe.peek(), !byte.isLineBreak, byte != .openBracket, byte != .openBrace else { return false }
    let key = try? probe.implicitKey(inFlow: false)
    return key != nil && index.lineIndex(of: probe.position) == line
  }

  mutating func alias() throws(YAMLProblem) -> YAMLNode {
    let start = position
    position += 1
    while let byte = peek(), byte.isWord || byte == .dash { position += 1 }
    guard let target = anchors[Array(bytes[start + 1..<position])] else {
      throw problem("no anchor of this name stands before it", range: start..<position, "undefined alias")
    }
    nodeCount += target.size
    guard nodeCount <= limits.yamlNodes else {
      throw problem(
        .tooManyNodes, "aliases make more than \(limits.yamlNodes) values of this file", range: start..<position,
        "one too many")
    }
    return target.node
  }

  mutating func register(_ anchor: [UInt8]?, _ node: YAMLNode, since firstNode: Int) {
    guard let anchor else { return }
    anchors[anchor] = (node, max(1, nodeCount - firstNode))
  }

  mutating func enter() throws(YAMLProblem) {
    guard depth < limits.yamlDepth else {
      throw problem(
        .nestedTooDeep, "more than \(limits.yamlDepth) levels of YAML inside each other", at: position, "one too many")
    }
    guard nodeCount < limits.yamlNodes else {
      throw problem(.tooManyNodes, "more than \(limits.yamlNodes) values in this file", at: position, "one too many")
    }
    depth += 1
  }

  mutating func leave() { depth -= 1 }
}
