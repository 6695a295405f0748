// SPDX-License-Identifier: Apache-2.0

/// What one item of a rule file defines. Texts know where they stand; `place` is where the item begins.
struct ListDefinition: Sendable {
  let name: MappedText
  let place: FileRange
  var items: [MappedText]
}

struct MacroDefinition: Sendable {
  let name: MappedText
  let place: FileRange
  var condition: MappedText
}

struct RuleDefinition: Sendable {
  let name: MappedText
  let place: FileRange
  var description: MappedText
  var condition: MappedText
  var output: MappedText
  var priority: Priority
  let source: MappedText?
  var isEnabled: Bool
  var tags: [String]
  var exceptions: ExceptionTable
  /// `warn_evttypes`: whether to warn when every kind of event is looked at.
  var warnsOfEveryEvent: Bool
  /// `skip-if-unknown-filter`: whether it is left out where it names what Martlet does not have.
  var isSkippedIfUnknown: Bool

  /// The source of a rule that names none.
  static let syscallSource = "syscall"

  var sourceName: String { source?.string ?? Self.syscallSource }
  /// Martlet has the events that it is for. Other rules are not looked at any further.
  var hasKnownSource: Bool { sourceName == Self.syscallSource }
}

extension MappedText {
  /// The whole of it.
  var file: FileRange { file(0..<bytes.count) }
}
