// SPDX-License-Identifier: Apache-2.0

/// Refuses, before Yams sees it, a file that could keep Yams busy for ever. Looks at bytes only and takes too much for
/// a token rather than too little.
///
/// Yams shares what aliases stand for, so that composing is cheap; but it hashes the keys of each mapping to find
/// duplicates, and a key may be a collection of aliases of aliases. The work is at most the number of keys that may be
/// collections, times the bytes of the file with aliases expanded: an alias weighs as much as everything since its
/// anchor, which holds at least what it stands for.
struct YAMLBounds {
  private let bytes: [UInt8]
  private var position = 0
  /// Bytes up to here, aliases expanded.
  private var weight = 0
  /// What may begin a value, each counted once.
  private var valueCount = 0
  /// The first of the keys that may be collections, and how many there are.
  private var firstKey: Int?
  private var keyCount = 0
  /// The weight before the first anchor of each name.
  private var anchors: [ArraySlice<UInt8>: Int] = [:]
  /// Where the last alias ended.
  private var aliasEnd = -1

  private static let keyWorkMax = 32 << 20
  private static let weightMax = 1 << 40

  static func check(_ bytes: [UInt8], _ limits: Limits) throws(YAMLProblem) {
    var bounds = YAMLBounds(bytes: bytes)
    while bounds.position < bytes.count {
      bounds.step()
      guard bounds.valueCount <= limits.yamlNodes else {
        throw YAMLProblem(
          code: .tooManyNodes, message: "more than \(limits.yamlNodes) values in this file",
          range: bounds.position - 1..<bounds.position, label: "one too many")
      }
    }
    guard let key = bounds.firstKey, bounds.weight > keyWorkMax / bounds.keyCount else { return }
    throw YAMLProblem(
      code: .unsupportedYAML, message: "keys that may be collections, in a file of this size or with these aliases",
      range: key..<key + 1, label: "the first of them", help: "keys are words; put quotes around texts")
  }

  /// The first thing that looks like an alias of an anchor.
  static func firstAlias(in bytes: [UInt8]) -> Range<Int>? {
    var bounds = YAMLBounds(bytes: bytes)
    while bounds.position < bytes.count {
      let start = bounds.position
      bounds.step()
      if bounds.aliasEnd > start { return start..<bounds.aliasEnd }
    }
    return nil
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private mutating func step() {
    let byte = bytes[position]
    weight = min(weight + 1, Self.weightMax)
    switch byte {
    case .ampersand:
      let name = name(at: position + 1)
      if !name.isEmpty, anchors[name] == nil { anchors[name] = weight - 1 }
    case .star:
      let name = name(at: position + 1)
      guard let anchor = anchors[name] else { break }
      weight = min(weight + weight - anchor, Self.weightMax)
      aliasEnd = name.endIndex
    case .question:
      valueCount += 1
      if mayBeginToken { countKey() }
    case .colon:
      valueCount += 1
      if mayFollowCollection { countKey() }
    case .dash: if mayEndToken(position + 1) { valueCount += 1 }
    case .comma, .openBracket, .openBrace, .newline: valueCount += 1
    default: break
    }
    position += 1
  }

  private mutating func countKey() {
    keyCount += 1
    firstKey = firstKey ?? position
  }

  private func name(at start: Int) -> ArraySlice<UInt8> {
    var end = start
    while let byte = bytes.byte(at: end), byte.isWord || byte == .dash { end += 1 }
    return bytes[start..<end]
  }

  private var mayBeginToken: Bool {
    guard let previous = bytes.byte(at: position - 1) else { return true }
    // What is not ASCII may be a byte order mark or one of YAML's other line breaks.
    return isBlank(previous) || previous >= 0x80 || [.openBracket, .openBrace, .comma].contains(previous)
  }

  private func mayEndToken(_ offset: Int) -> Bool {
    guard let byte = bytes.byte(at: offset) else { return true }
    return isBlank(byte) || byte >= 0x80
  }

  /// Whether a bracket or an alias stands before the colon here.
  private var mayFollowCollection: Bool {
    var before = position - 1
    while let byte = bytes.byte(at: before), byte == .space || byte == .tab { before -= 1 }
    return bytes.byte(at: before) == .closeBracket || bytes.byte(at: before) == .closeBrace || before + 1 == aliasEnd
  }

  private func isBlank(_ byte: UInt8) -> Bool { byte == .space || byte == .tab || byte.isLineBreak }
}
