// SPDX-License-Identifier: Apache-2.0

/// What one item of a rule file defines. Texts know where they stand.
struct ListDefinition: Sendable {
  let name: MappedText
  let items: [MappedText]
}

struct MacroDefinition: Sendable {
  let name: MappedText
  let condition: MappedText
}

struct RuleDefinition: Sendable {
  let name: MappedText
  let description: MappedText
  let condition: MappedText
  let output: MappedText
  let priority: Priority
  let source: MappedText?
  var isEnabled: Bool
  let tags: [String]
  /// `warn_evttypes`: whether to warn when every kind of event is looked at.
  let warnsOfEveryEvent: Bool
}

extension MappedText {
  /// The whole of it.
  var file: FileRange { file(0..<bytes.count) }
}
