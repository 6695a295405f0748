// SPDX-License-Identifier: Apache-2.0

/// A YAML value, and where it stands; of a collection, where it begins.
struct YAMLNode: Sendable {
  enum Content: Sendable {
    case scalar(YAMLScalar)
    case sequence([YAMLNode])
    case mapping([YAMLEntry])
  }

  let content: Content
  let file: FileRange
}

struct YAMLScalar: Sendable {
  let text: MappedText
  /// Written without quotes and not as a block, so that `true` or nothing at all may mean something else than text.
  let isPlain: Bool
}

struct YAMLEntry: Sendable {
  let key: YAMLNode
  let value: YAMLNode
}

extension YAMLNode {
  var scalar: YAMLScalar? {
    guard case .scalar(let scalar) = content else { return nil }
    return scalar
  }

  /// Nothing was written.
  var isNull: Bool {
    guard let scalar, scalar.isPlain else { return false }
    return scalar.text.isEmpty || scalar.text.string == "~" || scalar.text.string == "null"
  }

  /// What it is, in a user's words.
  var kindName: String {
    switch content {
    case .scalar: isNull ? "nothing" : "a text"
    case .sequence: "a list"
    case .mapping: "a mapping"
    }
  }
}

/// Why a file is not YAML as rule files use it. The first one ends the reading of a file: what follows a broken
/// structure would only be guessed.
struct YAMLProblem: Error {
  let code: DiagnosticCode
  let message: String
  let range: Range<Int>
  let label: String
  /// Another place that matters.
  var related: (range: Range<Int>, label: String)?
  var help: String?
}
