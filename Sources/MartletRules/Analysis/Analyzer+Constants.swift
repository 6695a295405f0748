// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// One constant of a condition.
struct ListValue {
  let bytes: [UInt8]
  let isQuoted: Bool
  /// The item in the list's definition; nil for a value of the condition itself.
  let file: FileRange?
}

/// Constants: a text becomes a value of the field's type.
extension Analyzer {
  /// The constant that `item` is for a field; it stands at `value` in the condition. Nil if it does not fit.
  mutating func constant(
    _ item: ListValue, _ value: ConditionSyntax.Value, _ symbol: OperatorSymbol, _ left: Side,
    _ scope: Scope
  ) -> Constant? {
    let site = ConstantSite(item: item, range: value.range, left: left, scope: scope)
    guard checkBytes(site) else { return nil }
    let type = left.type
    switch type {
    case .string, .path: return text(site, symbol)
    case .port: return port(site)
    case .bytes: return bytes(site, symbol)
    case .double:
      // Falco reads no fractions, whatever the field's type.
      guard case .signed(let value)? = number(site, .int64) else { return nil }
      return .double(Double(value))
    case .boolean:
      guard item.bytes.string == "true" || item.bytes.string == "false" else {
        return invalid(site, "true or false", help: "write 'true' or 'false'")
      }
      return .boolean(item.bytes.string == "true")
    case .address:
      guard let address = IPAddress(text: item.bytes.string), !Self.mixesFamilies(item.bytes) else {
        return invalid(site, "an address", help: "write an address such as 10.0.0.1 or 2001:db8::1")
      }
      return .address(address)
    case .network:
      guard let network = IPNetwork(text: item.bytes.string), !Self.mixesFamilies(item.bytes) else {
        return invalid(site, "a network", help: "write a network such as 10.0.0.0/8 or fd00::/8")
      }
      return .network(network)
    default: return number(site, type)
    }
  }

  /// `::ffff:10.0.0.1`: Falco takes what has a dot for an IPv4 address.
  private static func mixesFamilies(_ text: [UInt8]) -> Bool { text.contains(.dot) && text.contains(.colon) }

  private struct ConstantSite {
    let item: ListValue
    let range: Range<Int>
    let left: Side
    let scope: Scope

    var text: String { item.bytes.string }
  }

  private mutating func checkBytes(_ site: ConstantSite) -> Bool {
    if site.item.bytes.contains(0), site.left.type != .bytes {
      report(
        .constantWithNUL, "a value with a zero byte", site.range, "no text on the system has one", in: site.scope,
        related: related(site))
      return false
    }
    guard site.item.bytes.count > limits.constantBytes else { return true }
    report(
      .constantTooLong, "a value of \(site.item.bytes.count) bytes", site.range,
      "at most \(limits.constantBytes)", in: site.scope, related: related(site))
    return false
  }

  /// The list's item, where the value came from a list.
  private func related(_ site: ConstantSite) -> [SourceLabel] {
    site.item.file.map { [SourceLabel(log.span($0), "this item")] } ?? []
  }

  private mutating func invalid(_ site: ConstantSite, _ wanted: String, help: String) -> Constant? {
    report(
      .invalidConstant, "'\(site.left.text)' is compared with \(wanted), and '\(site.text)' is none",
      site.range, "not \(wanted)", in: site.scope, related: related(site), help: [Suggestion(help)])
    return nil
  }

  private mutating func text(_ site: ConstantSite, _ symbol: OperatorSymbol) -> Constant? {
    if symbol == .regex, let problem = options.regexProblem(site.item.bytes) {
      report(
        .invalidPattern, "'\(site.text)' is no regular expression: \(problem)", site.range, "cannot be matched",
        in: site.scope, related: related(site),
        help: [Suggestion("patterns are RE2's in POSIX syntax, and have to take the whole value")])
      return nil
    }
    if symbol != .regex, site.left.field?.description.multiplicity == .names {
      return .text(DomainName.normalized(site.item.bytes))
    }
    return isKnownEventType(site) ? .text(site.item.bytes) : nil
  }

