// SPDX-License-Identifier: Apache-2.0

import Foundation

/// One alert as a consumer reads it: a JSON object on a line of its own, and when that line arrived.
public struct ArrivedAlert: Sendable {
  public let line: ArrivedLine
  private let object: JSONObject

  /// Nil for lines that are not a JSON object with a rule.
  public init?(_ line: ArrivedLine) {
    guard let parsed = try? JSONSerialization.jsonObject(with: Data(line.text.utf8)),
      let object = parsed as? [String: Any], object["rule"] is String
    else { return nil }
    self.line = line
    self.object = JSONObject(values: object)
  }

  /// CLOCK_REALTIME in nanoseconds when the line was read.
  public var arrival: UInt64 { line.arrival }
  public var rule: String { object.values["rule"] as? String ?? "" }
  public var priority: String? { object.values["priority"] as? String }
  public var output: String? { object.values["output"] as? String }
  public var tags: [String] { object.values["tags"] as? [String] ?? [] }

  /// A top-level value as text; nil when it is missing or null.
  public subscript(key: String) -> String? { Self.text(object.values[key]) }

  /// One of `output_fields` as text; nil when it is missing or null.
  public func field(_ name: String) -> String? {
    Self.text((object.values["output_fields"] as? [String: Any])?[name])
  }

  /// One of `output_fields` as a whole number.
  public func number(_ name: String) -> Int64? {
    ((object.values["output_fields"] as? [String: Any])?[name] as? NSNumber)?.int64Value
  }

  private static func text(_ value: Any?) -> String? {
    switch value {
    case let text as String: text
    case let number as NSNumber: number.stringValue
    default: nil
    }
  }
}

/// A parsed JSON object. Foundation's values are untyped but immutable once parsed, so they may be shared.
private struct JSONObject: @unchecked Sendable {
  let values: [String: Any]
}
