// SPDX-License-Identifier: Apache-2.0

import Yams

/// Reads the YAML of a rule file: Yams parses it, and here its nodes become a tree whose scalars know where each of
/// their bytes stands in the file.
///
/// What could make Yams slow is refused before it starts (`YAMLBounds`), what is merely large while the tree is
/// built. Collections as keys are refused: no rule file has any.
struct YAMLReader {
  let index: LineIndex
  let source: Int
  let limits: Limits
  let marks: YAMLMarks
  private var nodeCount = 0
  /// Scalars by offset: one behind aliases is scanned once, however often it is used.
  private var scalars: [Int: YAMLNode] = [:]
  /// Keys that stand twice in a mapping, by offset: they were spelled otherwise for Yams.
  private(set) var renamedKeys: [Int: Range<Int>] = [:]

  /// libyaml stops at a thousand levels, and Yams needs up to 4 KiB of stack for each of them.
  private static let stackBytes = 16 << 20

  init(_ index: LineIndex, source: Int, limits: Limits) {
    self.index = index
    self.source = source
    self.limits = limits
    marks = YAMLMarks(index)
  }

  /// All documents that are not empty.
  func documents() throws(YAMLProblem) -> [YAMLNode] {
    try YAMLBounds.check(index.bytes, limits)
    // Everything that holds nodes of Yams: releasing deep ones takes stack, too.
    let result = Stack.run(bytes: Self.stackBytes) { () -> Result<[YAMLNode], YAMLProblem> in
      var reader = self
      do throws(YAMLProblem) { return .success(try reader.composed()) } catch { return .failure(error) }
    }
    return try result.get()
  }

  private mutating func composed() throws(YAMLProblem) -> [YAMLNode] {
    var documents: [YAMLNode] = []
    for root in try roots() {
      let document = try node(root, depth: 0)
      if !document.isNull { documents.append(document) }
    }
    return documents
  }

  /// Without the resolver's rules: what looks like a number is a text here, and regular expressions take long.
  private mutating func roots() throws(YAMLProblem) -> [Node] {
    var bytes = index.bytes
    while true {
      do {
        var roots: [Node] = []
        let text = String(decoding: bytes, as: UTF8.self)
        let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
        while let root = try parser.nextRoot() { roots.append(root) }
        return roots
      } catch let error as YamlError {
        guard let key = secondKey(error), renamedKeys[key.lowerBound] == nil,
          renamedKeys.count < Self.duplicatesMax, Self.rename(key, number: renamedKeys.count, in: &bytes)
        else { throw problem(error) }
        renamedKeys[key.lowerBound] = key
      } catch {
        throw YAMLProblem(code: .invalidYAML, message: "not valid YAML", range: 0..<0, label: "\(error)")
      }
    }
  }

  // MARK: Nodes

  private mutating func node(_ node: Node, depth: Int) throws(YAMLProblem) -> YAMLNode {
    let start = node.mark.map { marks.offset(of: $0) } ?? 0
    guard depth < limits.yamlDepth else {
      throw YAMLProblem(
        code: .nestedTooDeep, message: "more than \(limits.yamlDepth) levels of YAML inside each other",
        range: byte(at: start), label: "one too many")
    }
    nodeCount += 1
    guard nodeCount <= limits.yamlNodes else { throw tooMany(at: start) }
    let file = FileRange(source: source, range: byte(at: start))
    switch node {
    case .scalar(let value): return scalar(value, at: start)
    case .sequence(let items):
      var nodes: [YAMLNode] = []
      nodes.reserveCapacity(items.count)
      for item in items { nodes.append(try self.node(item, depth: depth + 1)) }
      return YAMLNode(content: .sequence(nodes), file: file)
    case .mapping(let pairs):
      var entries: [YAMLEntry] = []
      for (key, value) in pairs { entries.append(try entry(key, value, depth: depth + 1)) }
      return YAMLNode(content: .mapping(entries), file: file)
    case .alias:
      preconditionFailure("Yams puts what an alias stands for in its place")
    }
  }

  private mutating func entry(_ key: Node, _ value: Node, depth: Int) throws(YAMLProblem) -> YAMLEntry {
    guard case .scalar = key else {
      let start = key.mark.map { marks.offset(of: $0) } ?? 0
      throw YAMLProblem(
        code: .unsupportedYAML, message: "a collection cannot be a key", range: byte(at: start),
        label: "keys are words")
    }
    if let start = key.mark.map({ marks.offset(of: $0) }), let range = renamedKeys[start] {
      var name = MappedText(anchor: FileRange(source: source, range: range))
      name.append(index.bytes[range], for: range)
      let known = YAMLNode(content: .scalar(YAMLScalar(text: name, isPlain: true)), file: name.anchor)
      return YAMLEntry(key: known, value: try node(value, depth: depth))
    }
    return YAMLEntry(key: try node(key, depth: depth), value: try node(value, depth: depth))
  }

  private mutating func scalar(_ scalar: Node.Scalar, at start: Int) -> YAMLNode {
    if let known = scalars[start] { return known }
    let value = Array(scalar.string.utf8)
    let text: MappedText
    if let scanned = ScalarScanner.scan(value, style: scalar.style, in: index.bytes, at: start, source: source) {
      text = scanned
    } else {
      var whole = MappedText(anchor: FileRange(source: source, range: byte(at: start)))
      whole.append(value, for: byte(at: start))
      text = whole
    }
    let content = YAMLScalar(text: text, isPlain: scalar.style == .plain)
    let node = YAMLNode(content: .scalar(content), file: text.anchor)
    // An empty one may stand where the next one begins.
    if !value.isEmpty { scalars[start] = node }
    return node
  }

  func byte(at offset: Int) -> Range<Int> { offset..<min(offset + 1, index.bytes.count) }

  /// Behind aliases Yams gives the place of what they stand for. Where that has an anchor, its first alias is shown.
  private func tooMany(at start: Int) -> YAMLProblem {
    guard let alias = YAMLBounds.firstAlias(in: index.bytes) else {
      return YAMLProblem(
        code: .tooManyNodes, message: "more than \(limits.yamlNodes) values in this file", range: byte(at: start),
        label: "one too many")
    }
    return YAMLProblem(
      code: .tooManyNodes, message: "aliases make more than \(limits.yamlNodes) values of this file", range: alias,
      label: "the first alias")
  }
}