  /// As in Falco, what `evt.type` is compared with has to be the name of an event, whatever transformers stand before it.
  private mutating func isKnownEventType(_ site: ConstantSite) -> Bool {
    guard site.left.operand.fields.contains(where: \.isEventType), !EventTypeNames.isKnown(site.text) else {
      return true
    }
    // What has to be mended is the list's item, if it came from one.
    let mended = site.item.file.map { log.span($0) } ?? span(site.range, site.scope)
    report(
      .unknownEventType, "unknown event type '\(site.text)'", site.range, "no such event or system call",
      in: site.scope, related: related(site),
      help: Suggestion.didYouMean(log.nearest(to: site.text, among: EventTypeNames.all), replacing: mended),
      words: "unknown event type \(site.text)")
    return false
  }

  /// As written, or as hexadecimal digits, two a byte.
  private mutating func bytes(_ site: ConstantSite, _ symbol: OperatorSymbol) -> Constant? {
    guard symbol == .bcontains || symbol == .bstartswith else { return .text(site.item.bytes) }
    let digits = site.item.bytes.compactMap(\.hexValue)
    guard digits.count == site.item.bytes.count, digits.count.isMultiple(of: 2) else {
      return invalid(site, "bytes in hexadecimal", help: "write two digits for each byte, as in 7f454c46")
    }
    return .text(stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
  }

  // MARK: Numbers

  /// Decimal only. As in Falco a negative number wraps in an unsigned field, and one that is too wide is cut; both
  /// are warned of.
  private mutating func number(_ site: ConstantSite, _ type: FieldType) -> Constant? {
    guard isKnownEventType(site) else { return nil }
    guard let (isNegative, magnitude) = Self.decimal(site.item.bytes) else {
      return invalid(site, "a decimal number", help: "write it in decimal digits, with no fraction")
    }
    let (bitCount, isSigned) = type.integer ?? (64, false)
    let bits = isNegative ? 0 &- magnitude : magnitude
    let shift = UInt64(64 - bitCount)
    if isSigned {
      let value = Int64(bitPattern: bits << shift) >> shift
      let fits = value == Int64(bitPattern: bits) && (magnitude == 0 || (value < 0) == isNegative)
      if !fits { warnOfWrap(site, "\(value)") }
      return .signed(value)
    }
    let value = (bits << shift) >> shift
    if isNegative && magnitude > 0 || value != bits { warnOfWrap(site, "\(value)") }
    return .unsigned(value)
  }

  private mutating func port(_ site: ConstantSite) -> Constant? {
    if let port = PortNames.port(site.text) { return .unsigned(UInt64(port)) }
    // Nothing at all is port 0, and a sign is no digit.
    let digits = site.item.bytes.isEmpty ? [UInt8(ascii: "0")] : site.item.bytes
    guard digits.allSatisfy(\.isDigit), let number = Int32(digits.string) else {
      return invalid(site, "a port", help: "write a number, or a well-known name such as ssh or https")
    }
    let value = UInt64(UInt16(truncatingIfNeeded: number))
    if value != UInt64(number) { warnOfWrap(site, "\(value)") }
    return .unsigned(value)
  }

  private mutating func warnOfWrap(_ site: ConstantSite, _ value: String) {
    report(
      .numberWraps, "\(site.text) does not fit '\(site.left.text)'", site.range,
      "compared as \(value)", in: site.scope, related: related(site))
  }

  private static func decimal(_ bytes: [UInt8]) -> (isNegative: Bool, magnitude: UInt64)? {
    let hasSign = bytes.first == .plus || bytes.first == .dash
    let digits = bytes.dropFirst(hasSign ? 1 : 0)
    guard !digits.isEmpty, digits.allSatisfy(\.isDigit) else { return nil }
    guard let magnitude = UInt64(String(decoding: digits, as: UTF8.self)) else { return nil }
    return (bytes.first == .dash, magnitude)
  }
}
