// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletMatching
import MartletRules
import MartletState

/// The text of an alert: a rule's output template, filled in.
///
/// Plain bytes; whoever puts them into a format escapes them there, once.
struct AlertText {
  private(set) var bytes: [UInt8] = []

  /// `HH:MM:SS.nnnnnnnnn: Priority ...`, in UTC.
  static func output(of rule: Rule, _ context: inout EventContext) -> [UInt8] {
    var text = AlertText()
    text.append(timeOfDay: context.realtimeNanoseconds)
    text.append(": \(rule.priority.name) ")
    for piece in rule.output.pieces {
      switch piece {
      case .literal(let literal): text.bytes += literal
      case .field(let reference, nil): text.append(reference, &context)
      case .field(let reference, let width?): text.append(value(of: reference, &context), width: width)
      case .transformed(let operand, _, let width):
        var value = AlertText()
        value.append(OperandEvaluator.value(of: operand, &context))
        text.append(value.bytes, width: width ?? value.bytes.count)
      }
    }
    return text.bytes
  }

  static func value(of reference: FieldReference, _ context: inout EventContext) -> [UInt8] {
    var text = AlertText()
    text.append(reference, &context)
    return text.bytes
  }

  /// Of ancestors without index: all of them, nearest first, with blanks between.
  private mutating func append(_ reference: FieldReference, _ context: inout EventContext) {
    guard reference.multiplicity == .ancestors else {
      return append(context.value(of: reference.field, reference.argument))
    }
    for index in stride(from: 1, through: context.ancestorCount(for: reference.field), by: 1) {
      if index > 1 { append(" ") }
      append(context.value(of: reference.field, at: .index(index)))
    }
  }

  /// Padded with blanks, or cut.
  private mutating func append(_ value: [UInt8], width: Int) {
    bytes += value.prefix(width)
    bytes += [UInt8](repeating: UInt8(ascii: " "), count: max(width - value.count, 0))
  }

  private mutating func append(_ value: OperandValue) {
    switch value {
    case .missing, .pending: append("<NA>")
    case .one(let constant): append(constant)
    case .many(let constants):
      append("(")
      for (index, constant) in constants.enumerated() {
        if index > 0 { append(",") }
        append(constant)
      }
      append(")")
    }
  }

  private mutating func append(_ constant: Constant) {
    switch constant {
    case .text(let text): bytes += text
    case .signed(let number): append("\(number)")
    case .unsigned(let number): append("\(number)")
    case .boolean(let flag): append("\(flag)")
    case .double(let number): append("\((number * 10).rounded() / 10)")
    case .address(let address): append("\(address)")
    case .network: append("<IPNET>")
    }
  }

  private mutating func append(_ value: FieldValue) {
    switch value {
    case .missing, .pending: append("<NA>")
    case .text(let text): bytes += UnsafeBufferPointer(start: text.start, count: text.count)
    case .signed(let number): append("\(number)")
    case .unsigned(let number): append("\(number)")
    case .boolean(let flag): append("\(flag)")
    case .double(let number): append("\((number * 10).rounded() / 10)")
    case .address(let address): append("\(address)")
    }
  }

  private mutating func append(timeOfDay nanoseconds: Int64) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: TimeText.timeOfDayByteCount) { time in
      guard let start = time.baseAddress else { return }
      TimeText.writeTimeOfDay(nanoseconds: nanoseconds, at: start)
      bytes += time
    }
  }

  private mutating func append(_ text: String) { bytes += text.utf8 }
}
