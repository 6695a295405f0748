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
  static func output(of template: OutputTemplate, _ priority: Priority, _ context: inout EventContext) -> [UInt8] {
    var text = AlertText()
    text.append(timeOfDay: context.realtimeNanoseconds)
    text.append(": \(priority.name) ")
    text.append(template, &context)
    return text.bytes
  }

  static func text(of template: OutputTemplate, _ context: inout EventContext) -> [UInt8] {
    var text = AlertText()
    text.append(template, &context)
    return text.bytes
  }

  private mutating func append(_ template: OutputTemplate, _ context: inout EventContext) {
    for (index, piece) in template.pieces.enumerated() {
      switch piece {
      // In front it is Falco's mark for "print it even if a value is missing", which always holds here.
      case .literal(let literal) where index == 0 && literal.first == UInt8(ascii: "*"): bytes += literal.dropFirst()
      case .literal(let literal): bytes += literal
      case .field(let reference, nil): append(reference, &context)
      case .field(let reference, let width?): append(Self.value(of: reference, &context), width: width)
      case .transformed(let operand, _, let width):
        var value = AlertText()
        value.append(OperandEvaluator.value(of: operand, &context))
        append(value.bytes, width: width ?? value.bytes.count)
      }
    }
  }

  static func value(of reference: FieldReference, _ context: inout EventContext) -> [UInt8] {
    var text = AlertText()
    text.append(reference, &context)
    return text.bytes
  }

  /// Of ancestors without index: all of them, nearest first, with blanks between.
  private mutating func append(_ reference: FieldReference, _ context: inout EventContext) {
    switch reference.multiplicity {
    case .ancestors: break
    case .list: return append(OperandEvaluator.value(of: .field(reference), &context))
    default:
      let value = context.value(of: reference.field, reference.argument)
      if case .missing = value, append(timeAs: reference.field, context.realtimeNanoseconds) { return }
      return append(value)
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

  /// What an event line does not give of its time follows from the moment that it gives. False for other fields.
  private mutating func append(timeAs field: Field, _ nanoseconds: Int64) -> Bool {
    var time = AlertText()
    switch field {
    case .eventTime, .eventTimeSeconds: time.append(timeOfDay: nanoseconds)
    case .eventTimeISO, .eventDateTime, .eventDateTimeSeconds: time.append(dateTime: nanoseconds)
    default: return false
    }
    switch field {
    case .eventTimeSeconds: bytes += time.bytes.prefix(TimeText.timeOfDayByteCount - 10)
    case .eventTimeISO: bytes += time.bytes.dropLast() + Array("+0000".utf8)
    case .eventDateTime, .eventDateTimeSeconds:
      time.bytes[10] = UInt8(ascii: " ")
      bytes += time.bytes.dropLast(field == .eventDateTime ? 1 : 11)
    default: bytes += time.bytes
    }
    return true
  }

  private mutating func append(dateTime nanoseconds: Int64) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: TimeText.dateTimeByteCount) { time in
      guard let start = time.baseAddress else { return }
      TimeText.writeDateTime(nanoseconds: nanoseconds, at: start)
      bytes += time
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
