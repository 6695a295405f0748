// SPDX-License-Identifier: Apache-2.0

/// What one item of a rule file defines. Texts know where they stand.
struct ListDefinition: Sendable {
  let name: MappedText
  var items: [MappedText]
}

struct MacroDefinition: Sendable {
  let name: MappedText
  var condition: MappedText
}

struct RuleDefinition: Sendable {
  let name: MappedText
  var description: MappedText
  var condition: MappedText
  var output: MappedText
  var priority: Priority
  let source: MappedText?
  var isEnabled: Bool
  var tags: [String]
  var exceptions: [ExceptionDefinition]
  /// `warn_evttypes`: whether to warn when every kind of event is looked at.
  var warnsOfEveryEvent: Bool
  /// `skip-if-unknown-filter`: whether it is left out where it names what Martlet does not have.
  var isSkippedIfUnknown: Bool
}

extension MappedText {
  /// The whole of it.
  var file: FileRange { file(0..<bytes.count) }
}
