// SPDX-License-Identifier: Apache-2.0

import Testing
import Yams

@testable import MartletRules

/// A YAML tree without places, to be compared.
indirect enum PlainTree: Equatable {
  case scalar(String)
  case sequence([PlainTree])
  case mapping([PlainTree])

  init(_ node: YAMLNode) {
    switch node.content {
    case .scalar(let scalar): self = .scalar(scalar.text.string)
    case .sequence(let items): self = .sequence(items.map { PlainTree($0) })
    case .mapping(let entries): self = .mapping(entries.flatMap { [PlainTree($0.key), PlainTree($0.value)] })
    }
  }

  init(_ node: Node) {
    switch node {
    case .scalar(let scalar): self = .scalar(scalar.string)
    case .sequence(let items): self = .sequence(items.map { PlainTree($0) })
    case .mapping(let entries): self = .mapping(entries.flatMap { [PlainTree($0.key), PlainTree($0.value)] })
    case .alias: self = .scalar("alias")
    }
  }

  var isEmpty: Bool { self == .scalar("") || self == .scalar("~") || self == .scalar("null") }
}

func readYAML(_ text: String, limits: Limits = Limits()) throws -> [YAMLNode] {
  var reader = YAMLReader(LineIndex(SourceFile(path: "test.yaml", text: text)), source: 0, limits: limits)
  return try reader.documents()
}

@Suite("YAML reader")
struct YAMLReaderTests {
  @Test("it reads what libyaml reads", arguments: YAMLCases.valid)
  func agrees(text: String) throws {
    let ours = try readYAML(text).map { PlainTree($0) }
    var documents = try Yams.compose_all(yaml: text)
    var theirs: [PlainTree] = []
    while let document = documents.next() { theirs.append(PlainTree(document)) }
    #expect(documents.error == nil)
    #expect(ours == theirs.filter { !$0.isEmpty })
  }

  @Test("it refuses what is no YAML", arguments: YAMLCases.invalid)
  func refuses(text: String) {
    #expect(throws: YAMLProblem.self) { try readYAML(text) }
  }

  @Test("it reads Falco's rule files as libyaml does", TestFiles.needsUpstream, arguments: TestFiles.upstreamRules)
  func upstream(path: String) throws {
    let text = String(decoding: TestFiles.bytes(path), as: UTF8.self)
    let ours = try readYAML(text).map { PlainTree($0) }
    let theirs = try Array(Yams.compose_all(yaml: text)).map { PlainTree($0) }
    #expect(ours == theirs)
  }

  @Test("each byte of a scalar knows where it stands, in every style", arguments: YAMLCases.mapped)
  func places(text: String) throws {
    guard case .mapping(let entries) = try #require(try readYAML(text).first).content else {
      Issue.record("not a mapping")
      return
    }
    let scalar = try #require(entries[0].value.scalar).text
    let bytes = Array(text.utf8)
    for word in ["one", "two", "thrée", "f\"r", "fünf", "x'y"] {
      let wanted = Array(word.utf8)
      guard let offset = firstOffset(of: wanted, in: scalar.bytes) else { continue }
      let place = scalar.file(offset..<offset + wanted.count).range
      let found = String(decoding: bytes[place], as: UTF8.self)
      let spellings = [word, "f\\\"r", "f\\xfcnf", "x''y", "thr\\u00e9e"]
      #expect(spellings.contains(found), "\(word) is shown as \(found)")
    }
  }

  private func firstOffset(of needle: [UInt8], in bytes: [UInt8]) -> Int? {
    guard bytes.count >= needle.count else { return nil }
    return (0...bytes.count - needle.count).first { Array(bytes[$0..<$0 + needle.count]) == needle }
  }

  @Test("an alias bomb is refused")
  func aliasBomb() {
    var text = "- &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...12 {
      let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
      text += "- &a\(level) [\(aliases)]\n"
    }
    #expect { try readYAML(text) } throws: { ($0 as? YAMLProblem)?.code == .tooManyNodes }
  }

  @Test("deep nesting is refused", arguments: ["[", "{a: ", "- ", "? "])
  func deep(piece: String) {
    #expect(throws: YAMLProblem.self) { try readYAML(String(repeating: piece, count: 100_000)) }
  }

  @Test("more values than the limit are refused")
  func manyNodes() {
    var limits = Limits()
    limits.yamlNodes = 10
    #expect(throws: Never.self) { try readYAML("[a, a, a, a, a]", limits: limits) }
    #expect { try readYAML(String(repeating: "- a\n", count: 20), limits: limits) } throws: {
      ($0 as? YAMLProblem)?.code == .tooManyNodes
    }
  }
}
