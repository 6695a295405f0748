// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletState
import MartletTesting

/// A state that is fed in tests, and asked about the last event.
final class Feed {
  var state: SystemState
  private var kept: [TestRecord] = []

  init(limits: StateLimits = StateLimits()) { state = SystemState(limits: limits) }

  convenience init(_ records: [TestRecord]) {
    self.init()
    for record in records { _ = context(record) }
  }

  func apply(_ records: TestRecord...) {
    for record in records { _ = context(record) }
  }

  func context(_ record: TestRecord) -> EventContext? {
    kept.append(record)
    return record.record.flatMap { state.apply($0) }
  }

  /// The field's text after this event; nil where it is missing.
  func text(_ field: Field, _ selector: FieldSelector = .whole, on record: TestRecord) -> String? {
    guard var context = context(record) else { return nil }
    switch context.value(of: field, at: selector) {
    case .missing: return nil
    case .pending: return "<pending>"
    case .text(let text): return text.string
    case .signed(let number): return "\(number)"
    case .unsigned(let number): return "\(number)"
    case .boolean(let flag): return "\(flag)"
    case .double(let number): return "\(number)"
    case .address(let address): return "\(address)"
    }
  }
}

let containerID = String(repeating: "4f1c9e0b2a77", count: 5) + "abcd"
let podUID = "0f4d2a1e-90ab-4cde-8f01-23456789abcd"
