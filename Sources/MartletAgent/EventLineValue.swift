// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletState

/// A value on an event line.
enum EventLineValue: Equatable {
  case null
  case boolean(Bool)
  case signed(Int64)
  case unsigned(UInt64)
  case double(Double)
  case text([UInt8])
  case pending
  case list([EventLineValue])

  // MARK: - As the value of a field

  /// What it makes of the event; nil where it does not fit the field. A list gives a field of several values all of
  /// them, and `proc.args` and `proc.env` their parts.
  func given(as key: GivenEvent.Key) -> [GivenEvent.Key: GivenEvent.Value]? {
    let description = key.field.description
    let type =
      if description.type == .dynamic, case .key(let name) = key.argument {
        EventParameter.type(named: String(decoding: name, as: UTF8.self)) ?? description.type
      } else {
        description.type
      }
    guard case .list(let elements) = self else { return single(as: type).map { [key: $0] } }
    let values = elements.map { $0 == .null ? nil : $0.single(as: type) }
    guard key.argument == .none, zip(elements, values).allSatisfy({ $0 == .null || $1 != nil }) else { return nil }
    return switch (description.multiplicity, description.argument) {
    case (.ancestors, .optionalIndex): Self.indexed(key.field, values, from: 1)
    case (.list, _), (.names, _): Self.indexed(key.field, values, from: 0)
    case (.bothEnds, _): values.count <= 2 ? Self.indexed(key.field, values, from: 0) : nil
    case (.one, .optionalIndex):
      Self.indexed(key.field, values, from: 0).merging([key: .text(Self.joined(values))]) { $1 }
    case (.one, .optionalIndexOrKey):
      Self.variables(key.field, values).merging([key: .text(Self.joined(values))]) { $1 }
    default: nil
    }
  }

  private static func indexed(
    _ field: Field, _ values: [GivenEvent.Value?], from first: Int
  ) -> [GivenEvent.Key: GivenEvent.Value] {
    var given: [GivenEvent.Key: GivenEvent.Value] = [:]
    for (place, value) in values.enumerated() { given[.init(field, .index(first + place))] = value }
    return given
  }

  /// `K=V` is the variable K; of two of that name the first counts.
  private static func variables(
    _ field: Field, _ values: [GivenEvent.Value?]
  ) -> [GivenEvent.Key: GivenEvent.Value] {
    var given: [GivenEvent.Key: GivenEvent.Value] = [:]
    for case .text(let text)? in values {
      guard let end = text.firstIndex(of: UInt8(ascii: "=")) else { continue }
      let key = GivenEvent.Key(field, .key(Array(text[..<end])))
      if given[key] == nil { given[key] = .text(Array(text[(end + 1)...])) }
    }
    return given
  }

  private static func joined(_ values: [GivenEvent.Value?]) -> [UInt8] {
    let texts = values.compactMap { if case .text(let text)? = $0 { text } else { nil } }
    return Array(texts.joined(separator: [UInt8(ascii: " ")]))
  }

  /// Nil where it does not fit the type. Numbers wrap in the type, as the numbers of conditions do; texts may be given
  /// as numbers and the other way round.
  private func single(as type: FieldType) -> GivenEvent.Value? {
    if self == .pending { return .pending }
    if let integer = type.integer { return wholeNumber.map { Self.wrapped($0, integer) } }
    switch (type, self) {
    case (.boolean, .boolean(let flag)): return .boolean(flag)
    case (.boolean, .text(let text)) where text == Array("true".utf8): return .boolean(true)
    case (.boolean, .text(let text)) where text == Array("false".utf8): return .boolean(false)
    case (.double, .double(let number)): return .double(number)
    case (.double, _): return wholeNumber.map { .double(Double($0)) }
    case (.address, .text(let text)), (.network, .text(let text)):
      return IPAddress(text: String(decoding: text, as: UTF8.self)).map { .address($0) }
    case (.boolean, _), (.address, _), (.network, _): return nil
    default: return text.map { .text($0) }
    }
  }

  private var text: [UInt8]? {
    switch self {
    case .text(let text): text
    case .boolean(let flag): Array("\(flag)".utf8)
    case .signed(let number): Array("\(number)".utf8)
    case .unsigned(let number): Array("\(number)".utf8)
    case .double(let number): Array("\(number)".utf8)
    case .null, .pending, .list: nil
    }
  }

  /// A moment as alerts have it.
  var nanoseconds: Int64? { if case .signed(let number) = self { number } else { nil } }

  private var wholeNumber: Int128? {
    switch self {
    case .signed(let number): Int128(number)
    case .unsigned(let number): Int128(number)
    case .text(let text):
      Int64(String(decoding: text, as: UTF8.self)).map { Int128($0) }
        ?? UInt64(String(decoding: text, as: UTF8.self)).map { Int128($0) }
    case .null, .boolean, .double, .pending, .list: nil
    }
  }

  private static func wrapped(_ number: Int128, _ integer: (bitCount: Int, isSigned: Bool)) -> GivenEvent.Value {
    let shift = 64 - integer.bitCount
    let bits = UInt64(truncatingIfNeeded: number) << shift
    return integer.isSigned ? .signed(Int64(bitPattern: bits) >> shift) : .unsigned(bits >> shift)
  }
}

extension Field {
  /// What a value of it has to be, for the sentence "'fd.num' takes a whole number".
  var expectation: String {
    let type = description.type
    if type.integer != nil { return "a whole number (\(type.name))" }
    return switch type {
    case .boolean: "true or false"
    case .double: "a number"
    case .address, .network: "an address"
    default: "a text"
    }
  }
}

/// Alerts and the expectations of rule tests hold the same kinds of value, without the special ones.
extension EventLineValue: Decodable {
  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let flag = try? container.decode(Bool.self) {
      self = .boolean(flag)
    } else if let number = try? container.decode(Int64.self) {
      self = .signed(number)
    } else if let number = try? container.decode(UInt64.self) {
      self = .unsigned(number)
    } else if let number = try? container.decode(Double.self) {
      self = .double(number)
    } else if let elements = try? container.decode([EventLineValue].self) {
      self = .list(elements)
    } else {
      self = .text(Array(try container.decode(String.self).utf8))
    }
  }
}

extension EventLineValue: CustomStringConvertible {
  var description: String {
    switch self {
    case .null: "missing"
    case .pending: "pending"
    case .boolean(let flag): "\(flag)"
    case .signed(let number): "\(number)"
    case .unsigned(let number): "\(number)"
    case .double(let number): "\(number)"
    case .text(let text): "'\(String(decoding: text, as: UTF8.self))'"
    case .list(let elements): "(" + elements.map(\.description).joined(separator: ", ") + ")"
    }
  }
}
